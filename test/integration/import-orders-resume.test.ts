import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { readConfig } from '../../src/config.js';
import { newId } from '../../src/ids.js';
import { importOrders } from '../../src/imports/import-orders.js';
import type { ImportReport } from '../../src/imports/import-progress.js';
import { openImportRun } from '../../src/imports/import-run.js';
import { openCsv } from '../../src/imports/open-csv.js';
import { readOrderMapping } from '../../src/imports/order-mapping.js';
import { openShopifyRows, shopifyPreset } from '../../src/imports/shopify-export.js';
import { createLogger } from '../../src/logger.js';
import { type OpenedDeps, openDeps } from '../../src/open-deps.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { runProgram } from '../support/run-program.js';

const MAPPING = {
  id: 'order',
  'customer.id': 'customer',
  'customer.name': 'name',
  'promise.on': 'promised',
  'promise.timeZone': { const: 'America/New_York' },
  'shipments[0].carrier': { const: 'usps' },
  'shipments[0].trackingNumber': 'number',
  'shipments[0].events[0].status': { const: 'delivered' },
  'shipments[0].events[0].at': 'delivered',
};
const ROWS = 2_600;
/** The first three batches are through, and the fourth waits at its order of this customer. */
const GATE = 1_700;
const LINES_OF_ROW = 2;
const FIRST_LINE_OF_BATCH_4 = 2 + 1_500 * LINES_OF_ROW;

/** Rows of two lines each; one of a hundred has a date that is none. */
function csvOf(rows: number): string {
  const lines = Array.from({ length: rows }, (_, n) => {
    const promised = n % 100 === 7 ? '2026-02-30' : '2026-01-05';
    return `o-${n},c-${n === GATE ? 'gate' : n % 50},Ann,${promised},N${n},2026-01-04T10:00:00Z,"leave it\nwith a neighbour"\n`;
  });
  return `\ufefforder,customer,name,promised,number,delivered,note\n${lines.join('')}`;
}

