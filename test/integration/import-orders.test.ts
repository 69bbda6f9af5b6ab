import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Ended, runProgram } from '../support/run-program.js';

const MAPPING = {
  id: 'order',
  'customer.id': 'customer',
  placedAt: { column: 'bought', format: 'yyyy-MM-dd HH:mm:ss' },
  'total.amountMinor': { column: 'price', decimal: 2 },
  'total.currency': { const: 'BRL' },
  'promise.on': { column: 'promised', format: 'yyyy-MM-dd HH:mm:ss' },
  'promise.timeZone': { const: 'America/Sao_Paulo' },
  'shipments[0].carrier': { const: 'correios' },
  'shipments[0].trackingNumber': 'order',
  'shipments[0].events[0].status': { const: 'delivered' },
  'shipments[0].events[0].at': { column: 'delivered', format: 'yyyy-MM-dd HH:mm:ss' },
};
const HEADER = 'order,customer,bought,promised,delivered,price';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-import-'));
  database = await createTestDatabase();
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const makegood = (...args: readonly string[]): Promise<Ended> =>
  runProgram(['makegood', ...args], { env: { DATABASE_URL: database.url } });
async function fileOf(name: string, content: string | Uint8Array | object): Promise<string> {
  const file = join(folder, name);
  const isRaw = typeof content === 'string' || content instanceof Uint8Array;
  await writeFile(file, isRaw ? content : JSON.stringify(content));
  return file;
}
async function importCsv(lines: readonly string[] | Uint8Array, ...args: readonly string[]) {
  const csv = await fileOf('orders.csv', lines instanceof Uint8Array ? lines : `${lines.join('\n')}\n`);
  const map = await fileOf('map.json', MAPPING);
  return makegood('import', 'orders', csv, '--map', map, '--json', ...args);
}
// biome-ignore lint/suspicious/noExplicitAny: whatever it is, the test says what it must be.
const answerOf = ({ stdout }: Ended): any => JSON.parse(stdout);
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

