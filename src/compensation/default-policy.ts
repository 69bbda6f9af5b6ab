import { assert } from '../errors.js';
import document from './policies/default.json' with { type: 'json' };
import { type Policy, parsePolicy } from './policy.js';

const parsed = parsePolicy(document);
assert(parsed.outcome === 'ok', 'the default policy is valid');

/** What is in force until a shop activates a policy of its own. */
export const DEFAULT_POLICY: Policy = parsed.policy;
