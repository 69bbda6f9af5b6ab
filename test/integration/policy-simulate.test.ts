import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import document from '../../src/compensation/policies/default.json' with { type: 'json' };
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { orderDocument, trackerEvent } from '../support/makegood.js';
import { type Ended, runProgram } from '../support/run-program.js';
import { insertSyntheticOrders } from '../support/synthetic-orders.js';

let database: TestDatabase;
let server: TestServer;
let folder: string;
let generous: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-simulate-'));
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  await insertSyntheticOrders(database.query, 2_300);
  await addByHand();
  generous = await fileOf('generous.json', {
    ...document,
    name: 'Two months',
    rules: document.rules.map((rule) =>
      rule.id === 'prime-month' ? { ...rule, gives: { ...rule.gives, months: 2 } } : rule,
    ),
  });
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

const makegood = (...args: readonly string[]): Promise<Ended> =>
  runProgram(['makegood', ...args], { env: { DATABASE_URL: database.url, MAIL_FROM: 'care@shop.example' } });
// biome-ignore lint/suspicious/noExplicitAny: whatever it is, the test says what it must be.
function answerOf({ status, stdout, stderr }: Ended): any {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}
async function fileOf(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return file;
}

/** After all synthetic ones: a member whose parcel came a day late, and an order that was imported long after its promise. */
async function addByHand(): Promise<void> {
  const late = orderDocument({
    customerId: 'hand-1',
    trackingNumber: '9400-hand',
    placedAt: '2026-06-01T12:00:00Z',
    promise: { on: '2026-06-05', timeZone: 'America/New_York' },
  });
  expect((await server.put('hand', late)).status).toBe(201);
  await server.webhook(trackerEvent('9400-hand', [['delivered', 'arrived_at_destination', '2026-06-06T19:00:00Z']]));
  expect(
    (await server.put('hand-old', { ...late, shipments: [], customer: { ...late.customer, id: 'hand-2' } })).status,
  ).toBe(201);
  await database.query("UPDATE orders SET backfill = true WHERE id = 'hand-old'");
}

describe('policy simulate', () => {
  test('prints both policies side by side in one JSON document, writes the plot, and changes nothing', async () => {
    const before = await readDatabaseState(database);
    const svg = join(folder, 'plot.svg');
    const answer = answerOf(await makegood('policy', 'simulate', generous, '--json', '--svg', svg));
    const [{ count }] = (await database.query('SELECT count(*)::int FROM orders')) as [{ count: number }];
    expect(answer).toMatchObject({
      orders: count,
      since: null,
      active: { name: 'Default', version: 1 },
      candidate: { name: 'Two months', version: null },
      svg,
    });
    const { active, candidate, changes } = answer;
    // Counted from the scans by the database itself.
    const [{ late }] = (await database.query(
      `SELECT count(DISTINCT o.id)::int AS late FROM orders o JOIN shipments s ON s.order_id = o.id
       JOIN tracking_events e ON e.tracking_key = s.tracking_key
       WHERE e.status = 'delivered' AND (e.occurred_at AT TIME ZONE o.promise_time_zone)::date > o.promise_on`,
    )) as [{ late: number }];
    expect(late).toBeGreaterThan(100);
    expect(active.verdicts.late).toBe(late);
    expect(candidate.verdicts).toEqual(active.verdicts);
    expect(sum(Object.values(active.verdicts))).toBe(count);

    const months = (side: 'active' | 'candidate') =>
      answer.totals.find(({ unit }: { unit: string }) => unit === 'months')[side].given;
    expect(months('active')).toBeGreaterThan(10);
    expect(months('candidate')).toBe(2 * months('active'));
    expect(sum(Object.values(changes.orders))).toBe(count);
    expect(changes.orders).toMatchObject({ winners: months('active'), losers: 0, mixed: 0 });
    expect(answer.mostDifferent).toHaveLength(10);
    expect(answer.mostDifferent[0].active.awards).toContainEqual(
      expect.objectContaining({ kind: 'membership_extension', unit: 'months', quantity: 1, rule: 'prime-month' }),
    );
    expect(await readFile(svg, 'utf8')).toMatch(/^<svg [\s\S]*USD a week[\s\S]*<\/svg>\n$/);
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('--since counts later orders alone, an imported one among them; with what was known then, by --until', async () => {
    const counted = answerOf(await makegood('policy', 'simulate', generous, '--since', '2026-06-01', '--json'));
    expect(counted).toMatchObject({
      orders: 2,
      customers: 2,
      active: {
        verdicts: { late: 1, overdue: 1 },
        awards: [{ kind: 'membership_extension', given: 2, held: 0, awaitingApproval: 0 }],
      },
      changes: { customers: { winners: 2, losers: 0, mixed: 0, same: 0 } },
    });
    const until = answerOf(
      await makegood(
        'policy',
        'simulate',
        generous,
        '--since',
        '2026-06-01',
        '--until',
        '2026-06-05T12:00:00Z',
        '--json',
      ),
    );
    expect(until).toMatchObject({
      asOf: '2026-06-05T12:00:00.000Z',
      orders: 2,
      active: { verdicts: { pending: 2 }, awards: [] },
    });
  });

  test('other judging changes verdicts', async () => {
    const lenient = await fileOf('lenient.json', {
      ...document,
      name: 'A week of grace',
      judging: { ...document.judging, graceMinutes: 7 * 1_440 },
    });
    const { active, candidate, changes } = answerOf(await makegood('policy', 'simulate', lenient, '--json'));
    expect(candidate.verdicts.late).toBeLessThan(active.verdicts.late);
    expect(candidate.verdicts.late + candidate.verdicts.on_time).toBe(active.verdicts.late + active.verdicts.on_time);
    expect(changes.orders.winners).toBe(0);
    expect(changes.orders.losers).toBeGreaterThan(0);
  });

  test('without --json a person can read it', async () => {
    const { status, stdout, stderr } = await makegood(
      'policy',
      'simulate',
      generous,
      '--since',
      '2026-06-01T00:00:00Z',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/2 orders of 2 customers whose promise ended at 2026-06-01[\s\S]*Nothing was changed/);
    expect(stdout).toMatch(/membership_extension[\s\S]*months[\s\S]*2026-W23[\s\S]*winners[\s\S]*hand/);
  });

  test.each<[string, () => Promise<string>, readonly string[], RegExp]>([
    [
      'a policy that is not valid, with line and column',
      () => fileOf('bad.json', JSON.stringify({ ...document, settleMinutes: -1 }, null, 2)),
      [],
      /settleMinutes[\s\S]*line \d+, column \d+|:\d+:\d+[\s\S]*settleMinutes/,
    ],
    ['a time that nobody can read', async () => generous, ['--since', 'yesterday'], /--since is an ISO 8601 instant/],
    ['a time to come', async () => generous, ['--until', '2999-01-01T00:00:00Z'], /in the future/],
    [
      'a plot that cannot be written',
      async () => generous,
      ['--svg', '/nowhere/plot.svg'],
      /--svg \/nowhere\/plot\.svg cannot be written/,
    ],
  ])('%s: exit 1, stderr says what, stdout stays empty', async (_name, file, options, saying) => {
    const { status, stdout, stderr } = await makegood('policy', 'simulate', await file(), ...options, '--json');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(saying);
  });
});

function sum(numbers: readonly unknown[]): number {
  return (numbers as number[]).reduce((total, number) => total + number, 0);
}
