import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CARRIERS } from '../../src/carriers/registry.js';
import { replay } from '../../src/inbox/replay.js';
import { fixtureNames, rawFixture } from '../support/carriers.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { orderDocument, trackerEvent } from '../support/makegood.js';
import { runProgram } from '../support/run-program.js';
import { signedBy, sourceEnvironment } from '../support/sources.js';
import { atOnce, ticketsOf, workByHand } from '../support/tickets.js';

type Told = readonly [status: string, detail: string, datetime: string];
const moving: Told = ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'];
const delivered: Told = ['delivered', 'arrived_at_destination', '2026-11-05T19:00:00Z'];

/** A snapshot that the source took at this time. */
function snapshot(number: string, takenAt: string, scans: readonly Told[]) {
  const event = trackerEvent(number, scans);
  return { ...event, result: { ...event.result, updated_at: takenAt } };
}

/** Does to scans what the database refuses everybody else: what an older version of the code has left behind. */
const asOldCode = (database: TestDatabase, sql: string) =>
  database.query(
    `ALTER TABLE tracking_events DISABLE TRIGGER tracking_events_keep_scan; ${sql};
     ALTER TABLE tracking_events ENABLE TRIGGER tracking_events_keep_scan`,
  );

describe('a database of which everything is right', () => {
  let database: TestDatabase;
  let server: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    server = await startHttpServer(database.url, sourceEnvironment());
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  test('not a row of it changes, whatever the sources have told, in whatever order', async () => {
    for (const carrier of CARRIERS) {
      const names = fixtureNames(carrier.source);
      for (const name of [...names, ...names.reverse()]) {
        const body = rawFixture(carrier.source, name);
        await server.request('POST', `/webhooks/${carrier.source}`, body, {
          authorization: '',
          ...signedBy(carrier, body),
        });
      }
    }
    const parcels = await database.query<{ carrier: string; key: string }>(
      'SELECT DISTINCT carrier, tracking_key AS key FROM tracking_events ORDER BY 2',
    );
    expect(parcels.length).toBeGreaterThan(100);
    for (const [index, { carrier, key }] of parcels.entries()) {
      const document = orderDocument({
        customerId: `c-${index}`,
        carrier,
        trackingNumber: key,
        placedAt: '2026-04-01T00:00:00Z',
      });
      await server.put(`o-${index}`, { ...document, promise: { on: '2026-04-10', timeZone: 'America/New_York' } });
    }
    await workByHand(server.deps, database, 'judge-promises');

    const before = await readDatabaseState(database);
    const report = await replay(server.deps);
    expect(report).toMatchObject({
      webhooks: await countRows(database, 'inbox'),
      scans: { added: 0, corrected: 0, withdrawn: 0 },
      wordsLearnt: 0,
      orders: 0,
      failed: [],
      moreFailed: 0,
    });
    expect(report.scans.known).toBeGreaterThanOrEqual(await countRows(database, 'tracking_events'));
    expect(await readDatabaseState(database)).toEqual(before);
  });
});

