import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { anOrder, type Person, somebody, usd } from '../support/people.js';
import { expectProblem } from '../support/problem.js';
import { ticketsOf } from '../support/tickets.js';

let database: TestDatabase;
let server: TestServer;
let agent: Person;
let supervisor: Person;
let admin: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  [agent, supervisor, admin] = await Promise.all([
    somebody(server, 'agent'),
    somebody(server, 'supervisor'),
    somebody(server, 'admin'),
  ]);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});
beforeEach(async () => {
  await database.query(
    `UPDATE awards SET status = 'declined' WHERE status IN ('held', 'awaiting_approval', 'failed', 'pending')`,
  );
  await database.query(`UPDATE breaker_trips SET reset_at = now(), reset_by = 'test', reset_reason = 'test'`);
});

/** An award that waits, in this status and for these reasons. */
async function waiting(amountMinor: number, stoppedBy: readonly string[] = ['agent-limit'], person = agent) {
  const order = await anOrder(server);
  const answer = await person.ask('POST', `/v1/orders/${order}/awards`, {
    kind: 'store_credit',
    amount: usd(amountMinor),
    reason: 'test',
  });
  if (stoppedBy.includes('agent-limit')) expect(answer.body.status).toBe('awaiting_approval');
  else
    await database.query(`UPDATE awards SET status = 'held', stopped_by = $2 WHERE id = $1`, [
      answer.body.id,
      stoppedBy,
    ]);
  return answer.body.id as string;
}
const statusesOf = async (ids: readonly string[]) =>
  (
    await database.query(
      'SELECT status FROM awards WHERE id = ANY($1::uuid[]) ORDER BY array_position($1::uuid[], id)',
      [ids],
    )
  ).map(({ status }) => status);
const preview = (person: Person, filter: object, decision = 'approve') =>
  person.ask('POST', '/v1/approvals/preview', { filter, decision });
const decide = (person: Person, token: string) => person.ask('POST', '/v1/approvals', { token, reason: 'all seen' });

describe('GET /v1/approvals', () => {
  test('pages through what waits, the oldest first, none twice', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push(await waiting(3000 + index));
    const seen: string[] = [];
    let after = '';
    for (let page = 0; page < 4; page++) {
      const { status, body } = await supervisor.ask('GET', `/v1/approvals?limit=2${after}`);
      expect(status).toBe(200);
      seen.push(...body.items.map(({ id }: { id: string }) => id));
      if (body.next === null) break;
      after = `&after=${body.next}`;
    }
    expect(seen).toEqual(ids);
  });

  test('shows what is asked for, by status and by what stopped it, with who proposed it', async () => {
    const held = await waiting(1000, ['breaker', 'goodwill-orders']);
    await waiting(3000);
    const { body } = await supervisor.ask('GET', '/v1/approvals?status=held&stoppedBy=breaker');
    expect(body).toMatchObject({
      items: [
        {
          id: held,
          amount: usd(1000),
          proposedBy: agent.name,
          own: false,
          earlierAwards: 0,
          stoppedBy: ['breaker', 'goodwill-orders'],
        },
      ],
      next: null,
    });
    expect((await supervisor.ask('GET', '/v1/approvals?status=held&stoppedBy=currency')).body.items).toEqual([]);
    expectProblem(await supervisor.ask('GET', '/v1/approvals?after=nonsense'), { status: 400, fields: ['after'] });
  });
});

