import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { openProviders } from '../../src/awards/providers/open-providers.js';
import type { ProviderName } from '../../src/awards/providers/provider.js';
import type { AwardKind } from '../../src/compensation/award.js';
import { caseEvent } from '../../src/events/event.js';
import { recordEvents } from '../../src/events/event-store.js';
import { sweep } from '../../src/promises/sweep.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type EventReceiver, startEventReceiver } from '../support/event-receiver.js';
import { eventually } from '../support/eventually.js';
import { clientOf, orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { type Program, startProgram } from '../support/program.js';
import { startProviderServer, WEBHOOK_SECRET } from '../support/provider-server.js';
import { issueTicket, runByHand, ticketsOf, workByHand } from '../support/tickets.js';

const STAGE = 'deliver-events';
const HOUR_MS = 3_600_000;
const ALLOW_PRIVATE = { OUTBOUND_PRIVATE_ADDRESSES: 'allow' };

let database: TestDatabase;
let receiver: EventReceiver;
let makegood: TestMakegood;
beforeAll(async () => {
  database = await createTestDatabase();
  receiver = await startEventReceiver();
  makegood = await startMakegood({
    databaseUrl: database.url,
    now: '2026-11-16T12:00:00Z',
    workers: [],
    environment: ALLOW_PRIVATE,
  });
});
afterAll(async () => {
  await makegood.stop();
  await receiver.stop();
  await database.drop();
});

interface Listener {
  readonly id: string;
  readonly path: string;
  readonly secret: string;
}
const listeners: Listener[] = [];
afterEach(async () => {
  for (const { id } of listeners.splice(0)) await makegood.request('DELETE', `/v1/event-endpoints/${id}`);
  await database.query(`DELETE FROM outbox WHERE stage = '${STAGE}'`);
  makegood.clock.set(new Date('2026-11-16T12:00:00Z'));
});

let names = 0;
/** A system of the shop's that listens at a path of its own. */
async function listen(settings: Record<string, unknown> = {}): Promise<Listener> {
  const path = `/events-${++names}`;
  const answer = await makegood.request('POST', '/v1/event-endpoints', { url: `${receiver.url}${path}`, ...settings });
  expect(answer.status).toBe(201);
  const one = { id: answer.body.id, path, secret: answer.body.secret };
  listeners.push(one);
  return one;
}
/** So many things that happen. */
async function tell(count = 1): Promise<string[]> {
  const at = makegood.clock.read(new Date());
  const cases = Array.from({ length: count }, () => `told-${++names}`);
  await makegood.deps.db.transaction((sql) =>
    recordEvents(
      sql,
      cases.map((name) =>
        caseEvent({ taskId: name, orderId: name, customerId: 'c-1', incident: 'damaged', rule: 'r', at, dueAt: at }),
      ),
    ),
  );
  return cases;
}
/** Runs what waits now once, as the relay would have it run. */
async function work(): Promise<void> {
  for (const ticket of await ticketsOf(database, STAGE)) await runByHand(makegood.deps, ticket);
}
const pass = (ms: number) => makegood.clock.set(new Date(makegood.clock.read(new Date()).getTime() + ms));
/** Until the next try may be made: looked at every so often instead, the tries come late, and the last one too late. */
async function passUntilDue({ id }: Listener): Promise<void> {
  const [due] = await database.query<{ at: Date | null }>(
    `SELECT min(greatest(d.next_at, e.paused_until)) AS at FROM event_deliveries d JOIN event_endpoints e ON e.id = d.endpoint_id
     WHERE e.id = $1 AND d.status = 'pending'`,
    [id],
  );
  if (due?.at) makegood.clock.set(new Date(due.at.getTime() + 1));
}
const deliveriesTo = (endpoint: Listener) =>
  database.query<{
    status: string;
    attempts: number;
    last_status: number | null;
    last_error: string | null;
    event_id: string;
  }>(
    'SELECT status, attempts, last_status, last_error, event_id FROM event_deliveries WHERE endpoint_id = $1 ORDER BY created_at, id',
    [endpoint.id],
  );
const bodiesAt = ({ path }: Listener) => receiver.at(path).map(({ body }) => JSON.parse(body));
const alarmsOf = (subject: string) =>
  database.query(
    'SELECT kind, cleared_at IS NOT NULL AS cleared FROM alarms WHERE subject = $1 ORDER BY raised_at, kind',
    [subject],
  );
const shown = async ({ id }: Listener) => (await makegood.request('GET', `/v1/event-endpoints/${id}`)).body;

describe(STAGE, () => {
  test('what happened is delivered with a signature that verifies, and the ticket is gone', async () => {
    const endpoint = await listen();
    const [order] = await tell();
    const [ticket] = await ticketsOf(database, STAGE);
    expect(ticket).toMatchObject({ ids: [expect.any(String)], trigger: 'event', attempts: 0 });
    await work();
    const [one] = receiver.at(endpoint.path);
    expect(new Webhook(endpoint.secret).verify(one?.body ?? '', one?.headers ?? {})).toEqual({
      type: 'case.opened',
      timestamp: expect.stringMatching(/^2026-11-16T12:00:\d\d\.\d{3}Z$/),
      data: expect.objectContaining({ orderId: order }),
    });
    const [delivery] = await deliveriesTo(endpoint);
    expect(delivery).toEqual({
      status: 'delivered',
      attempts: 1,
      last_status: 204,
      last_error: null,
      event_id: one?.headers['webhook-id'],
    });
    expect(await ticketsOf(database, STAGE)).toEqual([]);
    expect(await shown(endpoint)).toMatchObject({ pending: 0, failed: 0, lastDeliveredAt: expect.any(String) });
  });

  test('run twice it is as once, also by two workers at the same time', async () => {
    const endpoint = await listen();
    await tell(3);
    const [ticket] = await ticketsOf(database, STAGE);
    const ids = ticket?.ids ?? [];
    const again = await issueTicket(makegood.deps, STAGE, ids);
    await Promise.all([work(), runByHand(makegood.deps, { id: again, stage: STAGE })]);
    const once = await issueTicket(makegood.deps, STAGE, ids);
    await runByHand(makegood.deps, { id: once, stage: STAGE });
    expect(receiver.at(endpoint.path)).toHaveLength(3);
    expect((await deliveriesTo(endpoint)).map(({ status, attempts }) => [status, attempts])).toEqual(
      Array(3).fill(['delivered', 1]),
    );
  });

  test('each endpoint gets the types that it wants, and one that is disabled none', async () => {
    const [everything, cases, awards, off] = [
      await listen(),
      await listen({ types: ['case.opened', 'promise.broken'] }),
      await listen({ types: ['award.applied'] }),
      await listen(),
    ];
    await makegood.request('PATCH', `/v1/event-endpoints/${off.id}`, { enabled: false });
    await tell();
    await work();
    expect([everything, cases, awards, off].map(({ path }) => receiver.at(path).length)).toEqual([1, 1, 0, 0]);
    expect(await deliveriesTo(off)).toEqual([]);
  });

  test('one whose ticket was lost is found by the sweep, and delivered', async () => {
    const endpoint = await listen();
    await tell();
    await database.query('DELETE FROM outbox');
    const { forgotten } = await sweep(makegood.deps);
    expect(forgotten.deliveries).toBe(1);
    expect((await sweep(makegood.deps)).forgotten.deliveries).toBe(0);
    await work();
    expect(receiver.at(endpoint.path)).toHaveLength(1);
  });
});

describe('a receiver that fails', () => {
  test('is asked again after five seconds, five minutes, half an hour …, under the same id', async () => {
    const endpoint = await listen();
    receiver.next(endpoint.path, { say: 500 }, 'close', { say: 404 });
    await tell();
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'pending', attempts: 1, last_status: 500 }]);
    const [retry] = await ticketsOf(database, STAGE);
    expect(retry).toMatchObject({ attempts: 1, error: 'answered 500' });
    // Not yet due: nothing is sent, and nothing is counted.
    pass(3_000);
    await work();
    expect(receiver.at(endpoint.path)).toHaveLength(1);
    pass(3_500);
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([
      { attempts: 2, last_status: null, last_error: 'no answer: ECONNRESET' },
    ]);
    pass(239_000);
    await work();
    expect(receiver.at(endpoint.path)).toHaveLength(2);
    pass(122_000);
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([{ attempts: 3, last_status: 404 }]);
    pass(37 * 60_000);
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'delivered', attempts: 4, last_error: null }]);
    const ids = receiver.at(endpoint.path).map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(4);
    expect(new Set(ids).size).toBe(1);
    expect(new Set(receiver.at(endpoint.path).map(({ body }) => body)).size).toBe(1);
  });

  test('has its Retry-After respected, and the ticket waits as long', async () => {
    const endpoint = await listen();
    receiver.next(endpoint.path, { say: 503, headers: { 'retry-after': '600' } });
    await tell();
    await work();
    const [row] = await database.query<{ wait: string }>(
      `SELECT extract(epoch FROM relay_after - now())::int AS wait FROM outbox WHERE stage = '${STAGE}'`,
    );
    expect(Number(row?.wait)).toBeGreaterThan(590);
    expect(Number(row?.wait)).toBeLessThanOrEqual(601);
    pass(590_000);
    await work();
    expect(receiver.at(endpoint.path)).toHaveLength(1);
    pass(11_000);
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  test('for three days: the delivery has failed after eleven tries, an alarm says so, and a replay is heard and clears it', async () => {
    const endpoint = await listen();
    receiver.always(endpoint.path, { say: 500 });
    await tell();
    const begun = makegood.clock.read(new Date()).getTime();
    for (let turn = 0; turn < 30 && (await deliveriesTo(endpoint))[0]?.status === 'pending'; turn++) {
      await work();
      await passUntilDue(endpoint);
    }
    const hours = (makegood.clock.read(new Date()).getTime() - begun) / HOUR_MS;
    expect(hours).toBeGreaterThan(72);
    expect(hours).toBeLessThan(75);
    expect(await deliveriesTo(endpoint)).toMatchObject([
      { status: 'failed', attempts: 11, last_error: 'answered 500' },
    ]);
    expect(receiver.at(endpoint.path)).toHaveLength(11);
    expect(await ticketsOf(database, STAGE)).toEqual([]);
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: false }]);
    expect(await shown(endpoint)).toMatchObject({ failed: 1, pending: 0 });

    receiver.always(endpoint.path, null);
    pass(HOUR_MS);
    await makegood.request('POST', `/v1/event-endpoints/${endpoint.id}/replay`, { since: '2026-11-16T00:00:00Z' });
    await work();
    expect((await deliveriesTo(endpoint)).map(({ status }) => status)).not.toContain('failed');
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: true }]);
  });

  test('given up once and well since: the alarm stays until what was given up has come through', async () => {
    const endpoint = await listen();
    receiver.always(endpoint.path, { say: 500 });
    await tell();
    for (let turn = 0; turn < 30 && (await deliveriesTo(endpoint))[0]?.status === 'pending'; turn++) {
      await work();
      await passUntilDue(endpoint);
    }
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: false }]);
    receiver.always(endpoint.path, null);
    pass(HOUR_MS);
    await tell(2);
    await work();
    expect((await deliveriesTo(endpoint)).map(({ status }) => status)).toEqual(['failed', 'delivered', 'delivered']);
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: false }]);
    // Sent again it is under way, which is not there yet.
    const replay = { since: '2026-11-16T00:00:00Z' };
    await makegood.request('POST', `/v1/event-endpoints/${endpoint.id}/replay`, replay);
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: false }]);
    await work();
    const again = await deliveriesTo(endpoint);
    expect(new Set(again.map(({ status }) => status))).toEqual(new Set(['delivered']));
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: true }]);
  });

  test('enabled again it is tried as often as at first, and its alarms are over', async () => {
    const endpoint = await listen();
    receiver.always(endpoint.path, { say: 500 });
    await tell();
    for (let turn = 0; turn < 9; turn++) {
      await work();
      await passUntilDue(endpoint);
    }
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'pending', attempts: 9 }]);
    const enable = () => makegood.request('PATCH', `/v1/event-endpoints/${endpoint.id}`, { enabled: true });
    await enable();
    const begun = makegood.clock.read(new Date()).getTime();
    await work();
    await passUntilDue(endpoint);
    expect(makegood.clock.read(new Date()).getTime() - begun).toBeLessThan(10_000);
    for (let turn = 0; turn < 30 && (await deliveriesTo(endpoint))[0]?.status === 'pending'; turn++) {
      await work();
      await passUntilDue(endpoint);
    }
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'failed', attempts: 9 + 11 }]);
    await enable();
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_delivery', cleared: true }]);
  });

  test('one that is slow and answers loses nothing, however long something waits for it', async () => {
    const endpoint = await listen();
    await tell();
    pass(80 * HOUR_MS);
    const rests = new Date(makegood.clock.read(new Date()).getTime() + 60_000);
    await database.query('UPDATE event_endpoints SET paused_until = $2 WHERE id = $1', [endpoint.id, rests]);
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'pending', attempts: 0 }]);
    await passUntilDue(endpoint);
    await work();
    expect(await deliveriesTo(endpoint)).toMatchObject([{ status: 'delivered', attempts: 1 }]);
    expect(await alarmsOf(endpoint.id)).toEqual([]);
  });

  test('again and again is left alone for a while, and what waits for it is not tried meanwhile', async () => {
    const endpoint = await listen();
    receiver.always(endpoint.path, { say: 500 });
    await tell(20);
    await work();
    const tried = receiver.at(endpoint.path).length;
    expect(tried).toBeGreaterThanOrEqual(5);
    expect(tried).toBeLessThanOrEqual(7);
    expect((await shown(endpoint)).pausedUntil).not.toBeNull();
    await work();
    expect(receiver.at(endpoint.path)).toHaveLength(tried);
    receiver.always(endpoint.path, null);
    pass(11 * 60_000);
    await work();
    expect((await deliveriesTo(endpoint)).map(({ status }) => status)).toEqual(Array(20).fill('delivered'));
    expect(await shown(endpoint)).toMatchObject({ pausedUntil: null, pending: 0 });
  });

  test('410 three times in a row: disabled, with an alarm and a line in the audit; enabled again it gets what waited', async () => {
    const endpoint = await listen();
    receiver.always(endpoint.path, { say: 410 });
    await tell(2);
    await work();
    expect(await shown(endpoint)).toMatchObject({ enabled: true });
    await tell();
    await work();
    expect(await shown(endpoint)).toMatchObject({ enabled: false, pending: 3 });
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_endpoint', cleared: false }]);
    expect(
      await database.query(`SELECT actor, action FROM audit WHERE subject = $1 AND action LIKE '%disable'`, [
        endpoint.id,
      ]),
    ).toEqual([{ actor: 'makegood', action: 'event-endpoint.disable' }]);
    pass(HOUR_MS);
    await work();
    await tell();
    expect(receiver.at(endpoint.path)).toHaveLength(3);
    expect(await ticketsOf(database, STAGE)).toEqual([]);

    receiver.always(endpoint.path, null);
    const answer = await makegood.request('PATCH', `/v1/event-endpoints/${endpoint.id}`, { enabled: true });
    expect(answer.body).toMatchObject({ enabled: true });
    await work();
    expect((await deliveriesTo(endpoint)).map(({ status }) => status)).toEqual(Array(3).fill('delivered'));
    expect(await alarmsOf(endpoint.id)).toEqual([{ kind: 'event_endpoint', cleared: true }]);
  });

  test('410 that is not in a row disables nothing', async () => {
    const endpoint = await listen();
    for (const say of [410, 410, 204, 410, 410]) {
      receiver.next(endpoint.path, { say });
      await tell();
      await work();
    }
    expect(receiver.at(endpoint.path)).toHaveLength(5);
    expect(await shown(endpoint)).toMatchObject({ enabled: true });
    expect(await alarmsOf(endpoint.id)).toEqual([]);
  });

  test('one that never answers holds nobody up: the other has its event long before', async () => {
    const [slow, quick] = [await listen(), await listen()];
    receiver.always(slow.path, 'hang');
    await tell(3);
    const working = work();
    await eventually(async () => (await deliveriesTo(quick)).every(({ status }) => status === 'delivered'), 5_000);
    expect((await deliveriesTo(slow)).map(({ status }) => status)).toEqual(Array(3).fill('pending'));
    await working;
    // Two were under way; the third waits until the endpoint has rested.
    expect(receiver.at(slow.path)).toHaveLength(2);
    expect((await deliveriesTo(slow)).map(({ last_error }) => last_error)).toEqual([
      'no answer in time',
      'no answer in time',
      null,
    ]);
    expect((await shown(slow)).pausedUntil).not.toBeNull();
  });
});