describe('a database of which something is wrong', () => {
  let database: TestDatabase;
  let server: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    server = await startHttpServer(database.url, sourceEnvironment());
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });
  const settle = () => workByHand(server.deps, database, 'judge-promises');

  let orders = 0;
  /** An order whose webhooks were received and judged. @returns its id, which is its number too */
  async function received(...events: readonly (readonly Told[])[]): Promise<string> {
    const id = `REPLAY${++orders}`;
    await server.put(id, orderDocument({ customerId: `c-${id}`, trackingNumber: id }));
    for (const [index, scans] of events.entries()) {
      const answer = await server.webhook(snapshot(id, `2026-11-06T1${index}:00:00Z`, scans));
      if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    }
    await settle();
    return id;
  }
  const scansOf = (id: string) =>
    database.query('SELECT * FROM tracking_events WHERE tracking_key = $1 ORDER BY scan_key', [id]);
  const historiesOf = (id: string) => database.query('SELECT * FROM histories WHERE tracking_key = $1', [id]);
  const verdictOf = async (id: string) => (await server.order(id)).verdict?.verdict;
  const recheck = (id: string) => server.request('POST', `/v1/orders/${id}/recheck`, {});
  /** What is put right is right: the next run finds nothing. */
  async function expectDone() {
    await settle();
    const before = await readDatabaseState(database);
    const { scans, orders: touched } = await replay(server.deps);
    expect({ ...scans, known: 0, touched }).toEqual({ known: 0, added: 0, corrected: 0, withdrawn: 0, touched: 0 });
    expect(await readDatabaseState(database)).toEqual(before);
  }

  test('scans that were deleted come back as they were, and the order is judged again', async () => {
    const id = await received([moving], [moving, delivered]);
    const before = await scansOf(id);
    expect(before).toHaveLength(2);
    await database.query('DELETE FROM tracking_events WHERE tracking_key = $1', [id]);
    await recheck(id);
    expect(await verdictOf(id)).not.toBe('on_time');

    const report = await replay(server.deps);
    expect(report).toMatchObject({ scans: { added: 2, corrected: 0, withdrawn: 0 }, orders: 1 });
    expect(await scansOf(id)).toEqual(before);
    expect(await ticketsOf(database, 'track-shipments')).toMatchObject([{ ids: [id], trigger: 'replay' }]);
    await settle();
    expect(await verdictOf(id)).toBe('on_time');
    expect(
      await database.query(
        'SELECT v.trigger, v.trace FROM verdicts v JOIN orders o ON o.verdict_id = v.id WHERE o.id = $1',
        [id],
      ),
    ).toEqual([{ trigger: 'replay', trace: report.trace }]);
    await expectDone();
  });

  test('a word that is known by now gives its scan the status; a word that is not stays unknown, and listed', async () => {
    const id = await received(
      [moving, delivered],
      [moving, delivered, ['teleported', 'to_the_moon', '2026-11-05T20:00:00Z']],
    );
    const before = await scansOf(id);
    await asOldCode(
      database,
      `UPDATE tracking_events SET status = 'unknown' WHERE tracking_key = '${id}' AND status = 'delivered';
       INSERT INTO unknown_codes (source, code, scans, first_seen_at, last_seen_at)
         SELECT source, 'arrived_at_destination', 1, received_at, received_at FROM tracking_events
         WHERE tracking_key = '${id}' AND code LIKE '%arrived_at_destination%'`,
    );
    await recheck(id);
    expect(await verdictOf(id)).not.toBe('on_time');
    const words = () => database.query('SELECT code, scans FROM unknown_codes ORDER BY code');
    expect(await words()).toHaveLength(2);

    expect(await replay(server.deps)).toMatchObject({
      scans: { added: 0, corrected: 1, withdrawn: 0 },
      wordsLearnt: 1,
      orders: 1,
    });
    const noted = (rows: readonly object[]) => rows.map((row) => ({ ...row, borrowed_at: null }));
    expect(noted(await scansOf(id))).toEqual(noted(before));
    expect(await words()).toEqual([{ code: expect.stringContaining('teleported'), scans: '1' }]);
    await settle();
    expect(await verdictOf(id)).toBe('on_time');
    await expectDone();
  });

  test('a status that today’s tables have otherwise is put right, by the webhook that brought the scan', async () => {
    const id = await received([moving], [moving, delivered]);
    await asOldCode(
      database,
      `UPDATE tracking_events SET status = 'delivered' WHERE tracking_key = '${id}' AND status = 'in_transit'`,
    );
    expect(await replay(server.deps)).toMatchObject({ scans: { added: 0, corrected: 1, withdrawn: 0 } });
    expect((await scansOf(id)).map(({ status }) => status).sort()).toEqual(['delivered', 'in_transit']);
    await expectDone();
  });

  test('a scan that was misread gives way to what is read in its place; one without a successor stays', async () => {
    const id = await received([moving, delivered], [moving, delivered]);
    const [before, histories] = [await scansOf(id), await historiesOf(id)];
    const [misread, lost] = [randomUUID(), randomUUID()];
    await asOldCode(
      database,
      `UPDATE histories SET scan_keys = array_replace(scan_keys,
         (SELECT scan_key FROM tracking_events WHERE tracking_key = '${id}' AND status = 'delivered'), '${misread}')
         WHERE tracking_key = '${id}';
       UPDATE tracking_events SET scan_key = '${misread}', occurred_at = occurred_at + interval '5 hours'
         WHERE tracking_key = '${id}' AND status = 'delivered';
       INSERT INTO tracking_events (scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, occurred_at, code, received_at)
         SELECT '${lost}', inbox_id, source, carrier, carrier_key, tracking_key, 'out_for_delivery', '2026-11-05T11:11:00Z', 'gone', received_at
         FROM tracking_events WHERE scan_key = '${misread}'`,
    );
    await recheck(id);
    expect(await replay(server.deps)).toMatchObject({ scans: { added: 1, corrected: 0, withdrawn: 1 } });
    const after = await scansOf(id);
    expect(after.filter((row) => row.scan_key !== lost)).toEqual(before);
    expect(after).toHaveLength(before.length + 1);
    const told = (rows: readonly Record<string, unknown>[]) =>
      rows.map((row) => [...(row.scan_keys as string[])].sort());
    expect(told(await historiesOf(id))).toEqual(told(histories));
    await expectDone();
  });

  test('only of the source, and only since then', async () => {
    const id = await received([moving, delivered]);
    const [row] = await database.query<{ at: Date }>('SELECT max(received_at) AS at FROM inbox');
    const since = row?.at ?? new Date();
    await database.query('DELETE FROM tracking_events WHERE tracking_key = $1', [id]);
    expect(await replay(server.deps, { source: 'shippo' })).toMatchObject({ webhooks: 0, scans: { added: 0 } });
    const later = new Date(since.getTime() + 1);
    expect(await replay(server.deps, { since: later })).toMatchObject({ webhooks: 0, scans: { added: 0 } });
    expect(await replay(server.deps, { source: 'easypost', since })).toMatchObject({
      webhooks: 1,
      scans: { added: 2 },
    });
    await settle();
  });

  describe('a webhook that is no good any more', () => {
    const poison = async (source: string, body: string) => {
      const id = randomUUID();
      await database.query(
        `INSERT INTO inbox (id, source, dedupe_key, body, received_at) VALUES ($1, $2, gen_random_uuid(), $3, now())`,
        [id, source, Buffer.from(body)],
      );
      return id;
    };
    afterEach(async () => {
      await database.query(
        `DROP TRIGGER IF EXISTS refuse_poison ON tracking_events; DELETE FROM inbox WHERE delivery_id IS NULL`,
      );
    });

    test.each([
      ['is not JSON', 'easypost', '{"result":', /not.*JSON/i],
      [
        'lacks what it needs',
        'easypost',
        '{"object":"Event","description":"tracker.updated","result":{"object":"Tracker"}}',
        /tracking_code/,
      ],
      ['is of a source that is gone', 'pigeons', '{}', /no source of this name/],
    ])('%s: it is named and skipped, and all others are read', async (_name, source, body, reason) => {
      const id = await received([moving, delivered]);
      const bad = await poison(source, body);
      await received([moving]);
      await database.query('DELETE FROM tracking_events WHERE tracking_key = $1', [id]);
      const report = await replay(server.deps);
      expect(report).toMatchObject({ scans: { added: 2 }, moreFailed: 0 });
      expect(report.failed).toEqual([
        { id: bad, source, receivedAt: expect.any(Date), reason: expect.stringMatching(reason) },
      ]);
      await settle();
    });

    test('cannot be stored: halves find it, and all others are stored', async () => {
      const [one, bad, other] = [await received([moving]), await received([moving]), await received([moving])];
      await database.query(
        `CREATE OR REPLACE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'this one is bad' USING ERRCODE = 'check_violation'; END $$;
         CREATE TRIGGER refuse_poison BEFORE INSERT ON tracking_events FOR EACH ROW WHEN (NEW.tracking_key = '${bad}')
           EXECUTE FUNCTION refuse_poison();
         DELETE FROM tracking_events WHERE tracking_key IN ('${one}', '${bad}', '${other}')`,
      );
      const report = await replay(server.deps);
      expect(report).toMatchObject({ scans: { added: 2 }, orders: 2, failed: [{ reason: 'this one is bad' }] });
      expect([await scansOf(one), await scansOf(bad), await scansOf(other)].map((rows) => rows.length)).toEqual([
        1, 0, 1,
      ]);
      await settle();
    });
  });

  test('makegood replay does all of it to the verdict, says so, and is called rightly or not at all', async () => {
    const command = (...args: string[]) =>
      runProgram(['makegood', 'replay', ...args], { env: { DATABASE_URL: database.url } });
    const id = await received([moving, delivered]);
    await database.query('DELETE FROM tracking_events WHERE tracking_key = $1', [id]);
    await recheck(id);
    const { status, stdout, stderr } = await command('--json', '--source', 'easypost');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({
      webhooks: await countRows(database, 'inbox'),
      scans: { known: expect.any(Number), added: 2 + 1, corrected: 0, withdrawn: 0 },
      wordsLearnt: 0,
      orders: { judged: 2, changed: 1 },
      messages: 0,
      failed: [],
      moreFailed: 0,
    });
    expect(await verdictOf(id)).toBe('on_time');
    for (const [args, saying] of [
      [['--source', 'pigeons'], /easypost, shippo, aftership/],
      [['--since', 'yesterday'], /--since is an ISO 8601 instant/],
    ] as const) {
      const refused = await command(...args);
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toMatch(saying);
    }
    expect((await command('--help')).stdout).toMatch(/--source[\s\S]*--since/);
  });
});

