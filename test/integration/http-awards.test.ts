import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { revokeKey } from '../../src/auth/key-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { anOrder, type Person, somebody, usd } from '../support/people.js';
import { expectProblem } from '../support/problem.js';
import { workByHand } from '../support/tickets.js';

let database: TestDatabase;
let server: TestServer;
let agent: Person;
let supervisor: Person;
let other: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  [agent, supervisor, other] = await Promise.all([
    somebody(server, 'agent'),
    somebody(server, 'supervisor'),
    somebody(server, 'supervisor'),
  ]);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const give = (person: Person, order: string, body: object, headers?: Record<string, string>) =>
  person.ask('POST', `/v1/orders/${order}/awards`, { reason: 'a broken box', ...body }, headers);
const credit = (amountMinor: number) => ({ kind: 'store_credit', amount: usd(amountMinor) });
const decide = (person: Person, id: string, what: string, body: object = {}) =>
  person.ask('POST', `/v1/awards/${id}/${what}`, { reason: 'looked at it', ...body });
const awardRow = async (id: string) => (await database.query('SELECT * FROM awards WHERE id = $1', [id]))[0];
const actionsOf = async (subject: string) =>
  (await database.query('SELECT action FROM audit WHERE subject = $1 ORDER BY seq', [subject])).map(
    (row) => row.action,
  );
/** An award of an agent that waits for somebody else. */
async function waiting(amountMinor = 4000, person = agent) {
  const order = await anOrder(server);
  const answer = await give(person, order, credit(amountMinor));
  expect(answer).toMatchObject({ status: 201, body: { status: 'awaiting_approval' } });
  return { order, id: answer.body.id as string };
}

