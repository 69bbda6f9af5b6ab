import { ERROR_CODES } from '../errors.js';
import type { AccessOf } from './plugins/look-up-roles.js';

const PROBLEM_CONTENT = {
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
          code: { type: 'string', enum: Object.keys(ERROR_CODES) },
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

/** An error, as every route answers it (RFC 9457). */
const PROBLEM = {
  description:
    'A problem document: `code` is for programs, `detail` for people, `errors` names the fields that are wrong.',
  ...PROBLEM_CONTENT,
};

const UNAUTHENTICATED = { description: 'The API key is missing, wrong or revoked.', ...PROBLEM_CONTENT };
const FORBIDDEN = {
  description: 'The role of the API key is not enough. It is noted in the audit.',
  ...PROBLEM_CONTENT,
};

const seconds = (description: string) => ({ description, schema: { type: 'integer' } });
const RATE_LIMITED = {
  description: 'Too many requests in a minute: with this key, or from this address. Others do not notice.',
  headers: {
    'retry-after': seconds('After so many seconds it is worth trying again'),
    'ratelimit-limit': seconds(
      'How many a minute may have; as long as the limit is not reached, each answer says so too',
    ),
    'ratelimit-remaining': seconds('How many are left'),
    'ratelimit-reset': seconds('In so many seconds they are counted anew'),
  },
  ...PROBLEM_CONTENT,
};

/** What makes something takes this header: once for one value. */
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'The same request with the same key is done once, and answered the same each time, with `idempotent-replayed: true`; another request with it: 409. Kept for 30 days.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  example: '0b8f7f0c-6d0e-4b1c-9a8e-3f2f6f1f2a11',
};

interface Operation {
  security?: object[];
  description?: string;
  parameters?: object[];
  responses?: Record<string, object>;
}

/**
 * Turns the description that was generated from the routes into the whole of it: who may use each route, how it fails, and
 * that every POST that makes something (201, or 202 where that takes a while) can be sent twice.
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
      const makes = operation.responses?.['201'] ?? operation.responses?.['202'];
      if (method === 'post' && makes !== undefined)
        operation.parameters = [...(operation.parameters ?? []), IDEMPOTENCY_KEY];
      operation.responses = {
        ...operation.responses,
        ...(isPublic ? {} : { 401: UNAUTHENTICATED, 403: FORBIDDEN }),
        ...(isPublic && method === 'get' ? {} : { 429: RATE_LIMITED }),
        default: PROBLEM,
      };
    }
  }
  return document;
}
