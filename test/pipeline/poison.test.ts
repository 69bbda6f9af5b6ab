import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { orderDocumentSchema } from '../../src/promises/order-document.js';
import { registerOrder } from '../../src/promises/register-order.js';
import { watchDeadlines } from '../../src/promises/watch-deadlines.js';
import type { StageName } from '../../src/queue/ticket.js';
import { startWorkers } from '../../workers/start-workers.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows } from '../support/database-state.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { atOnce, issueTicket, ticketsOf, workByHand } from '../support/tickets.js';

const ALL_STAGES = ['track-shipments', 'judge-promises', 'grant-awards', 'send-messages'] as const;

/** Makes every write of this row fail, as a row does that our code did not foresee. */
async function poison(database: TestDatabase, table: string, condition: string): Promise<void> {
  await database.query(`CREATE FUNCTION poison_${table}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'poison in ${table}' USING ERRCODE = 'data_exception'; END $$`);
  await database.query(`CREATE TRIGGER poison BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW WHEN (${condition})
    EXECUTE FUNCTION poison_${table}()`);
}

async function cure(database: TestDatabase, table: string): Promise<void> {
  await database.query(`DROP TRIGGER IF EXISTS poison ON ${table}`);
  await database.query(`DROP FUNCTION IF EXISTS poison_${table}()`);
}