describe('by hand', () => {
  test('within the limit it is granted at once: 201, the ledger has it, and the current verdict stays', async () => {
    const someone = await somebody(server, 'agent');
    const order = await anOrder(server);
    const answer = await give(someone, order, credit(2500));
    expect(answer).toMatchObject({
      status: 201,
      body: {
        status: 'pending',
        incident: 'manual',
        rule: 'manual',
        proposedBy: someone.name,
        own: true,
        stoppedBy: [],
      },
    });
    const verdicts = await database.query(
      'SELECT v.id = o.verdict_id AS current, incident, trigger FROM verdicts v JOIN orders o ON o.id = v.order_id WHERE o.id = $1 ORDER BY v.id',
      [order],
    );
    expect(verdicts).toMatchObject([
      { current: true, incident: null, trigger: 'agent' },
      { current: false, incident: 'manual', trigger: 'agent' },
    ]);
    await workByHand(server.deps, database, 'grant-awards');
    expect(await awardRow(answer.body.id)).toMatchObject({ status: 'applied', proposed_by: `key:${someone.id}` });
    const ledger = await someone.ask('GET', `/v1/customers/c-${order}/ledger`);
    expect(ledger.body).toMatchObject({ balances: { USD: 2500 }, entries: [{ amount: 2500 }], next: null });
    expect(await actionsOf(answer.body.id)).toEqual(['award.by_hand']);
  });

  test('a limit holds for the order however many steps lead there, and whoever takes them', async () => {
    const [one, two] = [await somebody(server, 'agent'), await somebody(server, 'agent')];
    const order = await anOrder(server);
    expect((await give(one, order, credit(2000))).body.status).toBe('pending');
    expect((await give(two, order, credit(501))).body).toMatchObject({
      status: 'awaiting_approval',
      stoppedBy: ['agent-limit'],
    });
    const exact = await anOrder(server);
    expect((await give(one, exact, credit(2501))).body.stoppedBy).toEqual(['agent-limit']);
    expect((await give(supervisor, await anOrder(server), credit(25_000))).body.status).toBe('pending');
    expect((await give(supervisor, await anOrder(server), credit(25_001))).body.stoppedBy).toEqual(['agent-limit']);
  });

  test('a day holds for the key, over all orders, also when everything comes at once', async () => {
    const busy = await somebody(server, 'agent');
    const orders = await Promise.all(Array.from({ length: 14 }, () => anOrder(server)));
    const answers = await Promise.all(orders.map((order) => give(busy, order, credit(2500))));
    expect(answers.map(({ status }) => status)).toEqual(orders.map(() => 201));
    const passed = answers.filter(({ body }) => body.status === 'pending');
    expect(passed).toHaveLength(10);
    for (const { body } of answers.filter((one) => !passed.includes(one))) {
      expect(body).toMatchObject({ status: 'awaiting_approval', stoppedBy: ['agent-day-limit'] });
    }
  });

  test('ten at once on one order never exceed its limit', async () => {
    const busy = await somebody(server, 'agent');
    const order = await anOrder(server);
    const answers = await Promise.all(Array.from({ length: 10 }, () => give(busy, order, credit(1000))));
    expect(answers.filter(({ body }) => body.status === 'pending')).toHaveLength(2);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(10);
  });

  test.each([
    ['one month', { kind: 'membership_extension', months: 1 }, 'pending'],
    ['two months', { kind: 'membership_extension', months: 2 }, 'awaiting_approval'],
    ['points, which nothing limits', { kind: 'points', points: 100 }, 'awaiting_approval'],
    ['a replacement', { kind: 'replacement' }, 'pending'],
    ['a gift', { kind: 'gift', amount: usd(1000) }, 'pending'],
    ['a refund within the limit', { kind: 'refund', amount: usd(2000) }, 'pending'],
    ['the shipping back', { kind: 'shipping_refund', amount: usd(599) }, 'pending'],
  ])('%s, by an agent: %j is %s', async (_name, body, status) => {
    const answer = await give(await somebody(server, 'agent'), await anOrder(server), body);
    expect(answer).toMatchObject({ status: 201, body: { status } });
  });

  test('a second month for one order waits, and so does a second replacement', async () => {
    const someone = await somebody(server, 'agent');
    const order = await anOrder(server);
    await give(someone, order, { kind: 'membership_extension', months: 1 });
    await give(someone, order, { kind: 'replacement' });
    for (const body of [{ kind: 'membership_extension', months: 1 }, { kind: 'replacement' }]) {
      expect((await give(someone, order, body)).body.stoppedBy).toEqual(['agent-limit']);
    }
  });

  test('a currency without amounts waits', async () => {
    const yen = { amountMinor: 8000, currency: 'JPY' };
    const order = await anOrder(server, { total: yen, shippingPaid: { ...yen, amountMinor: 0 } });
    const answer = await give(agent, order, { kind: 'store_credit', amount: { ...yen, amountMinor: 1 } });
    expect(answer.body).toMatchObject({ status: 'held', stoppedBy: expect.arrayContaining(['agent-limit']) });
  });

  test.each([
    ['more than the order cost', { kind: 'refund', amount: usd(5991) }, ['amount.amountMinor']],
    ['more shipping than was paid', { kind: 'shipping_refund', amount: usd(600) }, ['amount.amountMinor']],
    ['another currency', { kind: 'store_credit', amount: { amountMinor: 5, currency: 'EUR' } }, ['amount.currency']],
    ['nothing', { kind: 'store_credit', amount: usd(0) }, ['amount.amountMinor']],
    ['no amount', { kind: 'gift' }, ['amount']],
    ['months and money', { kind: 'store_credit', amount: usd(5), months: 1 }, ['months']],
    ['a call', { kind: 'call' }, ['kind']],
    ['no reason', { kind: 'replacement', reason: ' ' }, ['reason']],
  ])('%s: 400, and nothing is written', async (_name, body, fields) => {
    const order = await anOrder(server);
    expectProblem(await give(agent, order, body), { status: 400, code: 'invalid_request', fields });
    expect(await database.query('SELECT 1 FROM awards WHERE order_id = $1', [order])).toEqual([]);
  });

  test('refunds of one order never add up to more than it cost', async () => {
    const order = await anOrder(server);
    expect((await give(supervisor, order, { kind: 'refund', amount: usd(5000) })).status).toBe(201);
    expectProblem(await give(supervisor, order, { kind: 'refund', amount: usd(991) }), { status: 400 });
  });

  test('an unknown order: 404', async () => {
    expectProblem(await give(agent, 'nobody', credit(1)), { status: 404, code: 'not_found' });
  });

  test('while the breaker is open it is held, and an explicit approval goes through all the same', async () => {
    await database.query(
      `INSERT INTO breaker_trips (id, tripped_at, policy_version, settled, late, usual_settled, usual_late)
       VALUES (gen_random_uuid(), now(), 1, 60, 60, 1000, 10)`,
    );
    const { body } = await give(await somebody(server, 'agent'), await anOrder(server), credit(100));
    expect(body).toMatchObject({ status: 'held', stoppedBy: ['breaker'] });
    expect((await decide(other, body.id, 'approve')).body.status).toBe('pending');
    await workByHand(server.deps, database, 'grant-awards');
    expect((await awardRow(body.id))?.status).toBe('applied');
    await database.query(`UPDATE breaker_trips SET reset_at = now(), reset_by = 'test', reset_reason = 'test'`);
  });
});

