import { randomUUID } from 'node:crypto';
import { expect, jest, test } from '@jest/globals';
import { ShiftedClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import { createLogger } from '../../src/logger.js';
import { openDeps } from '../../src/open-deps.js';
import { findAndTellApart } from '../../src/promises/pass-over-store.js';
import { sweep } from '../../src/promises/sweep.js';
import { createRandom, type Random } from '../chaos/random.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

jest.setTimeout(120_000);

const ORDERS = 1_500;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Between two hours of any day in any zone, so that nothing lies on a bound. */
const NOW = Date.parse('2026-11-20T12:17:00Z');

const oneOf = <T>(random: Random, items: readonly T[]): T => items[random.between(0, items.length - 1)] as T;
/** A share of the time. */
const now = (random: Random, share: number) => random.next() < share;
/** Around an instant, never on a whole hour of it. */
const about = (random: Random, at: number, fromDays: number, toDays: number) =>
  new Date(at + random.between(fromDays * 24, toDays * 24) * HOUR + random.between(1, 59) * 60_000);

interface Rows {
  readonly [table: string]: Record<string, unknown>[];
}

function scan(random: Random, number: string, at: number): Record<string, unknown> {
  const occurred = about(random, at, -5, 1);
  const time = now(random, 0.93)
    ? { occurred_at: occurred }
    : now(random, 0.5)
      ? { occurred_local: occurred.toISOString().slice(0, 19) }
      : { occurred_on: occurred.toISOString().slice(0, 10) };
  return {
    scan_key: randomUUID(),
    source: 'easypost',
    carrier: 'usps',
    carrier_key: now(random, 0.97) ? 'usps' : 'uspsground',
    tracking_key: number,
    status: now(random, 0.03)
      ? oneOf(random, ['delivered', 'attempted', 'available_for_pickup', 'return_to_sender', 'cancelled', 'exception'])
      : oneOf(random, ['in_transit', 'in_transit', 'in_transit', 'out_for_delivery', 'pre_transit', 'unknown']),
    exception: now(random, 0.03) ? oneOf(random, ['lost', 'damaged', 'weather', 'customs']) : null,
    disputed: now(random, 0.02),
    first_hand: now(random, 0.05),
    superseded_at: now(random, 0.04) ? new Date(at) : null,
    code: 'test',
    received_at: new Date(at),
    ...time,
  };
}

/** Orders of all sorts, as they stood some hours ago. */
function makeOrders(random: Random): Rows {
  const at = NOW - 20 * HOUR;
  const rows = { customers: [], orders: [], shipments: [], tracking_events: [] } as Record<string, Rows[string]>;
  const numbers: string[] = [];
  for (let n = 0; n < ORDERS; n++) {
    const id = `o-${String(n).padStart(6, '0')}`;
    const [customer, registered] = [`c-${n}`, about(random, NOW, -7, -1)];
    const on = new Date(about(random, NOW, -2, 9).toISOString().slice(0, 10));
    const isDay = now(random, 0.8);
    const promise = isDay
      ? { promise_on: on.toISOString().slice(0, 10), promised_until: new Date(on.getTime() + DAY) }
      : { promise_at: on, promised_until: on };
    rows.customers?.push({
      id: customer,
      email: `${customer}@example.com`,
      membership_tier: now(random, 0.2) ? 'prime' : null,
    });
    rows.orders?.push({
      id,
      customer_id: customer,
      ...promise,
      promise_time_zone: 'UTC',
      registered_at: registered,
      placed_at: now(random, 0.5) ? about(random, NOW, -9, -7) : now(random, 0.1) ? about(random, NOW, 20, 40) : null,
      due_at: promise.promised_until,
      backfill: now(random, 0.02),
      digital: now(random, 0.02),
      total_minor: 5990,
      currency: 'USD',
    });
    for (let position = 0; position < random.between(0, 20) % 3; position++) {
      const number = numbers.length > 0 && now(random, 0.03) ? oneOf(random, numbers) : `N${n}P${position}`;
      numbers.push(number);
      rows.shipments?.push({
        id: randomUUID(),
        order_id: id,
        position,
        carrier: 'usps',
        carrier_key: 'usps',
        tracking_number: number,
        tracking_key: number,
        tracked_at: new Date(at),
        ...(now(random, 0.02)
          ? { promise_on: about(random, NOW, -2, 5).toISOString().slice(0, 10), promise_time_zone: 'UTC' }
          : {}),
        ...(now(random, 0.3) ? { estimated_on: about(random, on.getTime(), -3, 3).toISOString().slice(0, 10) } : {}),
        ...(now(random, 0.1) ? { estimated_at: about(random, on.getTime(), -3, 3) } : {}),
      });
      const scans = now(random, 0.2) ? 0 : random.between(1, 4);
      for (let k = 0; k < scans; k++) {
        rows.tracking_events?.push(scan(random, number, now(random, 0.02) ? at - 200 * DAY : at));
      }
    }
  }
  return rows;
}

/** What came in since, and whose tickets were all lost. */
function makeNews(random: Random, { orders = [], shipments = [] }: Rows): Rows {
  const rows = { tracking_events: [], contacts: [], reported_incidents: [], shipments: [] } as Record<
    string,
    Rows[string]
  >;
  for (const { tracking_key: number } of shipments) {
    if (now(random, 0.1)) rows.tracking_events?.push(scan(random, String(number), NOW));
    // A scan that is still to come.
    if (now(random, 0.03)) {
      rows.tracking_events?.push({
        ...scan(random, String(number), NOW),
        occurred_local: null,
        occurred_on: null,
        occurred_at: about(random, NOW, 0, 2),
      });
    }
  }
  for (const { id, customer_id } of orders) {
    const told = { order_id: id, recorded_at: new Date(NOW), recorded_by: 'test' };
    if (now(random, 0.03)) {
      const reason = oneOf(random, ['not_received', 'damaged', 'late']);
      rows.contacts?.push({
        ...told,
        id: randomUUID(),
        customer_id,
        channel: 'email',
        reason,
        at: about(random, NOW, -1, 0),
      });
    }
    if (now(random, 0.03)) {
      rows.reported_incidents?.push({
        ...told,
        id: randomUUID(),
        kind: 'playback_quality',
        evidence: {},
        at: about(random, NOW, -1, 0),
      });
    }
    if (now(random, 0.03)) {
      const number = `NEW${id}`;
      const parcel = { carrier: 'usps', carrier_key: 'usps', tracking_number: number, tracking_key: number };
      rows.shipments?.push({ id: randomUUID(), order_id: id, position: 9, ...parcel });
    }
  }
  return rows;
}

async function insert(database: TestDatabase, tables: Rows): Promise<void> {
  for (const [table, rows] of Object.entries(tables)) {
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].join(', ');
    if (rows.length === 0) continue;
    await database.query(
      `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`,
      [JSON.stringify(rows)],
    );
  }
}

