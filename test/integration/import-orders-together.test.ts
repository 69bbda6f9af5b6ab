import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startMakegood, trackerEvent } from '../support/makegood.js';
import { runProgram } from '../support/run-program.js';

const MAPPING = {
  id: 'order',
  'customer.id': 'customer',
  'customer.email': 'email',
  'promise.on': 'promised',
  'promise.timeZone': { const: 'America/New_York' },
  'total.amountMinor': { column: 'price', decimal: 2 },
  'total.currency': { const: 'USD' },
  'shipments[0].carrier': { const: 'usps' },
  'shipments[0].trackingNumber': 'number',
  'shipments[0].events[0].status': { const: 'delivered' },
  'shipments[0].events[0].at': 'delivered',
};
const HEADER = 'order,customer,email,promised,price,number,delivered';
const COUNTS = `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM customers) AS customers,
  (SELECT count(*)::int FROM shipments) AS shipments, (SELECT count(*)::int FROM shipments WHERE status = 'delivered') AS delivered,
  (SELECT count(*)::int FROM tracking_events) AS scans`;

let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-import-'));
  database = await createTestDatabase();
  await writeFile(join(folder, 'map.json'), JSON.stringify(MAPPING));
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(lines: readonly string[]): Promise<string> {
  const file = join(folder, 'orders.csv');
  await writeFile(file, `${[HEADER, ...lines].join('\n')}\n`);
  return file;
}
const argsOf = (file: string) => ['makegood', 'import', 'orders', file, '--map', join(folder, 'map.json'), '--json'];
// biome-ignore lint/suspicious/noExplicitAny: whatever was answered, the test says what it must be.
async function importOrders(file: string): Promise<any> {
  const { stdout, stderr } = await runProgram(argsOf(file), { env: { DATABASE_URL: database.url } });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}
const manyRows = (count: number): string[] =>
  Array.from(
    { length: count },
    (_, n) => `o-${n},c-${n % 50},c${n % 50}@example.com,2026-01-05,9.90,N${n},2026-01-04T10:00:00Z`,
  );

test('an order that a file names twice is completed by its second row, or conflicts, as over HTTP', async () => {
  const file = await fileOf([
    'o-1,c-1,ann@example.com,2026-01-05,,N1,',
    'o-1,c-1,,2026-01-05,9.90,N2,2026-01-04T10:00:00Z',
    'o-1,c-1,,2026-01-06,9.90,N3,',
    'o-1,c-2,,2026-01-05,9.90,N4,',
    'o-1,c-1,,2026-01-05,9.90,n-2,2026-01-04T10:00:00Z',
  ]);
  expect(await importOrders(file)).toMatchObject({
    rows: 5,
    registered: 1,
    completed: 1,
    unchanged: 1,
    rejected: 2,
    errors: [
      { line: 4, column: 'promised', message: expect.stringContaining('never changes') },
      { line: 5, column: 'customer' },
    ],
  });
  expect(await database.query('SELECT tracking_number FROM shipments ORDER BY position')).toEqual([
    { tracking_number: 'N1' },
    { tracking_number: 'N2' },
  ]);
});

test('two imports of one file at once: each order is registered by one of them', async () => {
  const count = 3_000;
  const file = await fileOf(manyRows(count));
  const answers = await Promise.all([importOrders(file), importOrders(file)]);
  expect(answers.map(({ rejected }) => rejected)).toEqual([0, 0]);
  expect(answers[0].registered + answers[1].registered).toBe(count);
  expect(await database.query(COUNTS)).toEqual([
    { orders: count, customers: 50, shipments: count, delivered: count, scans: count },
  ]);
});

test('scans that carriers sent before attach, and an imported delivery changes a verdict that was final', async () => {
  const makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-20T12:00:00Z' });
  try {
    await makegood.webhook(trackerEvent('N1', [['in_transit', 'arrived_at_facility', '2026-01-03T10:00:00Z']]));
    await importOrders(await fileOf(['o-1,c-1,,2026-01-05,9.90,N1,']));
    expect((await makegood.order('o-1')).shipments).toMatchObject([{ status: 'in_transit' }]);
    await runProgram(['makegood', 'sweep', '--json'], { env: { DATABASE_URL: database.url } });
    expect((await makegood.order('o-1')).verdict).toMatchObject({ verdict: 'lost' });
    expect(await importOrders(await fileOf(['o-1,c-1,,2026-01-05,9.90,N1,2026-01-05T10:00:00Z']))).toMatchObject({
      completed: 1,
    });
    await runProgram(['makegood', 'sweep', '--json'], { env: { DATABASE_URL: database.url } });
    const order = await makegood.order('o-1');
    expect(order.verdict).toMatchObject({ verdict: 'on_time' });
    expect(order.shipments[0]?.events).toMatchObject([
      { source: 'easypost' },
      { source: 'import', status: 'delivered' },
    ]);
  } finally {
    await makegood.stop();
  }
});
