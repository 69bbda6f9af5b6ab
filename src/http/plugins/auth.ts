import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, findCaller } from '../../auth/key-store.js';
import { KnownKeys } from '../../auth/known-keys.js';
import { recordRefusal } from '../../auth/refusal-store.js';
import { mayActAs, type Role } from '../../auth/roles.js';
import type { Person } from '../../awards/agent-limits.js';
import type { Deps } from '../../deps.js';
import { AppError, assert } from '../../errors.js';
import type { AccessOf } from './look-up-roles.js';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/**
 * Asks of every request, before its body is read: who is it (401), do they ask too often (429), may they (403). Whatever the
 * table of roles does not know is closed.
 */
export function requireRoles(app: FastifyInstance, deps: Deps, accessOf: AccessOf): void {
  const knownKeys = new KnownKeys();
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) return;
    const needed = accessOf(request.method, request.routeOptions.url ?? '');
    if (needed === 'public') return;
    request.caller = await authenticate(deps, knownKeys, request, reply);
    await app.rateLimits.ofKey(request, reply);
    if (!mayActAs(request.caller.role, needed ?? [])) {
      const roles = [needed ?? []].flat();
      const message = `This needs a key of role ${roles.join(' or ')}; yours has role ${request.caller.role}.`;
      throw await refuseRole(deps, request, reply, { needed: roles, message });
    }
  });
}

/**
 * Where too many wrong keys came from one address, keys that we do not know are not even looked up there, so that none can be
 * found by trying. Those that were good before are, and go on working.
 */
async function authenticate(
  deps: Deps,
  knownKeys: KnownKeys,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Caller> {
  const { rateLimits } = request.server;
  const [, key] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (key === undefined || !knownKeys.has(key)) await rateLimits.afterWrongKeys(request, reply);
  const caller = key === undefined ? null : await findCaller(deps.db, key);
  if (key !== undefined && caller !== null) {
    knownKeys.add(key);
    return caller;
  }
  if (key !== undefined) knownKeys.forget(key);
  await rateLimits.ofWrongKeys(request, reply);
  throw new AppError(
    'unauthenticated',
    key === undefined
      ? 'Send your API key in a header: Authorization: Bearer KEY'
      : 'This API key is not known, or was revoked.',
  );
}

/**
 * Notes in log and audit that somebody asked for what their role is not for. What they wrote is no part of it: an address may
 * hold an id that is personal.
 * @returns the error to answer with
 * @throws AppError `rate_limited` when one key has been refused so often that the audit would fill up with it
 */
export async function refuseRole(
  deps: Deps,
  request: FastifyRequest,
  reply: FastifyReply,
  { needed, message }: { needed: readonly Role[]; message: string },
): Promise<AppError> {
  const { keyId, role } = personOf(request);
  await request.server.rateLimits.ofRefusals(request, reply);
  const { method } = request;
  const { url: route } = request.routeOptions;
  request.log.warn({ key: keyId, role, needed, method, route }, 'forbidden');
  await recordRefusal(deps.db, deps.clock, {
    actor: actorOf(request),
    keyId,
    details: { role, needed, method, route },
  });
  return new AppError('forbidden', message);
}

/** Who did it, for the audit. */
export function actorOf(request: FastifyRequest): string {
  return request.caller ? `key:${request.caller.name}` : 'public';
}

/** Who asks, as what is decided by hand needs to know: by key, role, and name for the audit. */
export function personOf(request: FastifyRequest): Person {
  const { caller } = request;
  assert(caller !== null, 'a route that is not public knows its caller');
  return { keyId: caller.keyId, role: caller.role, actor: actorOf(request) };
}