async function withDeps<T>(
  database: TestDatabase,
  letters: string,
  at: number,
  work: (deps: Deps) => Promise<T>,
): Promise<T> {
  const clock = new ShiftedClock();
  const config = readConfig({ DATABASE_URL: database.url, SERVICE_LETTERS: letters, LOG_LEVEL: 'silent' });
  const { deps, close } = await openDeps(config, {
    databaseUrl: database.url,
    log: createLogger('silent'),
    withQueues: false,
    clock,
  });
  clock.set(new Date(at));
  try {
    return await work(deps);
  } finally {
    await close();
  }
}

/** What a sweep leaves: all but names that are made anew each time, and instants of the sweep itself. */
async function stateOf(database: TestDatabase): Promise<Record<string, unknown>> {
  const read = {
    // What must be judged again at once is due at the instant of its judgement, to the millisecond.
    orders: `SELECT id, date_trunc('minute', due_at) AS due_at, verdict, arm FROM orders ORDER BY id`,
    verdicts: `SELECT order_id, verdict, promised_until, met_at, late_days, fault, incident, declined_because, mode, arm, trigger,
      jsonb_array_length(inputs -> 'cases') AS cases FROM verdicts ORDER BY order_id, judged_at, id`,
    incidents: 'SELECT order_id, kind FROM incidents ORDER BY 1, 2',
    awards:
      'SELECT order_id, incident, class, step, kind, months, amount_minor, status, rule FROM awards ORDER BY 1, 2, 3, 4',
    notices: 'SELECT order_id, kind, part, tells FROM notices ORDER BY 1, 2, 3',
    tasks: 'SELECT order_id, incident, rule, kind FROM tasks ORDER BY 1, 2, 3',
    events: `SELECT type, order_id FROM events ORDER BY 1, 2`,
    tickets: 'SELECT stage, sum(cardinality(ids))::int AS ids FROM outbox GROUP BY stage ORDER BY stage',
    scans: 'SELECT scan_key, superseded_at FROM tracking_events ORDER BY 1',
    money: 'SELECT currency, sum(spent_minor)::int AS spent FROM budget_days GROUP BY 1 ORDER BY 1',
    breaker: 'SELECT sum(settled)::int AS settled, sum(late)::int AS late FROM verdict_minutes',
  };
  const entries = Object.entries(read).map(async ([name, sql]) => [name, await database.query(sql)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

test.each([
  { seed: 1, letters: 'at-risk' },
  { seed: 2, letters: 'shipped,at-risk' },
  { seed: 3, letters: 'none' },
])(
  'a sweep finds and writes the same, whether it judges all open orders or passes over those that stand still (seed $seed, letters $letters)',
  async ({ seed, letters }) => {
    const random = createRandom(seed);
    const before = await createTestDatabase();
    const databases: TestDatabase[] = [before];
    try {
      const orders = makeOrders(random);
      await insert(before, orders);
      await withDeps(before, 'none', NOW - 20 * HOUR, (deps) => sweep(deps));
      await insert(before, makeNews(random, orders));
      // Taken by somebody who then died; and looked at long after the policy was put in force.
      await before.query(
        `UPDATE orders SET due_at = $1::timestamptz + interval '10 minutes' WHERE due_at <= $1 AND id LIKE '%7'`,
        [new Date(NOW)],
      );
      await before.query(
        `UPDATE orders SET looked_at = now() + interval '2 hours' WHERE looked_at IS NOT NULL AND id NOT LIKE '%33'`,
      );
      await before.disconnect();
      const passing = await createTestDatabase(before.name);
      databases.push(passing);
      const judging = await createTestDatabase(before.name);
      databases.push(judging);
      // Of what nobody has looked at yet nothing is known to stand still.
      await judging.query('UPDATE orders SET looked_at = NULL');

      const results = [];
      for (const database of [passing, judging]) {
        const result = await withDeps(database, letters, NOW, async (deps) => {
          const all = { after: '', until: null, unless: null };
          const found = await findAndTellApart(
            deps.db.pool,
            all,
            { at: new Date(NOW), tellsShipped: deps.config.serviceLetters.has('shipped') },
            ORDERS,
          );
          const { trace: _trace, startedAt: _startedAt, asOf: _asOf, ...report } = await sweep(deps);
          return {
            still: found.filter(({ standsStill }) => standsStill).map(({ id }) => id),
            open: found.length,
            report,
          };
        });
        const looked = await database.query<{ id: string }>(
          'SELECT id FROM orders WHERE due_at IS NOT NULL AND judged_at < $1',
          [new Date(NOW)],
        );
        results.push({ ...result, untouched: looked.map(({ id }) => id).sort(), state: await stateOf(database) });
      }
      const [one, other] = results;
      expect(one?.report).toEqual(other?.report);
      expect(one?.state).toEqual(other?.state);
      expect(one?.untouched).toEqual(one?.still);
      expect(other?.still).toEqual([]);
      expect(other?.untouched).toEqual([]);
      // Enough of both to say something.
      expect(one?.still.length).toBeGreaterThan(ORDERS / 20);
      expect(one?.still.length).toBeLessThan(((one?.open ?? 0) * 2) / 3);
      expect(one?.report.found.stalled.count).toBeGreaterThan(10);
      expect(one?.report.found.neverScanned.count).toBeGreaterThan(10);
      expect(one?.report.changed).toBeGreaterThan(10);
    } finally {
      for (const database of databases.reverse()) await database.drop();
    }
  },
);