describe('importing orders', () => {
  test('the customer’s own calendar decides: what came at 23:59 of the promised day is in time, a minute later is late', async () => {
    const ended = await importCsv([
      HEADER,
      'o-1,c-1,2017-07-09 21:57:05,2017-08-01 00:00:00,2017-08-01 23:59:59,147.90',
      'o-2,c-1,2017-07-09 21:57:05,2017-08-01 00:00:00,2017-08-02 00:00:00,49.9',
      'o-3,c-2,2017-07-09 21:57:05,2017-08-01 00:00:00,,',
    ]);
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(answerOf(ended)).toMatchObject({
      rows: 3,
      registered: 3,
      completed: 0,
      unchanged: 0,
      rejected: 0,
      errors: [],
    });

    const swept = answerOf(await makegood('sweep', '--json'));
    expect(swept).toMatchObject({ orders: 3, verdicts: { on_time: 1, late: 1 } });
    expect(
      await database.query(
        'SELECT id, total_minor::int, currency, placed_at, backfill, verdict FROM orders ORDER BY id',
      ),
    ).toMatchObject([
      {
        id: 'o-1',
        total_minor: 14_790,
        placed_at: new Date('2017-07-10T00:57:05Z'),
        backfill: true,
        verdict: 'on_time',
      },
      { id: 'o-2', total_minor: 4_990, currency: 'BRL', verdict: 'late' },
      // Nobody ever scanned it.
      { id: 'o-3', total_minor: null, verdict: expect.stringMatching(/overdue|lost/) },
    ]);
    // They are judged, and neither compensated nor written to.
    expect(await database.query('SELECT 1 FROM awards')).toEqual([]);
    expect(await database.query('SELECT 1 FROM messages')).toEqual([]);
    expect(
      await database.query(`SELECT details ->> 'backfill' AS backfill FROM audit WHERE action = 'orders.import'`),
    ).toEqual([{ backfill: 'true' }]);
  });

  test('the same file again changes nothing, and with a filled cell completes', async () => {
    const row = 'o-1,c-1,2017-07-09 21:57:05,2017-08-01 00:00:00,2017-08-02 10:00:00,';
    await importCsv([HEADER, row]);
    expect(answerOf(await importCsv([HEADER, row]))).toMatchObject({ registered: 0, unchanged: 1 });
    expect(answerOf(await importCsv([HEADER, `${row}12.00`]))).toMatchObject({ completed: 1, unchanged: 0 });
    expect(await database.query('SELECT count(*)::int AS scans FROM tracking_events')).toEqual([{ scans: 1 }]);
  });

  test('with --compensate old orders are paid like any other, and recent ones are paid in any case', async () => {
    const recent = `o-9,c-9,${daysAgo(12)} 10:00:00,${daysAgo(10)} 00:00:00,${daysAgo(4)} 10:00:00,100.00`;
    await importCsv(
      [HEADER, 'o-1,c-1,2017-07-09 21:57:05,2017-08-01 00:00:00,2017-08-03 10:00:00,100.00', recent],
      '--compensate',
    );
    await makegood('sweep', '--json');
    expect(
      await database.query('SELECT order_id, status, amount_minor::int AS amount FROM awards ORDER BY order_id'),
    ).toEqual([
      { order_id: 'o-1', status: 'applied', amount: 1_500 },
      { order_id: 'o-9', status: 'applied', amount: 1_500 },
    ]);
  });

  test('a bad row is skipped and named by its line, the rest goes on', async () => {
    const latin1 = Buffer.from('o-5,c-\xe9,2017-07-09 21:57:05,2017-08-01 00:00:00,,\n', 'latin1');
    const lines = [
      HEADER,
      'o-1,c-1,2017-07-09 21:57:05,2017-08-01 00:00:00,,10.00',
      'o-2,c-2,yesterday,2017-08-01 00:00:00,,10.00',
      ',c-3,2017-07-09 21:57:05,2017-08-01 00:00:00,,10.00',
      'o-1,c-1,2017-07-09 21:57:05,2017-08-09 00:00:00,,10.00',
    ];
    const body = Buffer.concat([
      Buffer.from('\ufeff'),
      Buffer.from(`${lines.join('\r\n')}\r\n`),
      latin1,
      Buffer.from('o-6,c-6,2017-07-09 21:57:05,2017-08-01 00:00:00,,12.345\n'),
      Buffer.from('o-7,"c-7"7,2017-07-09 21:57:05,2017-08-01 00:00:00,,10.00\n'),
      Buffer.from('o-8,"c-8,2017-07-09 21:57:05,2017-08-01 00:00:00,,10.00\n'),
      Buffer.from('o-9,c-9,2017-07-09 21:57:05,2017-08-01 00:00:00,,10.00\n'),
    ]);
    const rejects = join(folder, 'rejects.csv');
    const ended = await importCsv(body, '--rejects', rejects);
    expect(ended.status).toBe(0);
    const answer = answerOf(ended);
    expect(answer).toMatchObject({ rows: 9, registered: 2, rejected: 7 });
    expect(answer.errors).toMatchObject([
      { line: 3, column: 'bought' },
      { line: 4, column: 'order' },
      { line: 5, column: 'promised' },
      { line: 6, column: 'customer', message: expect.stringMatching(/UTF-8/) },
      { line: 7, column: 'price' },
      { line: 8, column: null, message: expect.stringMatching(/quotes/) },
      { line: 9, column: null, message: expect.stringMatching(/never closed/) },
    ]);
    expect(await database.query('SELECT id FROM orders ORDER BY id')).toEqual([{ id: 'o-1' }, { id: 'o-9' }]);
    expect((await readFile(rejects, 'utf8')).trim().split('\r\n')).toHaveLength(8);
  });

  test('a mapping that is wrong is said before anything is written, every fault of it', async () => {
    const csv = await fileOf('orders.csv', `${HEADER}\no-1,c-1,,2017-08-01 00:00:00,,\n`);
    const map = await fileOf('map.json', { ...MAPPING, id: 'nowhere', 'promise.when': 'promised' });
    const ended = await makegood('import', 'orders', csv, '--map', map, '--json');
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toContain('nowhere');
    expect(ended.stderr).toContain('promise.when');
    expect(await database.query('SELECT 1 FROM orders')).toEqual([]);
  });

  test('it fails only when all rows do', async () => {
    const ended = await importCsv([HEADER, ',c-1,2017-07-09 21:57:05,2017-08-01 00:00:00,,']);
    expect(ended.status).toBe(1);
    expect(answerOf(ended)).toMatchObject({ rows: 1, rejected: 1 });
  });
});
