import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Sql } from '../../db/database.js';
import type { Deps } from '../../deps.js';
import { AppError, assert, ERROR_CODES, type ErrorCode, type FieldError } from '../../errors.js';
import { type AnsweredRequest, claimKey, findAnswer, type RequestKey, saveAnswer } from './idempotency-store.js';

/** What a route does once: the body of its answer, and the tickets that were written with it. */
export interface Done<T> {
  readonly body: T;
  /** What is kept in its place, where the answer has something in it that is shown once and stored nowhere. */
  readonly kept?: T;
  readonly tickets: Parameters<Deps['queues']['announce']>[0];
}

/**
 * Does the work of a request in one transaction, once for each `Idempotency-Key`: the same request again gets the same answer,
 * with the header `idempotent-replayed: true`; another request with the key gets 409. Of two at once one does the work, and
 * the other waits for its answer. The answer is stored in the transaction of the work, so that a crash leaves both or
 * neither; what was refused (below 500) is stored too. Without the header it is done each time.
 * @param status of the answer when it is done
 */
export async function doOnce<T extends object>(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { status, work }: { status: number; work: (sql: Sql) => Promise<Done<T>> },
): Promise<T> {
  const key = keyOf(request);
  const requestHash = hashOf(request);
  const result = await refusalsKept(deps, key, requestHash, () =>
    deps.db.transaction(async (sql) => {
      const earlier = key && (await claimKey(sql, key, requestHash));
      if (earlier) return { earlier, done: null };
      const done = await work(sql);
      if (key) await saveAnswer(sql, key, { requestHash, status, answer: done.kept ?? done.body });
      return { earlier: null, done };
    }),
  );
  if (result.earlier) return replay<T>(result.earlier, requestHash, reply);
  await deps.queues.announce(result.done.tickets);
  reply.code(status);
  return result.done.body;
}

/**
 * The same for work that has a transaction of its own, and by itself does one thing once for one name. `name` is the key of
 * the request, or null without one.
 */
export async function doOnceByName<T extends object>(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { status, work }: { status: number; work: (name: string | null) => Promise<T> },
): Promise<T> {
  const key = keyOf(request);
  const requestHash = hashOf(request);
  const earlier = key && (await findAnswer(deps.db.pool, key));
  if (earlier) return replay<T>(earlier, requestHash, reply);
  const body = await refusalsKept(deps, key, requestHash, () => work(key && `${key.apiKeyId} ${key.key}`));
  if (key) await deps.db.transaction((sql) => saveAnswer(sql, key, { requestHash, status, answer: body }));
  reply.code(status);
  return body;
}

function keyOf(request: FastifyRequest): RequestKey | null {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return null;
  if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) {
    throw new AppError('invalid_request', 'An Idempotency-Key has 1 to 255 visible ASCII characters.', {
      errors: [{ field: 'idempotency-key', message: 'must have 1 to 255 visible ASCII characters' }],
    });
  }
  assert(request.caller !== null, 'a route that does something once knows its caller');
  return { apiKeyId: request.caller.keyId, key: header };
}

/** Of the body as it was understood: spaces and the order of its fields make no other request. */
function hashOf({ method, url, body }: FastifyRequest): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest();
}

/** What was refused is refused again the same way. A conflict of keys, and what was not even looked at, is not kept. */
async function refusalsKept<T>(deps: Deps, key: RequestKey | null, requestHash: Buffer, work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    if (key && error instanceof AppError && isKept(error.code)) {
      const { code, message, errors } = error;
      const answer = { problem: { code, message, errors } };
      const status = ERROR_CODES[code].status;
      await deps.db.transaction((sql) => saveAnswer(sql, key, { requestHash, status, answer }));
    }
    throw error;
  }
}

const isKept = (code: ErrorCode): boolean =>
  ERROR_CODES[code].status < 500 && code !== 'idempotency_conflict' && code !== 'unauthenticated';

function replay<T>({ requestHash, status, answer }: AnsweredRequest, ours: Buffer, reply: FastifyReply): T {
  if (!ours.equals(requestHash))
    throw new AppError('idempotency_conflict', 'This Idempotency-Key came with another request before: use a new one.');
  if (status === 0)
    throw new AppError('idempotency_conflict', 'The request with this Idempotency-Key is still under way: try again.');
  reply.header('idempotent-replayed', 'true');
  if (status >= 400) {
    const { code, message, errors } = (
      answer as { problem: { code: ErrorCode; message: string; errors: readonly FieldError[] } }
    ).problem;
    throw new AppError(code, message, { errors });
  }
  reply.code(status);
  return answer as T;
}
