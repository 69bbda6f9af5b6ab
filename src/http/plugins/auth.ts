import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Caller, findCaller } from '../../auth/key-store.js';
import { mayActAs } from '../../auth/roles.js';
import type { Person } from '../../awards/agent-limits.js';
import type { Deps } from '../../deps.js';
import { AppError, assert } from '../../errors.js';
import type { AccessOf } from './look-up-roles.js';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller | null;
  }
}

/** Checks the API key of every request before its body is read. Whatever the table of roles does not know is closed. */
export function requireRoles(app: FastifyInstance, deps: Deps, accessOf: AccessOf): void {
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const needed = accessOf(request.method, request.routeOptions.url ?? '');
    if (needed === 'public') return;
    request.caller = await authenticate(deps, request);
    if (needed === undefined || !mayActAs(request.caller.role, needed)) {
      request.log.warn(
        { key: request.caller.keyId, role: request.caller.role, needed, route: request.routeOptions.url },
        'forbidden',
      );
      const roles = [needed ?? []].flat().join(' or ');
      throw new AppError('forbidden', `This needs a key of role ${roles}; yours has role ${request.caller.role}.`);
    }
  });
}

async function authenticate(deps: Deps, request: FastifyRequest): Promise<Caller> {
  const [, key] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (key === undefined)
    throw new AppError('unauthenticated', 'Send your API key in a header: Authorization: Bearer KEY');
  const caller = await findCaller(deps.db, key);
  if (!caller) throw new AppError('unauthenticated', 'This API key is not known, or was revoked.');
  return caller;
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
