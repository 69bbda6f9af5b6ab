import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { raiseAlarm } from '../../src/compensation/alarm-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { anOrder, type Person, somebody, usd } from '../support/people.js';
import { expectProblem } from '../support/problem.js';
import { workByHand } from '../support/tickets.js';

let database: TestDatabase;
let server: TestServer;
let agent: Person;
let supervisor: Person;
let admin: Person;
let shop: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  [agent, supervisor, admin, shop] = await Promise.all([
    somebody(server, 'agent'),
    somebody(server, 'supervisor'),
    somebody(server, 'admin'),
    somebody(server, 'ingest'),
  ]);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** A customer with this much store credit. */
async function customerWith(amountMinor: number): Promise<string> {
  const order = await anOrder(server);
  const award = { kind: 'store_credit', amount: usd(amountMinor), reason: 'test' };
  expect((await supervisor.ask('POST', `/v1/orders/${order}/awards`, award)).body.status).toBe('pending');
  await workByHand(server.deps, database, 'grant-awards');
  return `c-${order}`;
}
const debit = (person: Person, id: string, body: object, headers?: Record<string, string>) =>
  person.ask('POST', `/v1/customers/${id}/ledger/debits`, { kind: 'spend', reason: 'order 7', ...body }, headers);
const balanceOf = async (id: string) => (await agent.ask('GET', `/v1/customers/${id}/ledger`)).body.balances;

test('the shop spends what a customer has, and never more', async () => {
  const id = await customerWith(1000);
  expect(await debit(shop, id, { amount: usd(600) })).toMatchObject({
    status: 201,
    body: { unit: 'USD', amount: 600, balance: 400, taken: [{ amount: 600, expiresAt: null }] },
  });
  expectProblem(await debit(shop, id, { amount: usd(401) }), { status: 409, code: 'insufficient_funds' });
  expect(await balanceOf(id)).toEqual({ USD: 400 });
});

test('with a key twenty at once take it once, and all hear the same', async () => {
  const id = await customerWith(1000);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => debit(shop, id, { amount: usd(300) }, { 'idempotency-key': 'spend-1' })),
  );
  expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
  expect(await balanceOf(id)).toEqual({ USD: 700 });
  expectProblem(await debit(shop, id, { amount: usd(301) }, { 'idempotency-key': 'spend-1' }), {
    status: 409,
    code: 'idempotency_conflict',
  });
});

test('setting right and forfeiting need a supervisor', async () => {
  const id = await customerWith(1000);
  for (const kind of ['adjust', 'expire']) {
    expectProblem(await debit(shop, id, { kind, amount: usd(1) }), { status: 403, code: 'forbidden' });
    expect((await debit(supervisor, id, { kind, amount: usd(1) })).status).toBe(201);
  }
  expect(await balanceOf(id)).toEqual({ USD: 998 });
});

test.each([
  ['a number of nothing', { amount: 5 }, ['unit']],
  ['money of a unit', { amount: usd(5), unit: 'points' }, ['unit']],
  ['nothing', { amount: usd(0) }, ['amount']],
  ['without a reason', { amount: usd(5), reason: '' }, ['reason']],
])('%s: 400', async (_name, body, fields) => {
  expectProblem(await debit(shop, 'c-1', body), { status: 400, fields });
});

test('a customer that nobody knows: 404; one who has nothing: empty', async () => {
  expectProblem(await agent.ask('GET', '/v1/customers/nobody/ledger'), { status: 404 });
  expectProblem(await debit(shop, 'nobody', { amount: usd(1) }), { status: 404 });
  const order = await anOrder(server);
  const { body } = await agent.ask('GET', `/v1/customers/c-${order}/ledger`);
  expect(body).toEqual({ balances: {}, entries: [], next: null });
});

test('the audit pages newest first and finds by subject and action', async () => {
  const id = await customerWith(100);
  const [award] = await database.query('SELECT id FROM awards WHERE customer_id = $1', [id]);
  const found = (await admin.ask('GET', `/v1/audit?subject=${award?.id}`)).body;
  expect(found.items).toMatchObject([
    { action: 'award.by_hand', actor: `key:${supervisor.name}`, hash: expect.any(String) },
  ]);
  const seqs: number[] = [];
  for (let after = ''; ; ) {
    const { body } = await admin.ask('GET', `/v1/audit?limit=7${after}`);
    seqs.push(...body.items.map(({ seq }: { seq: number }) => seq));
    if (body.next === null) break;
    after = `&after=${body.next}`;
  }
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, index) => seqs.length - index));
  expect((await admin.ask('GET', '/v1/audit?action=key.create')).body.items.length).toBeGreaterThan(3);
});

test('alarms: the open ones, or all', async () => {
  const alarm = { kind: 'ledger', message: 'a test', details: { n: 1 }, at: new Date() } as const;
  await raiseAlarm(server.deps.db.pool, { ...alarm, subject: 'one' });
  await raiseAlarm(server.deps.db.pool, { ...alarm, subject: 'two' });
  await database.query(`UPDATE alarms SET cleared_at = now() WHERE subject = 'one'`);
  const subjects = async (query: string) =>
    (await agent.ask('GET', `/v1/alarms${query}`)).body.items.map(({ subject }: { subject: string }) => subject).sort();
  expect(await subjects('')).toEqual(['two']);
  expect(await subjects('?open=false')).toEqual(['one', 'two']);
});
