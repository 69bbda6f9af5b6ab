import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPostgresBackend, QueueEvents, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type SweepReport, sweep } from '../../src/promises/sweep.js';
import { VERDICTS } from '../../src/promises/verdict.js';
import { startWorkers } from '../../workers/start-workers.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, type DatabaseState, readDatabaseState } from '../support/database-state.js';
import { eventually } from '../support/eventually.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { ticketsOf, workByHand } from '../support/tickets.js';

const DELIVERED_LATE = ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'] as const;

describe.each(BACKENDS)('the nightly sweep, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let smtp: SmtpSink;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    smtp = await startSmtpSink();
    makegood = await startMakegood({
      databaseUrl: database.url,
      smtpUrl: smtp.url,
      workers: [],
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await smtp.stop();
    await queue.stop();
    await database.drop();
  });

  const at = (instant: string) => makegood.clock.set(new Date(instant));
  const work = () => workByHand(makegood.deps, database);
  async function register(id: string, changes: Record<string, unknown> = {}) {
    const document = orderDocument({ customerId: `c-${id}`, trackingNumber: `sweep-${id}`, ...changes });
    expect((await makegood.put(id, document)).status).toBe(201);
  }
  async function report(id: string, scan: readonly [string, string, string] = DELIVERED_LATE) {
    expect((await makegood.webhook(trackerEvent(`sweep-${id}`, [scan]))).status).toBe(200);
  }
  /** Every ticket is lost, and with it whatever the queue knew. */
  const loseTickets = () => database.query('DELETE FROM outbox');
  const mailsTo = (id: string) => smtp.mails.filter(({ to }) => to === `c-${id}@example.com`).length;

  describe('finds what was forgotten', () => {
    /** One order for each thing that can be forgotten, made by losing the ticket that should have done it. */
    async function forgetEverything() {
      at('2026-11-04T12:00:00Z');
      await register('never-judged', { promise: { on: '2026-11-20', timeZone: 'America/New_York' } });
      await loseTickets();

      await register('due');
      await work();

      await register('scans');
      await work();
      at('2026-11-06T20:00:00Z');
      await report('scans');
      await loseTickets();

      await register('award');
      await report('award');
      await workByHand(makegood.deps, database, 'judge-promises');
      await loseTickets();

      await register('untold');
      await report('untold');
      await workByHand(makegood.deps, database, 'grant-awards');
      await loseTickets();

      await register('unsent');
      await report('unsent');
      smtp.refuseWith({ code: 451, message: 'try again later' });
      await work();
      smtp.refuseWith(null);
      await loseTickets();

      // Nothing was forgotten of this one.
      await register('complete');
      await report('complete');
      await work();
      expect(mailsTo('complete')).toBe(1);
      at('2026-11-07T13:00:00Z');
    }
    const FORGOTTEN = ['award', 'due', 'scans', 'unsent', 'untold'];
    let dry: SweepReport;
    let first: SweepReport;
    let beforeDry: DatabaseState;
    let afterDry: DatabaseState;

    beforeAll(async () => {
      await forgetEverything();
      beforeDry = await readDatabaseState(database);
      dry = await sweep(makegood.deps, { dryRun: true });
      afterDry = await readDatabaseState(database);
      first = await sweep(makegood.deps);
    });

    test('a dry run changes nothing, and says what the real one then does', () => {
      expect(afterDry).toEqual(beforeDry);
      expect(dry).toMatchObject({
        dryRun: true,
        orders: 7,
        changed: 3,
        awards: 2,
        failed: 0,
        forgotten: { numbers: 1, awards: 1, decisions: 2 },
      });
      const { trace: _trace, asOf: _asOf, startedAt: _startedAt, dryRun: _dryRun, ...numbers } = first;
      expect(dry).toMatchObject(numbers);
    });

    test('the report counts every order by the verdict it has now', async () => {
      expect(first).toMatchObject({
        orders: 7,
        verdicts: { pending: 1, late: 5, overdue: 1, on_time: 0, lost: 0, uncertain: 0 },
        dryRun: false,
      });
      expect(Object.keys(first.verdicts).sort()).toEqual([...VERDICTS].sort());
      expect(Date.parse(first.asOf)).toBeCloseTo(Date.parse('2026-11-07T13:00:00Z'), -5);
      const runs = await database.query('SELECT finished_at IS NOT NULL AS finished, report FROM sweep_runs');
      expect(runs).toEqual([{ finished: true, report: first }]);
    });

    test('what was never judged is judged, and what was due is too', async () => {
      expect((await makegood.order('never-judged')).verdict).toMatchObject({ verdict: 'pending' });
      expect((await makegood.order('due')).verdict).toMatchObject({ verdict: 'overdue', incident: 'late' });
      const triggers = await database.query(
        `SELECT DISTINCT trigger FROM verdicts WHERE order_id = 'never-judged' OR (order_id = 'due' AND verdict = 'overdue')`,
      );
      expect(triggers).toEqual([{ trigger: 'sweep' }]);
    });

    test('its tickets, once done, leave every order made good exactly once, in one letter', async () => {
      await work();
      for (const id of [...FORGOTTEN, 'complete']) {
        const { awards, messages } = await makegood.order(id);
        expect({ id, awards, messages }).toMatchObject({
          awards: [{ kind: 'membership_extension', months: 1, status: 'applied' }],
          messages: [{ status: 'sent' }],
        });
        expect(mailsTo(id)).toBe(1);
      }
      expect((await makegood.order('scans')).shipments[0]).toMatchObject({ status: 'delivered' });
      expect((await makegood.order('never-judged')).awards).toEqual([]);
    });

    test('a second sweep finds nothing and changes nothing', async () => {
      await work();
      const before = await readDatabaseState(database);
      const second = await sweep(makegood.deps);
      expect(second).toMatchObject({
        orders: 7,
        verdicts: first.verdicts,
        changed: 0,
        awards: 0,
        forgotten: { numbers: 0, awards: 0, decisions: 0 },
      });
      const { orders: _orders, sweep_runs: _runs, ...after } = await readDatabaseState(database);
      // Orders note when they were looked at, and the sweep notes itself.
      expect(before).toMatchObject(after);
      expect(await countRows(database, 'outbox')).toBe(0);
    });

    test('scans of numbers that no order has are nothing that was forgotten', async () => {
      await report('of-nobody');
      await work();
      expect(await sweep(makegood.deps)).toMatchObject({ forgotten: { numbers: 0 } });
    });
  });

  test('an award that waits for somebody, and a letter that waits for it, are nothing that was forgotten', async () => {
    at('2026-11-08T12:00:00Z');
    await register('lost-parcel');
    await report('lost-parcel', ['failure', 'lost', '2026-11-06T19:00:00Z']);
    await work();
    expect((await makegood.order('lost-parcel')).awards.map(({ status }) => status).sort()).toEqual([
      'applied',
      'pending',
    ]);
    expect(await sweep(makegood.deps)).toMatchObject({ forgotten: { numbers: 0, awards: 0, decisions: 0 } });
  });

  describe('of more orders than one chunk', () => {
    beforeEach(async () => {
      at('2026-11-08T12:00:00Z');
      // Registered by the table: 700 requests say nothing more.
      await database.query(`INSERT INTO customers (id) VALUES ('c-many') ON CONFLICT DO NOTHING`);
      await database.query(
        `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at, due_at)
         SELECT 'many-' || lpad(n::text, 4, '0'), 'c-many', '2026-11-20', 'UTC', '2026-11-21T00:00:00Z', '2026-11-08T11:00:00Z', '2026-11-21T00:00:00Z'
         FROM generate_series(1, 700) n ON CONFLICT DO NOTHING`,
      );
      await database.query(
        `UPDATE orders SET verdict = NULL, verdict_id = NULL, judged_at = NULL WHERE id LIKE 'many-%'`,
      );
    });

    test('two at once do no harm: each order is judged, and has one new answer', async () => {
      const [known] = await database.query<{ count: number }>('SELECT count(*)::int FROM verdicts');
      const reports = await Promise.all([sweep(makegood.deps), sweep(makegood.deps)]);
      const [now] = await database.query<{ count: number }>('SELECT count(*)::int FROM verdicts');
      expect((now?.count ?? 0) - (known?.count ?? 0)).toBe(700);
      expect(reports.map(({ changed }) => changed).reduce((sum, changed) => sum + changed)).toBe(700);
      const [pending] = await database.query<{ count: number }>(
        `SELECT count(*)::int FROM orders WHERE verdict = 'pending'`,
      );
      for (const { verdicts } of reports) expect(verdicts.pending).toBe(pending?.count);
      expect(await sweep(makegood.deps)).toMatchObject({ changed: 0, verdicts: reports[0]?.verdicts });
    });

    test('one order that cannot be judged is set aside, and the others have their night', async () => {
      await database.query(`CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = 'data_exception'; END $$`);
      await database.query(
        `CREATE TRIGGER poison BEFORE INSERT ON verdicts FOR EACH ROW WHEN (NEW.order_id = 'many-0333') EXECUTE FUNCTION poison()`,
      );
      try {
        expect(await sweep(makegood.deps, { dryRun: true })).toMatchObject({ changed: 699, failed: 1 });
        expect(await sweep(makegood.deps)).toMatchObject({ changed: 699, failed: 1 });
        await work();
        expect(await ticketsOf(database, 'judge-promises')).toMatchObject([
          { ids: ['many-0333'], parked: true, error: 'poison' },
        ]);
      } finally {
        await database.query('DROP FUNCTION poison CASCADE');
        await loseTickets();
      }
    });

    test('as a job of the scheduler it runs by itself, and reports how far it is', async () => {
      const [known] = await database.query<{ count: number }>('SELECT count(*)::int FROM sweep_runs');
      const events = await openSweepEvents(database.url, queue.redisUrl);
      const progress: { done: number; total: number }[] = [];
      events.on('progress', ({ data }) => progress.push(data as { done: number; total: number }));
      // Of a run that was under way when one began to listen, one hears the end alone: it runs again, and that one is heard whole.
      const wholeRun = () => {
        const start = progress.findIndex(({ done }) => done === 0);
        return start < 0 ? [] : progress.slice(start, start + 3);
      };
      const stopWorkers = await startWorkers(makegood.deps, ['sweep']);
      try {
        await eventually(async () => {
          // Again each time: the workers see to it that the schedule of the configuration stands.
          await makegood.deps.queues.ensureSchedules({ sweep: { every: 500 } });
          return (await countRows(database, 'sweep_runs')) > (known?.count ?? 0);
        });
        await eventually(() => wholeRun().length === 3, 30_000);
      } finally {
        await stopWorkers();
        await events.close();
      }
      const [{ total } = { total: 0 }] = wholeRun();
      expect(wholeRun()).toEqual([
        { done: 0, total },
        { done: 100, total },
        { done: 200, total },
      ]);
      expect((await makegood.order('many-0700')).verdict).toMatchObject({ verdict: 'pending' });
    });
  });
});

/** What BullMQ tells of the jobs of the sweep, to anybody who listens. */
async function openSweepEvents(databaseUrl: string, redisUrl: string | undefined) {
  if (redisUrl) {
    const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
    const events = new QueueEvents('sweep', { connection, prefix: '{makegood}' });
    await events.waitUntilReady();
    return {
      on: (name: 'progress', listener: (args: { data: unknown }) => void) => void events.on(name, listener),
      async close() {
        await events.close();
        connection.disconnect();
      },
    };
  }
  const pool = new pg.Pool({ connectionString: databaseUrl, options: '-c search_path=bullmq' });
  pool.on('error', () => {});
  const { QueueEvents: PostgresQueueEvents } = withBackend(createPostgresBackend);
  const events = new PostgresQueueEvents('sweep', { connection: pool as never });
  await events.waitUntilReady();
  return {
    on: (name: 'progress', listener: (args: { data: unknown }) => void) => void events.on(name, listener),
    async close() {
      await events.close();
      await pool.end();
    },
  };
}
