import { z } from 'zod';
import { policySchema } from './policy.js';

/**
 * The JSON Schema of a policy document, for editors: completion, descriptions, and most of what `makegood policy check`
 * refuses. What only holds between fields (ids that exist, bounds in order) it cannot say. policies/policy.schema.json is this,
 * written by `makegood policy schema`.
 */
export function policyJsonSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(policySchema, { target: 'draft-2020-12', io: 'input' });
  const description = 'What a broken delivery promise earns. `makegood policy check` says what is wrong with one.';
  return { $schema, title: 'A policy of makegood', description, ...schema };
}