describe('many at once', () => {
  test('a preview changes nothing; the decision does exactly what it said, and the audit names each', async () => {
    const ids = [await waiting(3000), await waiting(4000)];
    const before = await readDatabaseState(database);
    const { status, body } = await preview(supervisor, { status: 'awaiting_approval' });
    expect(await readDatabaseState(database)).toEqual(before);
    expect(status).toBe(200);
    expect(body).toMatchObject({ count: 2, totals: { USD: 7000 }, own: 0, unnamed: 0, more: false });
    expect(body.sample.map(({ id }: { id: string }) => id)).toEqual([ids[1], ids[0]]);

    expect(await decide(supervisor, body.token)).toMatchObject({
      status: 200,
      body: { decided: 2, totals: { USD: 7000 } },
    });
    expect(await statusesOf(ids)).toEqual(['pending', 'pending']);
    expect((await ticketsOf(database, 'grant-awards')).at(-1)?.ids.toSorted()).toEqual(ids.toSorted());
    for (const id of ids) {
      const { body: lines } = await admin.ask('GET', `/v1/audit?subject=${id}&action=awards.approve`);
      expect(lines.items).toMatchObject([{ actor: `key:${supervisor.name}`, reason: 'all seen' }]);
    }
    // What was decided is there no more: the token is void.
    expectProblem(await decide(supervisor, body.token), { status: 409, code: 'amount_changed' });
  });

  test.each([
    ['an amount', (id: string) => `UPDATE awards SET amount_minor = amount_minor + 1 WHERE id = '${id}'`],
    ['a status', (id: string) => `UPDATE awards SET status = 'declined' WHERE id = '${id}'`],
    ['who proposed it', (id: string) => `UPDATE awards SET proposed_by = 'policy' WHERE id = '${id}'`],
  ])('%s changed since the preview: 409, and nothing is decided', async (_name, change) => {
    const [one, two] = [await waiting(3000), await waiting(4000)];
    const { token } = (await preview(supervisor, { status: 'awaiting_approval' })).body;
    await database.query(change(one));
    expectProblem(await decide(supervisor, token), { status: 409, code: 'amount_changed' });
    expect(await statusesOf([two])).toEqual(['awaiting_approval']);
  });

  test('what came after the preview is not decided with it', async () => {
    const early = await waiting(3000);
    const { token } = (await preview(supervisor, { status: 'awaiting_approval' })).body;
    const late = await waiting(4000);
    expect((await decide(supervisor, token)).body).toMatchObject({ decided: 1 });
    expect(await statusesOf([early, late])).toEqual(['pending', 'awaiting_approval']);
  });

  test('of ten who carry out one preview each at once, one decides', async () => {
    const ids = [await waiting(3000), await waiting(4000)];
    const { token } = (await preview(supervisor, { status: 'awaiting_approval' })).body;
    const answers = await Promise.all(Array.from({ length: 10 }, () => decide(supervisor, token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
    expect(await statusesOf(ids)).toEqual(['pending', 'pending']);
  });

  test('what the caller proposed, and what has no amount, is left out of an approval and not of a refusal', async () => {
    const own = await waiting(30_000, ['agent-limit'], supervisor);
    const theirs = await waiting(3000);
    const unnamed = await waiting(1000, ['currency']);
    await database.query('UPDATE awards SET amount_minor = 0 WHERE id = $1', [unnamed]);
    const first = (await preview(supervisor, { status: 'awaiting_approval' })).body;
    expect(first).toMatchObject({ count: 1, own: 1 });
    expect((await preview(supervisor, { status: 'held' })).body).toMatchObject({ count: 0, unnamed: 1 });
    expect((await decide(supervisor, first.token)).body).toMatchObject({ decided: 1, own: 1 });
    expect(await statusesOf([own, theirs])).toEqual(['awaiting_approval', 'pending']);
    const second = (await preview(supervisor, { status: 'awaiting_approval' }, 'decline')).body;
    expect((await decide(supervisor, second.token)).body).toMatchObject({ decided: 1, own: 0 });
    expect(await statusesOf([own])).toEqual(['declined']);
  });

  test('a token of somebody else, or none at all, decides nothing', async () => {
    const id = await waiting(3000);
    const { token } = (await preview(admin, { status: 'awaiting_approval' })).body;
    expectProblem(await decide(supervisor, token), { status: 409 });
    for (const wrong of ['nonsense', Buffer.from('{}').toString('base64url')]) {
      expectProblem(await decide(supervisor, wrong), { status: 400, fields: ['token'] });
    }
    expect(await statusesOf([id])).toEqual(['awaiting_approval']);
  });

  test('failed awards can be declined together, and not approved', async () => {
    expectProblem(await preview(supervisor, { status: 'failed' }), { status: 400, fields: ['decision'] });
    expect((await preview(supervisor, { status: 'failed' }, 'decline')).status).toBe(200);
  });
});

describe('the breaker', () => {
  const trip = () =>
    database.query(
      `INSERT INTO breaker_trips (id, tripped_at, policy_version, settled, late, usual_settled, usual_late)
       VALUES (gen_random_uuid(), now(), 1, 80, 60, 1000, 10)`,
    );
  const look = async (release: boolean) => (await admin.ask('POST', '/v1/breaker/preview', { release })).body;
  const reset = (body: object) =>
    admin.ask('POST', '/v1/breaker/reset', { reason: 'the feed is right again', ...body });

  test('says whether it is open, and why', async () => {
    expect((await supervisor.ask('GET', '/v1/breaker')).body).toMatchObject({ open: false, since: null });
    await trip();
    expect((await supervisor.ask('GET', '/v1/breaker')).body).toMatchObject({
      open: true,
      why: expect.stringContaining('60 of 80'),
      counts: { settled: 80, late: 60, usualSettled: 1000, usualLate: 10 },
    });
  });

  test('released: what nothing else stops goes on, the rest waits for what is left, and it is closed once', async () => {
    const alone = await waiting(1000, ['breaker']);
    const also = await waiting(2000, ['limit', 'breaker']);
    const apart = await waiting(3000);
    await trip();
    const { token, ...said } = await look(true);
    expect(said).toMatchObject({ count: 2, totals: { USD: 3000 } });
    expectProblem(await reset({ release: false, token }), { status: 409 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => reset({ release: true, token })));
    expect(answers.filter(({ status }) => status === 200).map(({ body }) => body)).toEqual([
      { decided: 2, goingOn: 1, totals: { USD: 3000 } },
    ]);
    expect(await statusesOf([alone, also, apart])).toEqual(['pending', 'held', 'awaiting_approval']);
    expect(await database.query('SELECT stopped_by FROM awards WHERE id = $1', [also])).toEqual([
      { stopped_by: ['limit'] },
    ]);
    expect((await supervisor.ask('GET', '/v1/breaker')).body).toMatchObject({
      open: false,
      lastResetReason: 'the feed is right again',
    });
  });

  test('declined: all of it ends', async () => {
    const ids = [await waiting(1000, ['breaker']), await waiting(2000, ['limit', 'breaker'])];
    await trip();
    const { token } = await look(false);
    expect((await reset({ release: false, token })).body).toMatchObject({ decided: 2, goingOn: 0 });
    expect(await statusesOf(ids)).toEqual(['declined', 'declined']);
  });

  test('not open, and nothing held: 409', async () => {
    const { token } = await look(true);
    expectProblem(await reset({ release: true, token }), { status: 409, code: 'already_decided' });
  });
});
