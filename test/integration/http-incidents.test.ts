import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { replayDecision } from '../../src/promises/replay-decision.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { orderDocument, startMakegood, type TestMakegood } from '../support/makegood.js';
import { somebody } from '../support/people.js';
import { putInForce } from '../support/policies.js';
import { expectProblem } from '../support/problem.js';
import { type ProviderServer, startProviderServer, WEBHOOK_SECRET } from '../support/provider-server.js';
import { onlyTicketOf, ticketsOf, workByHand } from '../support/tickets.js';

let database: TestDatabase;
let makegood: TestMakegood;
let provider: ProviderServer;

beforeAll(async () => {
  database = await createTestDatabase();
  provider = await startProviderServer();
  makegood = await startMakegood({
    databaseUrl: database.url,
    now: '2026-11-03T20:00:00Z',
    workers: [],
    environment: {
      REMEDY_PROVIDERS: 'refund=webhook',
      AWARD_WEBHOOK_URL: `${provider.url}/awards`,
      AWARD_WEBHOOK_SECRET: WEBHOOK_SECRET,
    },
  });
});
afterAll(async () => {
  await makegood.stop();
  await provider.stop();
  await database.drop();
});

const work = () => workByHand(makegood.deps, database);
/** A film, rented for the evening of 3 November. */
const film = (id: string, changes: Record<string, unknown> = {}) =>
  makegood.put(id, {
    ...orderDocument({ customerId: `c-${id}`, placedAt: '2026-11-03T18:00:00Z', customer: { membership: null } }),
    promise: { at: '2026-11-03T18:05:00Z', timeZone: 'America/New_York' },
    total: { amountMinor: 399, currency: 'USD' },
    shippingPaid: null,
    digital: true,
    shipments: [],
    ...changes,
  });
const incident = (body: object, headers?: Record<string, string>) =>
  makegood.request('POST', '/v1/incidents', body, headers);
const POOR = {
  kind: 'poor_playback',
  title: 'A Night Out',
  evidence: { rebufferedSeconds: 340, bitrates: [800, 400] },
};

describe('orders of digital goods', () => {
  test('are delivered when they are placed, and never late, however late they are registered', async () => {
    expect((await film('film')).status).toBe(201);
    expect((await film('registered-late', { placedAt: null })).status).toBe(201);
    await work();
    expect(await makegood.order('film')).toMatchObject({
      digital: true,
      shipments: [],
      verdict: { verdict: 'on_time', metAt: '2026-11-03T18:00:00.000Z', declinedBecause: 'kept' },
    });
    expect((await makegood.order('registered-late')).verdict).toMatchObject({
      verdict: 'on_time',
      declinedBecause: 'kept',
    });
    const due = await database.query('SELECT id FROM orders WHERE due_at IS NOT NULL');
    expect(due).toEqual([]);
  });

  test('whether one is digital never changes; what is left out stays', async () => {
    await film('stays');
    await makegood.put('parcel', orderDocument({ customerId: 'c-parcel', trackingNumber: '9400100000000000000091' }));
    await work();
    const before = await readDatabaseState(database);
    expectProblem(await film('stays', { digital: false }), {
      status: 409,
      code: 'promise_changed',
      fields: ['digital'],
    });
    const parcel = orderDocument({ customerId: 'c-parcel', shipments: [], digital: true });
    expectProblem(await makegood.put('parcel', parcel), { status: 409, code: 'promise_changed', fields: ['digital'] });
    const shipments = [{ carrier: 'usps', trackingNumber: '9400100000000000000092' }];
    expectProblem(await film('stays', { digital: undefined, shipments }), {
      status: 400,
      code: 'invalid_request',
      fields: ['shipments'],
    });
    expectProblem(await film('stays', { shipments }), { status: 400, code: 'invalid_request', fields: ['shipments'] });
    expectProblem(await film('stays', { digital: 'yes' }), {
      status: 400,
      code: 'invalid_request',
      fields: ['digital'],
    });
    expect(await readDatabaseState(database)).toEqual(before);
    expect(await film('stays', { digital: undefined })).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
  });
});