describe('approve and decline', () => {
  test('approved it is granted, once, and says by whom and why', async () => {
    const { order, id } = await waiting();
    const answer = await decide(supervisor, id, 'approve', { amount: usd(4000) });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'pending', stoppedBy: [], reviewedBy: supervisor.name, reviewReason: 'looked at it' },
    });
    expectProblem(await decide(other, id, 'decline'), { status: 409, code: 'already_decided' });
    await workByHand(server.deps, database, 'grant-awards');
    expect((await awardRow(id))?.status).toBe('applied');
    const { body } = await agent.ask('GET', `/v1/customers/c-${order}/ledger`);
    expect(body.balances).toEqual({ USD: 4000 });
    expectProblem(await decide(other, id, 'decline'), { status: 409, code: 'already_decided' });
  });

  test('who proposed it never approves it: 403, which the audit keeps; declining it is withdrawing it', async () => {
    const { id } = await waiting(26_000, supervisor);
    expectProblem(await decide(supervisor, id, 'approve'), { status: 403, code: 'own_proposal' });
    expect((await awardRow(id))?.status).toBe('awaiting_approval');
    expect(await actionsOf(id)).toEqual(['award.by_hand', 'award.own_proposal_refused']);
    expect((await decide(supervisor, id, 'decline')).body.status).toBe('declined');
  });

  test('of twenty who decide at once exactly one wins, and one transfer at the most is made', async () => {
    const { id } = await waiting();
    const all = Array.from({ length: 20 }, (_, index) =>
      decide(index % 2 === 0 ? supervisor : other, id, index % 3 === 0 ? 'decline' : 'approve'),
    );
    const answers = await Promise.all(all);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'already_decided')).toHaveLength(19);
    await workByHand(server.deps, database, 'grant-awards');
    const transfers = await database.query('SELECT 1 FROM ledger_transfers WHERE award_id = $1', [id]);
    expect(transfers).toHaveLength((await awardRow(id))?.status === 'applied' ? 1 : 0);
    expect(await actionsOf(id)).toHaveLength(2);
  });

  test('an approval is bound to the amount that was seen', async () => {
    const { id } = await waiting();
    for (const body of [{ amount: usd(3999) }, { amount: { amountMinor: 4000, currency: 'EUR' } }, { months: 1 }]) {
      expectProblem(await decide(supervisor, id, 'approve', body), { status: 409, code: 'amount_changed' });
    }
    expect((await awardRow(id))?.status).toBe('awaiting_approval');
  });

  test('a key that was revoked decides nothing', async () => {
    const gone = await somebody(server, 'supervisor');
    const { id } = await waiting();
    await revokeKey(server.deps.db, gone.id, 'test');
    expectProblem(await decide(gone, id, 'approve'), { status: 401 });
    expect((await awardRow(id))?.status).toBe('awaiting_approval');
  });

  test('what failed can be tried again, or declined; nothing else can be tried again', async () => {
    const { id } = await waiting();
    expectProblem(await decide(supervisor, id, 'retry'), { status: 409, code: 'already_decided' });
    await decide(supervisor, id, 'approve');
    await database.query(`UPDATE awards SET status = 'failed' WHERE id = $1`, [id]);
    expect((await decide(supervisor, id, 'retry')).body.status).toBe('pending');
    await database.query(`UPDATE awards SET status = 'failed' WHERE id = $1`, [id]);
    expect((await decide(supervisor, id, 'decline')).body.status).toBe('declined');
  });

  test('an amount that nobody could name is named with the approval, in the currency of the order', async () => {
    const yen = (amountMinor: number) => ({ amountMinor, currency: 'JPY' });
    const order = await anOrder(server, { total: yen(8000), shippingPaid: yen(0) });
    const { body } = await give(agent, order, { kind: 'store_credit', amount: yen(5) });
    await database.query(
      `UPDATE awards SET amount_minor = 0, status = 'held', stopped_by = '{currency}', proposed_by = 'policy' WHERE id = $1`,
      [body.id],
    );
    expectProblem(await decide(supervisor, body.id, 'approve'), { status: 400, fields: ['amount'] });
    expectProblem(await decide(supervisor, body.id, 'approve', { amount: usd(5) }), { status: 400 });
    const answer = await decide(supervisor, body.id, 'approve', { amount: yen(700) });
    expect(answer).toMatchObject({ status: 200, body: { status: 'pending', amount: yen(700) } });
  });

  test.each(['approve', 'decline', 'retry'])('%s of an unknown award: 404', async (what) => {
    expectProblem(await decide(supervisor, '00000000-0000-7000-8000-000000000000', what), { status: 404 });
  });
});