describe('private addresses', () => {
  test('by default nothing is sent to one, by whatever name, and it counts as a try that failed', async () => {
    const names = await Promise.all([listen(), listen()]);
    await database.query(`UPDATE event_endpoints SET url = replace(url, '127.0.0.1', 'localhost') WHERE id = $1`, [
      names[1]?.id,
    ]);
    await tell();
    const { deps } = makegood;
    const strict = { ...deps, config: { ...deps.config, allowsPrivateAddresses: false } };
    for (const ticket of await ticketsOf(database, STAGE)) await runByHand(strict, ticket);
    for (const endpoint of names) {
      expect(receiver.at(endpoint.path)).toEqual([]);
      expect(await deliveriesTo(endpoint)).toMatchObject([
        { status: 'pending', attempts: 1, last_status: null, last_error: expect.stringContaining('private') },
      ]);
    }
  });
});

describe('secrets', () => {
  test('after a rotation both sign until the old one ends, and then the new one alone', async () => {
    const endpoint = await listen();
    const { body } = await makegood.request('POST', `/v1/event-endpoints/${endpoint.id}/rotate-secret`, {
      overlapHours: 2,
    });
    const verified = async () => {
      await tell();
      await work();
      const one = receiver.at(endpoint.path).at(-1);
      return [endpoint.secret, body.secret].map((secret) => {
        try {
          return new Webhook(secret).verify(one?.body ?? '', one?.headers ?? {}) !== null;
        } catch {
          return false;
        }
      });
    };
    expect(await verified()).toEqual([true, true]);
    expect(await shown(endpoint)).toMatchObject({ secrets: 2 });
    pass(2 * HOUR_MS + 1_000);
    expect(await verified()).toEqual([false, true]);
    expect(await shown(endpoint)).toMatchObject({ secrets: 1 });
  });
});

