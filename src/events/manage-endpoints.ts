import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import {
  changeEndpoint,
  countEndpoints,
  insertEndpoint,
  lockEndpoint,
  removeEndpoint,
  replayEvents,
  rotateSecret,
  sendTestEvent,
} from './endpoint-store.js';
import { isPrivateUrl } from './private-address.js';

/** More systems of one shop are a mistake of a program; each takes its part of every batch. */
const MOST_ENDPOINTS = 20;
/** Events that one request sends again. More, and it takes longer than anybody wants to wait: the next request goes on. */
export const MOST_REPLAYED = 10_000;
const HOUR_MS = 3_600_000;

type Does = Pick<Deps, 'clock' | 'config'>;

/** What of an endpoint can be set. */
export interface EndpointSettings {
  readonly url: string;
  /** Empty: all. */
  readonly types: readonly string[];
  readonly description: string | null;
}

/** @throws AppError `invalid_request` */
export async function createEndpoint(
  deps: Does,
  sql: Sql,
  settings: EndpointSettings,
  actor: string,
): Promise<{ id: string; url: string; secret: string }> {
  const url = checkUrl(settings.url, deps.config);
  if ((await countEndpoints(sql)) >= MOST_ENDPOINTS)
    throw new AppError('invalid_request', `There are ${MOST_ENDPOINTS} endpoints already, the most there can be.`);
  const now = await readNow(sql, deps.clock);
  const created = await insertEndpoint(sql, { ...settings, url: url.href }, now);
  const details = { host: url.host, types: settings.types };
  await recordAudit(sql, {
    at: now,
    actor,
    action: 'event-endpoint.create',
    subject: created.id,
    reason: null,
    details,
  });
  return { ...created, url: url.href };
}

/** @throws AppError `not_found`, `invalid_request` */
export function changeSettings(
  deps: Does,
  sql: Sql,
  id: string,
  changes: Parameters<typeof changeEndpoint>[2],
  actor: string,
): Promise<void> {
  return withEndpoint(deps, sql, { id, actor, action: 'event-endpoint.change' }, async (now) => {
    const url = changes.url === undefined ? undefined : checkUrl(changes.url, deps.config);
    await changeEndpoint(sql, id, { ...changes, url: url?.href }, now);
    const { types, enabled } = changes;
    return { result: undefined, details: { host: url?.host, types, enabled } };
  });
}

/** @throws AppError `not_found` */
export function endEndpoint(deps: Does, sql: Sql, id: string, actor: string): Promise<void> {
  return withEndpoint(deps, sql, { id, actor, action: 'event-endpoint.remove' }, async (now) => {
    const ended = await removeEndpoint(sql, id, now);
    return { result: undefined, details: { ended } };
  });
}

/**
 * Gives an endpoint a new secret. The old one signs too for some hours, so that its system can be changed meanwhile.
 * @throws AppError `not_found`
 */
export function rotate(
  deps: Does,
  sql: Sql,
  { id, overlapHours }: { id: string; overlapHours: number },
  actor: string,
): Promise<{ secret: string; oldEndsAt: Date }> {
  return withEndpoint(deps, sql, { id, actor, action: 'event-endpoint.rotate-secret' }, async (now) => {
    const oldEndsAt = new Date(now.getTime() + overlapHours * HOUR_MS);
    const secret = await rotateSecret(sql, id, { endAt: oldEndsAt, now });
    return { result: { secret, oldEndsAt }, details: { overlapHours } };
  });
}

/** @throws AppError `not_found` */
export function replay(
  deps: Does,
  sql: Sql,
  { id, after, since }: { id: string; after: number | null; since: Date | null },
  actor: string,
): Promise<{ replayed: number; continueAfter: number | null }> {
  return withEndpoint(deps, sql, { id, actor, action: 'event-endpoint.replay' }, async (now) => {
    const result = await replayEvents(sql, id, { after, since, limit: MOST_REPLAYED }, now);
    return { result, details: { after, since: since?.toISOString() ?? null, ...result } };
  });
}

/** @returns the id of the event @throws AppError `not_found` */
export function sendTest(deps: Does, sql: Sql, id: string, actor: string): Promise<string> {
  return withEndpoint(deps, sql, { id, actor, action: 'event-endpoint.test' }, async (now) => {
    const event = await sendTestEvent(sql, id, now);
    return { result: event, details: { event } };
  });
}

/** Does something with an endpoint that is held meanwhile, and notes it in the audit. @throws AppError `not_found` */
async function withEndpoint<T>(
  deps: Does,
  sql: Sql,
  { id, actor, action }: { id: string; actor: string; action: string },
  work: (now: Date) => Promise<{ result: T; details: Record<string, unknown> }>,
): Promise<T> {
  if (!(await lockEndpoint(sql, id))) throw noEndpoint();
  const now = await readNow(sql, deps.clock);
  const { result, details } = await work(now);
  await recordAudit(sql, { at: now, actor, action, subject: id, reason: null, details });
  return result;
}

export function noEndpoint(): AppError {
  return new AppError('not_found', 'There is no event endpoint with this id.');
}

/** @throws AppError `invalid_request` for what events are never sent to */
function checkUrl(text: string, { allowsPrivateAddresses }: Deps['config']): URL {
  const refuse = (message: string) =>
    new AppError('invalid_request', `Events cannot go there: the URL ${message}.`, {
      errors: [{ field: 'url', message }],
    });
  if (!URL.canParse(text)) throw refuse('cannot be read');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('must begin with https:// or http://');
  if (url.username !== '' || url.password !== '') throw refuse('must not hold a user or a password');
  if (!allowsPrivateAddresses && isPrivateUrl(url))
    throw refuse('names a private address, which OUTBOUND_PRIVATE_ADDRESSES does not allow');
  url.hash = '';
  return url;
}