describe('killed in the middle', () => {
  let database: TestDatabase;
  let server: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    server = await startHttpServer(database.url, sourceEnvironment());
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  test('what was committed stands, and another run does the rest', async () => {
    const numbers = Array.from({ length: 450 }, (_, index) => `KILLED${index}`);
    await atOnce(numbers, 20, async (number) => {
      const { status } = await server.webhook(snapshot(number, '2026-11-06T12:00:00Z', [moving, delivered]));
      if (status !== 200) throw new Error(String(status));
    });
    await workByHand(server.deps, database, 'judge-promises');
    const before = await readDatabaseState(database);
    await database.query('DELETE FROM tracking_events');
    const command = (env: Record<string, string>) =>
      runProgram(['makegood', 'replay', '--json'], { env: { DATABASE_URL: database.url, ...env } });

    const killed = await command({ NODE_ENV: 'test', MAKEGOOD_FAILPOINT: 'replay:chunk-done' });
    expect(killed).toMatchObject({ status: null, stdout: '' });
    const there = await countRows(database, 'tracking_events');
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(900);

    const { status, stdout } = await command({});
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      webhooks: 450,
      scans: { known: there, added: 900 - there },
      failed: [],
    });
    await workByHand(server.deps, database, 'judge-promises');
    expect(await readDatabaseState(database)).toEqual(before);
  });
});