describe('replay', () => {
  test('from a cursor: what came behind it, under the same ids, and nothing else', async () => {
    const endpoint = await listen();
    await tell(2);
    await work();
    const { items } = (await makegood.request('GET', '/v1/events?limit=200')).body;
    const last = items.at(-1).seq;
    await tell(3);
    await work();
    const before = receiver.at(endpoint.path).map(({ headers }) => headers['webhook-id']);
    expect(before).toHaveLength(5);
    const answer = await makegood.request('POST', `/v1/event-endpoints/${endpoint.id}/replay`, { after: last });
    expect(answer).toMatchObject({ status: 202, body: { replayed: 3, continueAfter: null } });
    await work();
    const again = receiver.at(endpoint.path).slice(5);
    expect(again.map(({ headers }) => headers['webhook-id']).sort()).toEqual(before.slice(2).sort());
  });

  test('a new system is told what happened before it was there; what waits already is not doubled', async () => {
    const start = (await makegood.request('GET', '/v1/events?limit=200')).body.items.at(-1)?.seq ?? 0;
    await tell(2);
    const endpoint = await listen();
    const replay = () => makegood.request('POST', `/v1/event-endpoints/${endpoint.id}/replay`, { after: start });
    expect((await replay()).body.replayed).toBe(2);
    expect((await replay()).body.replayed).toBe(0);
    await work();
    expect(receiver.at(endpoint.path)).toHaveLength(2);
  });
});

