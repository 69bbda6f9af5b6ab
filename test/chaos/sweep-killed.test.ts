import { expect, jest, test } from '@jest/globals';
import { addHours } from 'date-fns';
import type { SweepAnswer } from '../../src/cli/commands/sweep.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows } from '../support/database-state.js';
import { runProgram } from '../support/run-program.js';

jest.setTimeout(240_000);

/** More than two chunks, so that there is a first, a middle and a last one. */
const ORDERS = 250;

/** Every so manieth customer is a member, and gets a month; for the others the order names no currency to give anything in. */
const MEMBERS_EVERY = 25;
const MEMBERS = ORDERS / MEMBERS_EVERY;

/** Orders that were promised for long ago and of which nothing was heard: each is overdue. None was judged yet. */
async function registerOverdue(database: TestDatabase, from: number, until: number): Promise<void> {
  await database.query(
    `INSERT INTO customers (id, membership_tier, email)
     SELECT 'c-' || lpad(n::text, 5, '0'), CASE WHEN n % $3 = 0 THEN 'prime' END, CASE WHEN n % $3 = 0 THEN 'c-' || n || '@example.com' END
     FROM generate_series($1::int, $2::int) n`,
    [from, until, MEMBERS_EVERY],
  );
  const promised = addHours(new Date(), -24 * 5);
  await database.query(
    `INSERT INTO orders (id, customer_id, promise_at, promise_time_zone, promised_until, registered_at, due_at)
     SELECT 'o-' || lpad(n::text, 5, '0'), 'c-' || lpad(n::text, 5, '0'), $3, 'UTC', $3, $3, $3
     FROM generate_series($1::int, $2::int) n`,
    [from, until, promised],
  );
}

async function runSweep(database: TestDatabase, failpoint?: string): Promise<SweepAnswer | 'killed'> {
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: '',
    SMTP_URL: '',
    NODE_ENV: 'test',
    MAKEGOOD_FAILPOINT: failpoint ?? '',
  };
  const { status, stdout, stderr } = await runProgram(['makegood', 'sweep', '--json'], { env });
  if (status === null) return 'killed';
  if (status !== 0) throw new Error(`makegood sweep ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

const judged = (database: TestDatabase) => countRows(database, 'verdicts');

test('a sweep that is killed before and after the commit of every chunk does each order once, and reports all of it', async () => {
  const database = await createTestDatabase();
  try {
    await registerOverdue(database, 1, ORDERS);
    const seen: number[] = [];
    // Killed before the commit nothing of the chunk is there; killed after it the next one goes on behind it.
    for (let chunk = 1; chunk <= 3; chunk++) {
      const before = await judged(database);
      expect(await runSweep(database, 'sweep:before-commit')).toBe('killed');
      expect(await judged(database)).toBe(before);
      expect(await runSweep(database, 'sweep:after-commit')).toBe('killed');
      seen.push((await judged(database)) - before);
    }
    expect(seen).toEqual([100, 100, 50]);
    expect(await countRows(database, 'sweep_runs')).toBe(1);

    // What came in behind its back meanwhile is judged too.
    await registerOverdue(database, 0, 0);
    const report = await runSweep(database);
    expect(report).toMatchObject({
      resumed: true,
      orders: ORDERS + 1,
      judged: ORDERS + 1,
      changed: ORDERS + 1,
      paid: { awards: MEMBERS + 1, totals: { months: MEMBERS + 1 } },
      held: { awards: ORDERS - MEMBERS, why: { currency: ORDERS - MEMBERS } },
      messages: MEMBERS + 1,
      verdicts: { overdue: ORDERS + 1 },
    });
    const [perOrder] = await database.query(
      'SELECT count(*)::int AS awards, count(DISTINCT order_id)::int AS orders FROM awards',
    );
    expect(perOrder).toEqual({ awards: ORDERS + 1, orders: ORDERS + 1 });
    expect(await judged(database)).toBe(ORDERS + 1);
    const runs = await database.query('SELECT finished_at IS NOT NULL AS finished FROM sweep_runs');
    expect(runs).toEqual([{ finished: true }]);

    // The next one begins anew.
    expect(await runSweep(database)).toMatchObject({ resumed: false, changed: 0, awards: 0 });
  } finally {
    await database.drop();
  }
});
