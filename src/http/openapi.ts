import type { AccessOf } from './plugins/look-up-roles.js';

/** An error, as every route answers it (RFC 9457). */
const PROBLEM = {
  description:
    'A problem document: `code` is for programs, `detail` for people, `errors` names the fields that are wrong.',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'detail', 'code', 'errors'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              required: ['field', 'message'],
              properties: { field: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
      },
    },
  },
} as const;

interface Operation {
  security?: object[];
  description?: string;
  responses?: Record<string, object>;
}

/**
 * Turns the description that was generated from the routes into the whole of it: who may use each route, and how it fails.
 */
export function completeOpenApi(document: { paths?: Record<string, unknown> }, accessOf: AccessOf): object {
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations as Record<string, Operation>)) {
      const access = accessOf(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'));
      const roles = [access ?? []].flat();
      const isPublic = access === 'public';
      operation.security = isPublic ? [] : [{ key: [] }];
      if (!isPublic)
        operation.description = [operation.description, `Role: ${roles.join(' or ')}.`].filter(Boolean).join(' ');
      operation.responses = { ...operation.responses, default: PROBLEM };
    }
  }
  return document;
}