let folder: string;
let file: string;
let database: TestDatabase;
let opened: OpenedDeps;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-resume-'));
  file = join(folder, 'orders.csv');
  await writeFile(file, csvOf(ROWS));
  await writeFile(join(folder, 'map.json'), JSON.stringify(MAPPING));
  database = await createTestDatabase();
  const log = createLogger('silent');
  const config = readConfig({ ADMIN_API_KEY: 'test-admin-key-0123456789', DATABASE_URL: database.url });
  opened = await openDeps(config, { databaseUrl: database.url, log, withQueues: false });
});
afterAll(async () => {
  await opened.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const args = (rejects: string) => [
  ...['makegood', 'import', 'orders', file, '--map', join(folder, 'map.json'), '--json'],
  ...['--rejects', join(folder, rejects)],
];
const COUNTS = `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM customers) AS customers,
  (SELECT count(*)::int FROM shipments WHERE status = 'delivered') AS delivered, (SELECT count(*)::int FROM tracking_events) AS scans,
  (SELECT sum((details ->> 'registered')::int)::int FROM audit WHERE action = 'orders.import') AS audited`;

/** Runs an import until its fourth batch waits for us, kills it, and waits until the database has noticed. */
async function killInFourthBatch({ url, query }: TestDatabase, rejects: string): Promise<void> {
  const gate = new pg.Client({ connectionString: url });
  await gate.connect();
  const { PATH = '', HOME = '' } = process.env;
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../bin/run.mjs', import.meta.url)), ...args(rejects)],
    { env: { PATH, HOME, DATABASE_URL: url }, stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  try {
    await gate.query('BEGIN');
    await gate.query("INSERT INTO customers (id) VALUES ('c-gate')");
    const sessions = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'makegood'`;
    const isWaiting = async () => (await query(`${sessions} AND wait_event_type = 'Lock'`)).length > 0;
    await eventually(isWaiting, 40_000);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await gate.query('ROLLBACK');
    await eventually(async () => (await query(sessions)).length === 0);
  } finally {
    child.kill('SIGKILL');
    await gate.end();
  }
}

describe('an import that was killed', () => {
  test('goes on behind its last batch, and in the end all is as if it had never been killed', async () => {
    const [killed, whole] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    try {
      const [wanted] = await Promise.all([
        runProgram(args('whole.csv'), { env: { DATABASE_URL: whole.url } }),
        killInFourthBatch(killed, 'killed.csv'),
      ]);
      expect(JSON.parse(wanted.stdout)).toMatchObject({ rows: ROWS, registered: ROWS - 26, rejected: 26 });

      const [place] = await killed.query('SELECT next_line, bytes_done::int AS bytes, report FROM import_runs');
      expect(place).toMatchObject({ next_line: FIRST_LINE_OF_BATCH_4, report: { counts: { rows: 1_500 } } });
      // As if the process had died between the file and the commit.
      const rejects = join(folder, 'killed.csv');
      await writeFile(rejects, 'half a row', { flag: 'a' });

      const again = await runProgram(args('killed.csv'), { env: { DATABASE_URL: killed.url } });
      expect(again.stderr).toMatch(
        new RegExp(`^makegood: going on from line ${FIRST_LINE_OF_BATCH_4} of .*orders\\.csv \\(57 %\\).*\n$`),
      );
      expect(JSON.parse(again.stdout)).toEqual(JSON.parse(wanted.stdout));
      expect(await readFile(rejects, 'utf8')).toBe(await readFile(join(folder, 'whole.csv'), 'utf8'));
      expect(await killed.query(COUNTS)).toEqual(await whole.query(COUNTS));
      // The second run took nothing up that the first had done.
      const audited = await killed.query(
        `SELECT (details -> 'lines' ->> 0)::int AS line FROM audit WHERE action = 'orders.import' ORDER BY seq`,
      );
      expect(audited.map(({ line }) => line)).toEqual([0, 500, 1_000, 1_500, 2_000, 2_500].map((n) => 2 + 2 * n));
      expect(await killed.query('SELECT 1 FROM import_runs')).toEqual([]);
    } finally {
      await Promise.all([killed.drop(), whole.drop()]);
    }
  });
});

/** Imports a file in this process, as the command does. @param stopAfter bytes after which reading fails */
async function importHere(
  content: string,
  {
    mapping = MAPPING,
    compensate = false,
    isShopify = false,
    stopAfter = Number.POSITIVE_INFINITY,
  }: Partial<Here> = {},
): Promise<ImportReport & { continuedAt: number | null }> {
  await writeFile(file, content);
  const csv = await openCsv(file);
  const fields = readOrderMapping(mapping, csv.header, isShopify ? shopifyPreset(csv.header) : null);
  const run = await openImportRun(opened.deps, csv, { file, settings: { mapping, compensate }, onProgress() {} });
  const shopify = isShopify ? openShopifyRows(csv.header, run.progress.orderAbove) : null;
  try {
    const report = await importOrders(opened.deps, csv, {
      ...{ file, fields, compensate, run, shopify, timeZone: null, actor: 'cli', trace: newId(), rejects: null },
      onProgress(bytesRead) {
        if (bytesRead > stopAfter) throw new Error('the power is gone');
      },
    });
    return { ...report, continuedAt: run.continues?.nextLine ?? null };
  } finally {
    await run.close();
    await csv.close();
  }
}
interface Here {
  readonly mapping: object;
  readonly compensate: boolean;
  readonly isShopify: boolean;
  readonly stopAfter: number;
}
/** The first batch of a file; the rest was never read. */
async function leaveUnfinished(content: string, options: Partial<Here> = {}): Promise<void> {
  await database.query('DELETE FROM import_runs');
  await expect(importHere(content, { ...options, stopAfter: 1 })).rejects.toThrow(/power/);
  expect(await database.query('SELECT next_line FROM import_runs')).toEqual([{ next_line: 502 }]);
  // The session that held it is gone when the database says so.
  await eventually(
    async () => (await database.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")).length === 0,
  );
}
const rowsOf = (count: number): string =>
  `order,customer,name,promised,number,delivered\n${Array.from({ length: count }, (_, n) => `p-${n},c-${n % 50},Ann,2026-01-05,M${n},\n`).join('')}`;

describe('going on', () => {
  const content = rowsOf(1_200);

  test('a file that has grown since goes on too; one that was changed before the place begins anew', async () => {
    await leaveUnfinished(content);
    expect(await importHere(content.replace('p-3,', 'p-3x,'))).toMatchObject({ continuedAt: null, rows: 1_200 });
    expect(await importHere(content.slice(0, 5_000))).toMatchObject({ continuedAt: null });
    expect(await importHere(rowsOf(1_300))).toMatchObject({ continuedAt: 502, rows: 1_300 });
    // What has come to its end is read from the beginning.
    expect(await database.query('SELECT 1 FROM import_runs')).toEqual([]);
    expect(await importHere(rowsOf(1_300))).toMatchObject({ continuedAt: null, rows: 1_300, unchanged: 1_300 });
  });

  test.each<[string, Partial<Here>]>([
    ['another mapping', { mapping: { ...MAPPING, 'customer.phone': { const: '1' } } }],
    ['another option', { compensate: true }],
  ])('with %s it begins anew, and the unfinished one stays as it is', async (_name, options) => {
    await leaveUnfinished(content);
    expect(await importHere(content, options)).toMatchObject({ continuedAt: null, rows: 1_200 });
    expect(await database.query('SELECT next_line FROM import_runs')).toEqual([{ next_line: 502 }]);
  });

  test('an import that lives is left alone, and the second one does no harm', async () => {
    await leaveUnfinished(content);
    await writeFile(file, content);
    const csv = await openCsv(file);
    const settings = { mapping: MAPPING, compensate: false };
    const living = await openImportRun(opened.deps, csv, { file, settings, onProgress() {} });
    expect(living.continues).toMatchObject({ nextLine: 502 });
    expect(await importHere(content)).toMatchObject({ continuedAt: null, rows: 1_200, rejected: 0 });
    expect(await database.query('SELECT next_line FROM import_runs')).toEqual([{ next_line: 502 }]);
    await living.close();
    await csv.close();
  });

  test('two imports never write one file of rejects', async () => {
    const csv = await openCsv(file);
    const open = () => openImportRun(opened.deps, csv, { file, settings: 'rejects', onProgress() {} });
    const [one, other] = [await open(), await open()];
    expect(await one.claimFile(join(folder, 'rejects.csv'))).toBe(true);
    expect(await other.claimFile(join(folder, 'x', '..', 'rejects.csv'))).toBe(false);
    expect(await other.claimFile(join(folder, 'others.csv'))).toBe(true);
    await one.close();
    await eventually(() => other.claimFile(join(folder, 'rejects.csv')));
    await other.close();
    await csv.close();
  });

  test('a further line item of an order that the earlier part ended with is still known for one', async () => {
    const rows = Array.from(
      { length: 600 },
      (_, n) => `#${n},c${n}@example.com,2026-01-01 10:00:00 -0500,EUR,9.90,T${n}\n`,
    );
    rows.splice(500, 0, '#499,c499@example.com,2026-01-01 10:00:00 -0500,,,Cup\n');
    const export_ = `Name,Email,Created at,Currency,Total,Lineitem name\n${rows.join('')}`;
    const mapping = { 'promise.on': { const: '2026-01-05' }, 'promise.timeZone': { const: 'Europe/Paris' } };
    await leaveUnfinished(export_, { mapping, isShopify: true });
    expect(await importHere(export_, { mapping, isShopify: true })).toMatchObject({
      ...{ continuedAt: 502, rows: 601, registered: 600, rejected: 0, lineItems: 1, cancelled: 0 },
    });
  });

  test('what nobody went on with for more than 30 days is forgotten by the way', async () => {
    await leaveUnfinished(content);
    for (const days of [29, 31])
      await database.query(
        `INSERT INTO import_runs SELECT gen_random_uuid(), '\\x00', $1, started_at, now() - $2 * interval '1 day', bytes_done, next_line, prefix_hash, report
         FROM import_runs WHERE settings_hash <> '\\x00'`,
        [`${days} days old`, days],
      );
    await importHere(content);
    expect(await database.query('SELECT file FROM import_runs')).toEqual([{ file: '29 days old' }]);
  });

  test('a name with a character that the database does not take costs nothing', async () => {
    const odd = content.replace('name', 'na\0me').replace('p-0,c-0,Ann,2026-01-05', 'p-0,c-0,Ann,soon');
    const mapping = { ...MAPPING, 'customer.name': 'na\0me' };
    const report = await importHere(odd.replaceAll(',Ann,', ',A\0nn,'), { mapping });
    expect(report).toMatchObject({ rows: 1_200, rejected: 1_200 });
    expect(report.moreErrors).toBeGreaterThan(0);
  });
});