describe.each(BACKENDS)('one row that always fails, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    makegood = await startMakegood({
      databaseUrl: database.url,
      workers: [],
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await queue.stop();
    await database.drop();
  });

  const POISONS: readonly { stage: StageName; table: string; order: string; condition: string }[] = [
    { stage: 'judge-promises', table: 'verdicts', order: 'p-verdict', condition: `NEW.order_id = 'p-verdict'` },
    { stage: 'judge-promises', table: 'awards', order: 'p-award', condition: `NEW.order_id = 'p-award'` },
    { stage: 'grant-awards', table: 'ledger_accounts', order: 'p-grant', condition: `NEW.owner_id = 'c-p-grant'` },
    { stage: 'send-messages', table: 'messages', order: 'p-letter', condition: `NEW.order_id = 'p-letter'` },
  ];
  const good = Array.from({ length: 120 }, (_, index) => `good-${String(index).padStart(3, '0')}`);
  const all = [...good.slice(0, 60), ...POISONS.map(({ order }) => order), ...good.slice(60)];

  const errorOf = ({ table }: { table: string }) => `poison in ${table}`;
  const placeOf = (error: string | null) => POISONS.findIndex((one) => errorOf(one) === error);
  /** Every ticket that is left, in the order of the poisons. */
  const left = async () =>
    (await Promise.all(ALL_STAGES.map((stage) => ticketsOf(database, stage))))
      .flat()
      .sort((one, other) => placeOf(one.error) - placeOf(other.error));
  const ALL_ASIDE = POISONS.map((one) => ({ stage: one.stage, parked: true, error: errorOf(one) }));

  test('in each stage stops nobody of a batch of 124, and is set aside once and alone, with its error', async () => {
    makegood.clock.set(new Date('2026-11-04T12:00:00Z'));
    await atOnce(all, 6, (id) => {
      const document = orderDocumentSchema.parse(orderDocument({ customerId: `c-${id}`, shipments: [] }));
      return registerOrder(makegood.deps, id, document);
    });
    await database.query('DELETE FROM outbox');
    makegood.clock.set(new Date('2026-11-06T12:00:00Z'));
    for (const { table, condition } of POISONS) await poison(database, table, condition);
    const id = await issueTicket(makegood.deps, 'judge-promises', all);
    await makegood.deps.queues.announce([{ id, stage: 'judge-promises', trigger: 'webhook' }]);

    const stopWorkers = await startWorkers(makegood.deps, ALL_STAGES);
    try {
      await makegood.quiet();
    } finally {
      await stopWorkers();
    }

    const tickets = await left();
    expect(tickets.map(({ stage, parked, error }) => ({ stage, parked, error }))).toEqual(ALL_ASIDE);
    const decisions = await database.query(`SELECT decision_id FROM awards WHERE order_id = 'p-letter'`);
    const award = await database.query(`SELECT id FROM awards WHERE order_id = 'p-grant'`);
    expect(tickets.map(({ ids }) => ids)).toEqual([
      ['p-verdict'],
      ['p-award'],
      [award[0]?.id],
      [decisions[0]?.decision_id],
    ]);
    const [made] = await database.query(
      `SELECT count(*)::int AS orders FROM orders o JOIN awards a ON a.order_id = o.id AND a.status = 'applied'
         JOIN messages m ON m.decision_id = a.decision_id AND m.status = 'sent' WHERE o.id LIKE 'good-%' AND o.verdict = 'overdue'`,
    );
    expect(made).toEqual({ orders: 120 });
    expect(await countRows(database, 'messages')).toBe(120);
    expect(await countRows(database, 'mailbox')).toBe(120);
    // Of the poisoned orders nothing is half done: what could be done stands, what failed left nothing.
    const halves = await database.query(
      `SELECT o.id, o.verdict, (SELECT count(*)::int FROM verdicts v WHERE v.order_id = o.id) AS verdicts,
         (SELECT string_agg(a.status, ',') FROM awards a WHERE a.order_id = o.id) AS awards
       FROM orders o WHERE o.id LIKE 'p-%' ORDER BY o.id`,
    );
    expect(halves).toEqual([
      { id: 'p-award', verdict: null, verdicts: 0, awards: null },
      { id: 'p-grant', verdict: 'overdue', verdicts: 1, awards: 'pending' },
      { id: 'p-letter', verdict: 'overdue', verdicts: 1, awards: 'applied' },
      { id: 'p-verdict', verdict: null, verdicts: 0, awards: null },
    ]);
  });

  test('that comes up again and again leaves one ticket aside, not one a time', async () => {
    for (const instant of ['2026-11-06T12:20:00Z', '2026-11-06T12:40:00Z']) {
      makegood.clock.set(new Date(instant));
      expect(await watchDeadlines(makegood.deps)).toBe(2);
      await workByHand(makegood.deps, database);
    }
    expect((await left()).map(({ stage, parked, error }) => ({ stage, parked, error }))).toEqual(ALL_ASIDE);
  });

  test('is done like any other once its cause is gone and its ticket is put back', async () => {
    for (const { table } of POISONS) await cure(database, table);
    const tickets = await left();
    await database.query('UPDATE outbox SET parked_at = NULL, error = NULL');
    await makegood.deps.queues.enqueueAgain(tickets);
    const stopWorkers = await startWorkers(makegood.deps, ALL_STAGES);
    try {
      await makegood.quiet();
    } finally {
      await stopWorkers();
    }
    expect(await left()).toEqual([]);
    for (const { order } of POISONS) {
      expect(await makegood.order(order)).toMatchObject({
        verdict: { verdict: 'overdue' },
        awards: [{ kind: 'membership_extension', months: 1, status: 'applied' }],
        messages: [{ template: 'late-overdue', status: 'sent' }],
      });
    }
  });

  test('that is a letter nobody can write stays behind, and the letters written with it are sent', async () => {
    makegood.clock.set(new Date('2026-11-06T12:00:00Z'));
    const ids = Array.from({ length: 9 }, (_, index) => `letter-${index}`);
    await database.query(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW.letter := '{"template": "no such letter"}'; RETURN NEW; END $$`);
    await database.query(`CREATE TRIGGER poison BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.order_id = 'letter-4')
      EXECUTE FUNCTION spoil()`);
    try {
      for (const id of ids) {
        await makegood.put(id, orderDocument({ customerId: `c-${id}`, trackingNumber: `poison-${id}` }));
        await makegood.webhook(
          trackerEvent(`poison-${id}`, [['delivered', 'arrived_at_destination', '2026-11-06T11:00:00Z']]),
        );
      }
      await workByHand(makegood.deps, database, 'grant-awards');
      const sends = await ticketsOf(database, 'send-messages');
      await database.query('DELETE FROM outbox');
      const all = sends.flatMap((ticket) => ticket.ids);
      expect(all).toHaveLength(9);
      await issueTicket(makegood.deps, 'send-messages', all);
      await workByHand(makegood.deps, database);

      const sent = await database.query(
        `SELECT order_id, status FROM messages WHERE order_id LIKE 'letter-%' ORDER BY order_id`,
      );
      // What was written does not say what was given, so that not even the row stays.
      expect(sent).toEqual(ids.filter((id) => id !== 'letter-4').map((id) => ({ order_id: id, status: 'sent' })));
      expect(await database.query(`SELECT 1 FROM mailbox WHERE to_address LIKE 'c-letter-%'`)).toHaveLength(8);
      expect(await ticketsOf(database, 'send-messages')).toMatchObject([
        {
          parked: true,
          ids: [expect.any(String)],
          error: expect.stringMatching(/it says nothing, and it was 1 membership_months$/),
        },
      ]);
    } finally {
      await database.query('DROP FUNCTION spoil CASCADE');
      await database.query('DELETE FROM outbox');
    }
  });

  describe('at the door', () => {
    afterEach(() => cure(database, 'inbox'));

    test('fails the one webhook that brought it, and all that came at the same moment are stored', async () => {
      const events = Array.from({ length: 30 }, (_, index) =>
        trackerEvent(`94001000000000000008${String(index).padStart(2, '0')}`, [
          ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'],
        ]),
      );
      const bad = events[17];
      const before = {
        inbox: await countRows(database, 'inbox'),
        scans: await countRows(database, 'tracking_events'),
      };
      await poison(database, 'inbox', `NEW.delivery_id = '${bad?.id}'`);

      const answers = await Promise.all(events.map((event) => makegood.webhook(event)));

      expect(answers.map(({ status }) => status)).toEqual(events.map((event) => (event === bad ? 500 : 200)));
      expect(answers[17]).toMatchObject({
        body: { status: 500, code: 'internal', title: 'Something went wrong here' },
      });
      expect(answers[17]?.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      // What went wrong inside is for the log.
      expect(JSON.stringify(answers[17]?.body)).not.toMatch(/poison|inbox/);
      expect(await countRows(database, 'inbox')).toBe(before.inbox + 29);
      expect(await countRows(database, 'tracking_events')).toBe(before.scans + 29);

      await cure(database, 'inbox');
      expect(await makegood.webhook(bad ?? {})).toMatchObject({ status: 200, body: { accepted: 1, duplicates: 0 } });
    });
  });
});