describe('another amount', () => {
  test('whoever names it proposes it, and what was seen before cannot be approved any more', async () => {
    const { id } = await waiting(4000);
    const answer = await supervisor.ask('PATCH', `/v1/awards/${id}`, { amount: usd(3000), reason: 'rather less' });
    expect(answer).toMatchObject({
      status: 200,
      body: { status: 'awaiting_approval', amount: usd(3000), proposedBy: supervisor.name },
    });
    expectProblem(await decide(supervisor, id, 'approve'), { status: 403, code: 'own_proposal' });
    expectProblem(await decide(other, id, 'approve', { amount: usd(4000) }), { status: 409, code: 'amount_changed' });
    expect((await decide(other, id, 'approve', { amount: usd(3000) })).status).toBe(200);
    expectProblem(await supervisor.ask('PATCH', `/v1/awards/${id}`, { amount: usd(1), reason: 'late' }), {
      status: 409,
    });
    const [change] = await database.query(`SELECT details FROM audit WHERE subject = $1 AND action = 'award.change'`, [
      id,
    ]);
    expect(change?.details).toMatchObject({ before: { amountMinor: 4000 }, after: { amountMinor: 3000 } });
  });

  test('the measure is that of its kind', async () => {
    const { id } = await waiting();
    for (const body of [{ months: 1 }, {}, { amount: { amountMinor: 1, currency: 'EUR' } }]) {
      expectProblem(await agent.ask('PATCH', `/v1/awards/${id}`, { reason: 'x', ...body }), { status: 400 });
    }
  });
});

describe('Idempotency-Key', () => {
  test('twenty at once with one key: one award, and the same answer for all', async () => {
    const order = await anOrder(server);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => give(supervisor, order, credit(100), { 'idempotency-key': 'twenty' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(19);
    expect(await database.query('SELECT 1 FROM awards WHERE order_id = $1', [order])).toHaveLength(1);
  });

  test('another request with the key: 409; another person with the key: another key', async () => {
    const order = await anOrder(server);
    const headers = { 'idempotency-key': 'mine' };
    expect((await give(supervisor, order, credit(100), headers)).status).toBe(201);
    expectProblem(await give(supervisor, order, credit(101), headers), { status: 409, code: 'idempotency_conflict' });
    expect((await give(other, order, credit(101), headers)).status).toBe(201);
  });

  test('what was refused is refused again the same way', async () => {
    const headers = { 'idempotency-key': 'refused' };
    const first = await give(supervisor, 'not-yet', credit(100), headers);
    const again = await give(supervisor, 'not-yet', credit(100), headers);
    expectProblem(first, { status: 404 });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  test.each([
    ['longest', 'k'.repeat(255), 201],
    ['too long', 'k'.repeat(256), 400],
    ['with a space', 'a b', 400],
    ['empty', '', 400],
  ])('a key that is %s', async (_name, key, status) => {
    const answer = await give(supervisor, await anOrder(server), credit(1), { 'idempotency-key': key });
    expect(answer.status).toBe(status);
  });
});

test('reversing takes back what was given, by a second transfer, once', async () => {
  const { order, id } = await waiting();
  await decide(supervisor, id, 'approve');
  await workByHand(server.deps, database, 'grant-awards');
  expect(await decide(supervisor, id, 'reverse')).toMatchObject({
    status: 200,
    body: { status: 'reversed', amount: 4000 },
  });
  expectProblem(await decide(other, id, 'reverse'), { status: 409, code: 'already_decided' });
  const { body } = await agent.ask('GET', `/v1/customers/c-${order}/ledger`);
  expect(body).toMatchObject({ balances: { USD: 0 } });
  expect(body.entries).toHaveLength(2);
});