describe('POST /v1/incidents', () => {
  test('a poor playback that nobody complained about: the film is refunded, and a letter says so', async () => {
    await film('poor');
    await work();
    const answer = await incident({ orderId: 'poor', ...POOR, at: '2026-11-03T19:00:00Z' });
    expect(answer).toMatchObject({
      status: 201,
      body: { orderId: 'poor', incident: 'service', kind: 'poor_playback', title: 'A Night Out', known: false },
    });
    expect(await onlyTicketOf(database, 'judge-promises')).toMatchObject({ ids: ['poor'], trigger: 'contact' });
    await work();
    const order = await makegood.order('poor');
    expect(order).toMatchObject({
      verdict: { verdict: 'on_time', incident: 'service', declinedBecause: null },
      awards: [
        {
          kind: 'refund',
          amount: { amountMinor: 399, currency: 'USD' },
          status: 'applied',
          incident: 'service',
          rule: 'service-refund',
          provider: 'webhook',
        },
      ],
      messages: [{ template: 'service-refund', status: 'sent', to: 'c-poor@example.com' }],
      reports: [{ id: answer.body.id, ...POOR, at: '2026-11-03T19:00:00.000Z', recordedBy: expect.any(String) }],
    });
    expect(order.explanationForCustomer).toEqual(
      expect.arrayContaining(['We noticed that “A Night Out” was not as good as it should have been.']),
    );
    expect(provider.webhook.paid).toHaveLength(1);
    expect(await database.query(`SELECT kind FROM incidents WHERE order_id = 'poor'`)).toEqual([{ kind: 'service' }]);
    const [row] = await database.query<{ facts: object; inputs: object; policy_version: number }>(
      `SELECT facts, inputs, policy_version FROM verdicts WHERE order_id = 'poor' AND incident = 'service'`,
    );
    expect(row?.facts).toMatchObject({
      service: { kind: 'poor_playback', title: 'A Night Out' },
      deliveredAt: '2026-11-03T18:00:00.000Z',
      parcels: [],
      isMember: false,
    });
    // What is stored gives the same answer again.
    const replayed = replayDecision({
      inputs: row?.inputs,
      policy: DEFAULT_POLICY,
      policyVersion: 1,
      till: { breakerOpen: false, spentToday: {} },
      mode: 'active',
    });
    expect(replayed).toMatchObject({
      outcome: 'replayed',
      judgement: { verdict: 'on_time' },
      decision: { incident: 'service', awards: [{ kind: 'refund', rule: 'service-refund', status: 'pending' }] },
    });
  });

  test('what a system reports waits its turn, what a person reports does not', async () => {
    await film('by-system');
    await work();
    const ingest = await somebody(makegood, 'ingest');
    expect((await ingest.ask('POST', '/v1/incidents', { orderId: 'by-system', ...POOR })).status).toBe(201);
    expect(await onlyTicketOf(database, 'judge-promises')).toMatchObject({ trigger: 'report' });
    await work();
    expect((await makegood.order('by-system')).awards).toMatchObject([{ incident: 'service' }]);
  });

  test('a download that is said not to be there: a case is opened, and nothing is given', async () => {
    await film('not-there');
    await work();
    const contact = { orderId: 'not-there', channel: 'phone', reason: 'not_received' };
    expect((await makegood.request('POST', '/v1/contacts', contact)).body).toMatchObject({
      taskId: expect.any(String),
    });
    await work();
    expect(await makegood.order('not-there')).toMatchObject({ awards: [], verdict: { incident: null } });
  });

  test('the same kind again is the first one; another kind is stored, and refunds nothing twice', async () => {
    await film('twice');
    const first = await incident({ orderId: 'twice', ...POOR });
    await work();
    const again = await incident({ orderId: 'twice', ...POOR, title: 'Another title', evidence: { other: 1 } });
    expect(again).toMatchObject({ status: 201, body: { id: first.body.id, title: 'A Night Out', known: true } });
    expect(await ticketsOf(database, 'judge-promises')).toEqual([]);
    expect((await incident({ orderId: 'twice', kind: 'no_sound', evidence: {} })).body.known).toBe(false);
    await work();
    const { awards, messages, reports } = await makegood.order('twice');
    expect(awards).toHaveLength(1);
    expect(messages).toHaveLength(1);
    expect(reports.map(({ kind, title }) => [kind, title])).toEqual([
      ['poor_playback', 'A Night Out'],
      ['no_sound', null],
    ]);
  });

  test('with an Idempotency-Key it is done once, and answered alike', async () => {
    await film('key');
    const headers = { 'idempotency-key': 'incident-1' };
    const first = await incident({ orderId: 'key', ...POOR }, headers);
    const again = await incident({ orderId: 'key', ...POOR }, headers);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    await work();
  });

  test('under a policy that has no rule for it, nothing is given, and it is said why', async () => {
    await putInForce(database, { rules: DEFAULT_POLICY.rules.filter(({ id }) => id !== 'service-refund') });
    await film('no-rule');
    await incident({ orderId: 'no-rule', ...POOR });
    await work();
    const { verdict, awards, messages } = await makegood.order('no-rule');
    expect(verdict).toMatchObject({ incident: 'service', declinedBecause: 'no_rule' });
    expect({ awards, messages }).toEqual({ awards: [], messages: [] });
    await putInForce(database, {});
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['without an order', { orderId: undefined }, 'orderId'],
    ['a kind that is no name', { kind: 'Poor Playback!' }, 'kind'],
    ['evidence that is no object', { evidence: [1] }, 'evidence'],
    ['no evidence', { evidence: undefined }, 'evidence'],
    ['evidence of more than 8 KB', { evidence: { trace: 'x'.repeat(8_192) } }, 'evidence'],
    ['evidence that cannot be stored', { evidence: { a: [{ b: 'nul \0' }] } }, 'evidence'],
    ['evidence with half of a character', { evidence: { '\ud800': 1 } }, 'evidence'],
    ['evidence that is too deep', { evidence: JSON.parse(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`) }, 'evidence'],
    ['a title over several lines', { title: 'A\nNight' }, 'title'],
    ['a time to come', { at: '2026-11-03T21:00:00Z' }, 'at'],
    ['a time that is none', { at: 'yesterday' }, 'at'],
  ])('%s: 400, and nothing is stored', async (_what, change, field) => {
    await film('bad');
    await work();
    const before = await readDatabaseState(database);
    expectProblem(await incident({ orderId: 'bad', ...POOR, ...change }), {
      status: 400,
      code: 'invalid_request',
      fields: [field],
    });
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('an unknown order: 404', async () => {
    expectProblem(await incident({ orderId: 'nowhere', ...POOR }), { status: 404, code: 'not_found' });
  });

  test('8 KB of evidence is kept as it was sent', async () => {
    const evidence = { trace: 'ü'.repeat(4_080), '': null, nested: { a: [1.5, true, '😀'] } };
    expect(Buffer.byteLength(JSON.stringify(evidence))).toBeLessThanOrEqual(8_192 + 40);
    await film('much');
    const small = { ...evidence, trace: 'ü'.repeat(4_050) };
    expect((await incident({ orderId: 'much', ...POOR, evidence: small })).status).toBe(201);
    expect((await makegood.order('much')).reports[0]?.evidence).toEqual(small);
    await work();
  });

  test('a report is never changed', async () => {
    await expect(database.query(`UPDATE reported_incidents SET kind = 'other'`)).rejects.toThrow('append-only');
  });
});
