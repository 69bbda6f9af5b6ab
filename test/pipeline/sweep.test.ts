import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createPostgresBackend, QueueEvents, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type SweepReport, sweep, sweepByClock } from '../../src/promises/sweep.js';
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

    test('by the clock: one that is under way is left to itself, one that was stopped is carried on, else there is nothing to carry on', async () => {
      const runs = () => countRows(database, 'sweep_runs');
      const before = await runs();
      const never = new AbortController().signal;
      expect(await sweepByClock(makegood.deps, { stopping: never, onlyUnfinished: true })).toBeNull();
      expect(await runs()).toBe(before);

      // The process is told to end while the second chunk is under way.
      const ending = new AbortController();
      const meanwhile: (SweepReport | null)[] = [];
      const onProgress = async (done: number) => {
        if (done !== 200) return;
        meanwhile.push(await sweepByClock(makegood.deps, { stopping: never }));
        ending.abort();
      };
      expect(await sweepByClock(makegood.deps, { stopping: ending.signal, onProgress })).toBeNull();
      expect(meanwhile).toEqual([null]);
      expect(await runs()).toBe(before + 1);

      const report = await sweepByClock(makegood.deps, { stopping: never, onlyUnfinished: true });
      expect(report).toMatchObject({ resumed: true, changed: 700 });
      expect(await runs()).toBe(before + 1);
      expect(await sweep(makegood.deps)).toMatchObject({ resumed: false, changed: 0 });
    });

    test('as a job of the scheduler it runs by itself, and reports how far it is', async () => {
      const [known] = await database.query<{ count: number }>('SELECT count(*)::int FROM sweep_runs');
      const events = await openSweepEvents(database.url, queue.redisUrl);
      const progress: { done: number; total: number }[] = [];
      events.on('progress', ({ data }) => progress.push(data as { done: number; total: number }));
      // Of a run that was under way when one began to listen, one hears the end alone: it runs again, and that one is heard whole.
      const wholeRun = () => {
        const heard = progress.slice(progress.findIndex(({ done }) => done === 0));
        const end = heard.findIndex(({ done, total }) => done === total);
        return heard[0]?.done === 0 && end > 0 ? heard.slice(0, end + 1) : [];
      };
      const stopWorkers = await startWorkers(makegood.deps, ['sweep']);
      try {
        await eventually(async () => {
          // Again each time: the workers see to it that the schedule of the configuration stands.
          await makegood.deps.queues.ensureSchedules({ sweep: { every: 500 } });
          return (await countRows(database, 'sweep_runs')) > (known?.count ?? 0);
        });
        await eventually(() => wholeRun().length > 0, 30_000);
      } finally {
        await stopWorkers();
        await events.close();
      }
      const [{ total } = { total: 0 }] = wholeRun();
      expect(total).toBeGreaterThanOrEqual(700);
      const chunks = Array.from({ length: Math.ceil(total / 100) }, (_, chunk) => (chunk + 1) * 100);
      expect(wholeRun().map(({ done }) => done)).toEqual([0, ...chunks.slice(0, -1), total]);
      expect((await makegood.order('many-0700')).verdict).toMatchObject({ verdict: 'pending' });
    });
  });

  describe('what it finds besides', () => {
    beforeAll(async () => {
      at('2026-11-08T12:00:00Z');
      await work();
      await sweep(makegood.deps);
      await work();
    });

    test('parcels that are silent, were never scanned, or are of nobody are counted and named', async () => {
      const far = { promise: { on: '2026-11-30', timeZone: 'America/New_York' } };
      await register('silent', far);
      await report('silent', ['in_transit', 'departed_facility', '2026-11-08T11:00:00Z']);
      await register('unseen', far);
      // Heard of long ago, by the clock of the database, and never registered.
      await database.query(
        `INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, status, occurred_at, code, received_at)
         VALUES (gen_random_uuid(), 'easypost', 'USPS', 'usps', 'STRANGER', 'in_transit', $1, 'x', $1)`,
        ['2026-11-01T11:00:00Z'],
      );
      await work();
      const soon = await sweep(makegood.deps);
      expect(soon.found).toMatchObject({ stalled: { count: 0 } });
      at('2026-11-11T13:00:00Z');
      const { found } = await sweep(makegood.deps, { dryRun: true });
      expect(found.stalled).toEqual({ count: 1, first: ['silent (usps sweep-silent)'] });
      expect(found.neverScanned.first).toContain('unseen (usps sweep-unseen)');
      expect(found.neverScanned.first).not.toContain('silent (usps sweep-silent)');
      expect(found.unmatched.first).toEqual(['USPS STRANGER']);
    });

    test('a settled order whose judgement with its latest scans was lost is judged again, once', async () => {
      at('2026-11-11T14:00:00Z');
      await register('settled');
      await report('settled', ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z']);
      await work();
      expect((await makegood.order('settled')).verdict).toMatchObject({ verdict: 'on_time' });
      // A correction: it came a day later. It is added up, and then its ticket is lost.
      await database.query(`DELETE FROM tracking_events WHERE tracking_key = 'SWEEPSETTLED'`);
      await report('settled');
      await workByHand(makegood.deps, database, 'track-shipments');
      await loseTickets();

      expect((await sweep(makegood.deps)).forgotten).toMatchObject({ numbers: 0, orders: 1 });
      await work();
      expect((await makegood.order('settled')).verdict).toMatchObject({ verdict: 'late' });
      expect((await sweep(makegood.deps)).forgotten).toMatchObject({ numbers: 0, orders: 0 });
      await work();
    });

    test('an award that is said to be booked and is not is shown, and nothing is booked by guessing', async () => {
      await database.query(
        `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, months, status, rule, reason,
           policy_version, decided_at, applied_at, provider)
         SELECT gen_random_uuid(), order_id, customer_id, incident, decision_id, class, 9, kind, months, 'pending', rule, reason,
           policy_version, decided_at, NULL, NULL FROM awards WHERE order_id = 'settled'`,
      );
      await database.query(
        `UPDATE awards SET status = 'applied', applied_at = decided_at, provider = 'ledger' WHERE order_id = 'settled' AND step = 9`,
      );
      const transfers = await countRows(database, 'ledger_transfers');
      expect((await sweep(makegood.deps)).forgotten.unbooked).toBe(1);
      await work();
      expect(await countRows(database, 'ledger_transfers')).toBe(transfers);
    });

    test('supervisors see the nights, the newest first, with what each found', async () => {
      const { status, body } = await makegood.request('GET', '/v1/sweeps?limit=2');
      expect(status).toBe(200);
      const runs = await database.query<{ id: string; report: SweepReport }>(
        'SELECT id, report FROM sweep_runs ORDER BY id DESC LIMIT 3',
      );
      expect(body.items.map(({ id }: { id: string }) => id)).toEqual(runs.slice(0, 2).map(({ id }) => id));
      expect(body.items[0]).toMatchObject({ finishedAt: expect.any(String), resumedAt: null, report: runs[0]?.report });
      const next = await makegood.request('GET', `/v1/sweeps?limit=2&after=${body.next}`);
      expect(next.body.items[0].id).toBe(runs[2]?.id);
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