describe('removed', () => {
  test('an endpoint that is removed gets nothing more: what waits ends, also what was being written meanwhile', async () => {
    const endpoint = await listen();
    await tell(2);
    // One that a transaction wrote which did not see the removal.
    const late = await database.query<{ id: string }>('SELECT id FROM event_deliveries WHERE endpoint_id = $1', [
      endpoint.id,
    ]);
    await makegood.request('DELETE', `/v1/event-endpoints/${endpoint.id}`);
    expect((await deliveriesTo(endpoint)).map(({ status }) => status)).toEqual(['failed', 'failed']);
    await database.query(`UPDATE event_deliveries SET status = 'pending' WHERE id = $1`, [late[0]?.id]);
    await work();
    expect(receiver.at(endpoint.path)).toEqual([]);
    expect(await deliveriesTo(endpoint)).toMatchObject([
      { status: 'failed', attempts: 0, last_error: 'the endpoint was removed' },
      { status: 'failed', attempts: 0 },
    ]);
    expect(await database.query('SELECT 1 FROM event_secrets WHERE endpoint_id = $1', [endpoint.id])).toEqual([]);
  });
});

describe('the main line', () => {
  const typesAt = (endpoint: Listener) => bodiesAt(endpoint).map(({ type }) => type);
  async function runAll(): Promise<void> {
    await workByHand(makegood.deps, database, STAGE);
  }

  test('late, given, told, taken back: each event once, however often the scans come', async () => {
    const endpoint = await listen();
    const scans = [['delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z']] as const;
    await makegood.put('o-main', orderDocument({ customerId: 'c-main', trackingNumber: 'MAIN1' }));
    for (let turn = 0; turn < 3; turn++) {
      await makegood.webhook(trackerEvent('MAIN1', scans));
      await runAll();
    }
    await makegood.request('POST', '/v1/orders/o-main/recheck');
    await runAll();
    expect(typesAt(endpoint).sort()).toEqual(['award.applied', 'message.sent', 'promise.broken']);
    const { awards, messages } = await makegood.order('o-main');
    const dataOf = (type: string) => bodiesAt(endpoint).find((body) => body.type === type)?.data;
    expect(dataOf('promise.broken')).toEqual({
      orderId: 'o-main',
      customerId: 'c-main',
      verdict: 'late',
      promisedUntil: '2026-11-06T05:00:00.000Z',
      metAt: '2026-11-07T15:00:00.000Z',
      lateMinutes: 2_040,
      lateDays: 2,
      fault: 'carrier',
      mode: 'active',
    });
    expect(dataOf('award.applied')).toEqual({
      awardId: awards[0]?.id,
      orderId: 'o-main',
      customerId: 'c-main',
      incident: 'late',
      kind: 'membership_extension',
      months: 1,
      provider: 'ledger',
      expiresAt: null,
    });
    expect(dataOf('message.sent')).toEqual({
      letterId: messages[0]?.id,
      orderId: 'o-main',
      customerId: 'c-main',
      template: 'late-delivered',
      messageId: messages[0]?.messageId,
      awardIds: [awards[0]?.id],
      sentAt: messages[0]?.sentAt,
    });
    expect(JSON.stringify(bodiesAt(endpoint))).not.toMatch(/Ann Lee|c-main@example/);

    await makegood.request('POST', `/v1/awards/${awards[0]?.id}/reverse`, { reason: 'given by mistake' });
    await runAll();
    // The customer is told too that it was taken back.
    expect(typesAt(endpoint).slice(3).sort()).toEqual(['award.reversed', 'message.sent']);
    expect((await makegood.order('o-main')).messages.map(({ template }) => template)).toEqual([
      'late-delivered',
      'correction',
    ]);
    expect(dataOf('award.reversed')).toMatchObject({
      awardId: awards[0]?.id,
      takenBack: { unit: 'membership_months', amount: 1, kept: 0 },
    });
  });

  test('what a provider outside carries out is told when it has answered, not before', async () => {
    const endpoint = await listen({ types: ['award.applied'] });
    const shop = await startProviderServer();
    try {
      const awardWebhook = { url: `${shop.url}/awards`, secrets: [WEBHOOK_SECRET] };
      const deps = {
        ...makegood.deps,
        config: {
          ...makegood.deps.config,
          remedyProviders: new Map<AwardKind, ProviderName>([['membership_extension', 'webhook']]),
        },
        providers: await openProviders({ awardWebhook, stripe: null, shopify: null }),
      };
      await makegood.put('o-outside', orderDocument({ customerId: 'c-outside', trackingNumber: 'OUTSIDE1' }));
      const scan = ['delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z'] as const;
      await makegood.webhook(trackerEvent('OUTSIDE1', [scan]));
      await workByHand(deps, database, 'grant-awards');
      expect(
        await database.query(`SELECT 1 FROM events WHERE order_id = 'o-outside' AND type = 'award.applied'`),
      ).toEqual([]);
      await workByHand(deps, database, STAGE);
      expect(bodiesAt(endpoint)).toMatchObject([
        { type: 'award.applied', data: { orderId: 'o-outside', provider: 'webhook', months: 1 } },
      ]);
    } finally {
      await shop.stop();
    }
  });

  test('a case is told when it opens, not when the customer calls again, and again when it opens again', async () => {
    const endpoint = await listen({ types: ['case.opened'] });
    await makegood.put('o-case', orderDocument({ customerId: 'c-case', trackingNumber: 'CASE1' }));
    const complain = async () => {
      const contact = { orderId: 'o-case', channel: 'phone', reason: 'damaged' };
      const answer = await makegood.request('POST', '/v1/contacts', contact);
      expect(answer.status).toBe(201);
      await runAll();
      return answer.body.taskId;
    };
    const task = await complain();
    expect(await complain()).toBe(task);
    expect(bodiesAt(endpoint)).toMatchObject([
      {
        type: 'case.opened',
        data: { taskId: task, orderId: 'o-case', customerId: 'c-case', incident: 'damaged', rule: 'contact-damaged' },
      },
    ]);
    await makegood.request('POST', `/v1/tasks/${task}/complete`, { outcome: 'resolved' });
    pass(HOUR_MS);
    expect(await complain()).toBe(task);
    expect(bodiesAt(endpoint)).toHaveLength(2);
  });

  test('overdue is told when it is an incident, and lost as another; an order registered long after is not told of', async () => {
    const endpoint = await listen({ types: ['promise.broken'] });
    const promise = { on: '2026-11-15', timeZone: 'America/New_York' };
    await makegood.put('o-due', orderDocument({ customerId: 'c-due', trackingNumber: 'DUE1', promise }));
    const old = { on: '2026-08-05', timeZone: 'America/New_York' };
    const document = orderDocument({
      customerId: 'c-old',
      trackingNumber: 'OLD1',
      promise: old,
      placedAt: '2026-08-01T00:00:00Z',
    });
    await makegood.put('o-old', document);
    // As an import registers it.
    await database.query(`UPDATE orders SET backfill = true WHERE id = 'o-old'`);
    await makegood.webhook(trackerEvent('OLD1', [['delivered', 'arrived_at_destination', '2026-08-09T15:00:00Z']]));
    await makegood.webhook(trackerEvent('DUE1', [['in_transit', 'departed_facility', '2026-11-16T11:00:00Z']]));
    await runAll();
    const told = [];
    for (let day = 0; day < 20; day++) {
      pass(24 * HOUR_MS);
      await makegood.request('POST', '/v1/orders/o-due/recheck');
      await makegood.request('POST', '/v1/orders/o-old/recheck');
      await runAll();
      told.push(bodiesAt(endpoint).length);
    }
    expect((await makegood.order('o-old')).verdict).toMatchObject({ verdict: 'late', mode: 'backfill' });
    expect(bodiesAt(endpoint).map(({ data }) => [data.orderId, data.verdict])).toEqual([
      ['o-due', 'overdue'],
      ['o-due', 'lost'],
    ]);
    expect(told).toEqual([...told].sort((one, other) => one - other));
  });
});

describe.each(BACKENDS)('with workers, BullMQ on $backend', ({ start }) => {
  test('a listener hears of a late parcel without anybody doing anything by hand', async () => {
    const own = await createTestDatabase();
    const queue = await start();
    const running = await startMakegood({
      databaseUrl: own.url,
      now: '2026-11-16T12:00:00Z',
      environment: ALLOW_PRIVATE,
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
    try {
      const path = `/live-${++names}`;
      await running.request('POST', '/v1/event-endpoints', { url: `${receiver.url}${path}` });
      await running.put('o-live', orderDocument({ customerId: 'c-live', trackingNumber: 'LIVE1' }));
      await running.webhook(trackerEvent('LIVE1', [['delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z']]));
      await eventually(() => receiver.at(path).length >= 3, 20_000);
      await running.quiet();
      const types = receiver.at(path).map(({ body }) => JSON.parse(body).type);
      expect(types.sort()).toEqual(['award.applied', 'message.sent', 'promise.broken']);
    } finally {
      await running.stop();
      await queue.stop();
      await own.drop();
    }
  });
});

describe('killed between its steps', () => {
  /** How often the receiver heard of it until the end: at least once, and under one id. */
  test.each([
    ['claimed', { heard: 1, attempts: 1 }],
    ['claimed-delivery', { heard: 1, attempts: 2 }],
    ['answered', { heard: 2, attempts: 2 }],
    ['recorded', { heard: 1, attempts: 1 }],
    ['before-commit', { heard: 1, attempts: 1 }],
    ['after-commit', { heard: 1, attempts: 1 }],
    ['announced', { heard: 1, attempts: 1 }],
  ])('%s: delivered all the same, and once where nothing was in doubt', async (step, { heard, attempts }) => {
    const own = await createTestDatabase();
    const environment = { DATABASE_URL: own.url, ...ALLOW_PRIVATE };
    const path = `/killed-${step}`;
    const programs: Program[] = [];
    let after: TestMakegood | null = null;
    try {
      const first = await startProgram({ ...environment, MAKEGOOD_FAILPOINT: `${STAGE}:${step}` });
      programs.push(first);
      const client = clientOf(first.url);
      const { body } = await client.request('POST', '/v1/event-endpoints', { url: `${receiver.url}${path}` });
      await client.request('POST', `/v1/event-endpoints/${body.id}/test`).catch(() => null);
      expect((await first.ended).signal).toBe('SIGKILL');

      after = await startMakegood({ databaseUrl: own.url, workers: [], environment: ALLOW_PRIVATE });
      // What was under way when the process died may be tried again when its time is over.
      for (const ahead of [0, 31_000]) {
        after.clock.set(new Date(Date.now() + ahead));
        for (const ticket of await ticketsOf(own, STAGE)) await runByHand(after.deps, ticket);
      }
      expect(await own.query('SELECT status, attempts FROM event_deliveries')).toEqual([
        { status: 'delivered', attempts },
      ]);
      const received = receiver.at(path);
      expect(received).toHaveLength(heard);
      expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(await ticketsOf(own, STAGE)).toEqual([]);
    } catch (error) {
      const outputs = programs.map((program) => program.output()).join('\n---\n');
      throw new Error(`${(error as Error).message}\n${outputs}`, { cause: error });
    } finally {
      for (const program of programs) program.kill('SIGKILL');
      await after?.stop();
      await own.drop();
    }
  });
});
