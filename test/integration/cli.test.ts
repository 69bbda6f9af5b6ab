import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { orderDocument, trackerEvent } from '../support/makegood.js';
import { type Ended, runProgram } from '../support/run-program.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** The answer of a command that ended well: one JSON document, and nothing else. */
// biome-ignore lint/suspicious/noExplicitAny: whatever it is, the test says what it must be.
function answerOf({ status, stdout, stderr }: Ended): any {
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}
/** Asserts that a command failed: nothing on stdout, what to do on stderr, and no stack. */
function expectFailure({ status, stdout, stderr }: Ended, wanted: { status: 1 | 2; saying: RegExp }): void {
  expect({ status, stdout }).toEqual({ status: wanted.status, stdout: '' });
  expect(stderr).toMatch(wanted.saying);
  expect(stderr).not.toMatch(/node_modules|^\s+at /m);
}

describe('without a database', () => {
  /** Wrong, to show that nobody looks. */
  const env = { DATABASE_URL: 'nowhere', PORT: 'none' };
  const makegood = (args: readonly string[], input?: string) =>
    runProgram(['makegood', ...args], { env, ...(input === undefined ? {} : { input }) });
  const LATE = {
    promise: { on: '2026-11-05', timeZone: 'America/New_York' },
    asOf: '2026-11-08T12:00:00Z',
    events: [
      { status: 'in_transit', at: '2026-11-04T13:00:00Z' },
      { status: 'delivered', at: '2026-11-06T19:00:00Z' },
    ],
  };
  const VERDICT = {
    verdict: 'late',
    promisedUntil: '2026-11-06T05:00:00.000Z',
    metAt: '2026-11-06T19:00:00.000Z',
    lateMinutes: 840,
    lateDays: 1,
    fault: 'carrier',
  };
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'makegood-cli-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const fileOf = async (name: string, text: string): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, text);
    return file;
  };

  test('judge: one case from a file gives one verdict', async () => {
    const file = await fileOf('case.json', JSON.stringify(LATE));
    expect(answerOf(await makegood(['judge', '--file', file, '--json']))).toEqual(VERDICT);
  });

  test('judge: a list from standard input gives a list, in its order', async () => {
    const pending = { ...LATE, events: [], asOf: '2026-11-05T12:00:00Z' };
    const answer = answerOf(
      await makegood(['judge', '--file', '-', '--json'], `\ufeff${JSON.stringify([LATE, pending, LATE])}`),
    );
    expect(answer).toEqual([VERDICT, expect.objectContaining({ verdict: 'pending', metAt: null }), VERDICT]);
    expect(answerOf(await makegood(['judge', '--file', '-', '--json'], '[]'))).toEqual([]);
  });

  test('judge: without --json a person can read it', async () => {
    const { status, stdout } = await makegood(['judge', '--file', '-'], JSON.stringify(LATE));
    expect(status).toBe(0);
    expect(stdout).toMatch(/late.*2026-11-06T05:00:00\.000Z.*840/);
  });

  test('judge and decide: all cases of a file in one call, each as it is expected', async () => {
    for (const [command, file, keys] of [
      ['judge', 'verdict-cases.json', ['verdict', 'promisedUntil', 'metAt', 'lateMinutes', 'lateDays', 'fault']],
      ['decide', 'decision-cases.json', ['incident', 'awards', 'declinedBecause']],
    ] as const) {
      const cases = JSON.parse(readFileSync(fixture(file), 'utf8')) as { expected: Record<string, unknown> }[];
      const answers = answerOf(await makegood([command, '--file', fixture(file), '--json']));
      const wanted = cases.map(({ expected }) => Object.fromEntries(keys.map((key) => [key, expected[key]])));
      expect(answers).toHaveLength(cases.length);
      expect(answers).toMatchObject(wanted);
    }
  });

  test.each<[string, readonly string[], string, RegExp]>([
    [
      'a case with a fault',
      ['judge', '--file', '-'],
      JSON.stringify({ ...LATE, promise: { on: '2026-11-31', timeZone: 'Nowhere' } }),
      /promise\.on[\s\S]*promise\.timeZone/,
    ],
    [
      'one of a list with a fault',
      ['judge', '--file', '-', '--json'],
      JSON.stringify([LATE, { ...LATE, asOf: undefined }]),
      /\[1\]\.asOf/,
    ],
    ['a case without an order', ['decide', '--file', '-', '--json'], JSON.stringify(LATE), /order/],
    ['not JSON', ['judge', '--file', '-', '--json'], '{"promise": }', /not JSON: unexpected "}" at line 1, column 13/],
    ['nothing', ['judge', '--file', '-', '--json'], '', /it is empty/],
    [
      'a file that is not there',
      ['judge', '--file', '/nowhere/case.json', '--json'],
      '',
      /\/nowhere\/case\.json: there is no such file/,
    ],
    ['a policy that is none', ['decide', '--file', '-', '--policy', '-', '--json'], '{}', /policy|not valid|name/],
  ])('%s: exit 1, stderr says what, stdout stays empty', async (_name, args, input, saying) => {
    expectFailure(await makegood(args, input), { status: 1, saying });
  });

  test.each<[string, readonly string[], RegExp]>([
    ['no command', [], /Usage: makegood/],
    ['an unknown command', ['fly'], /unknown command 'fly'/],
    ['an unknown option', ['judge', '--file', '-', '--fast'], /unknown option '--fast'/],
    ['an option that is missing', ['judge'], /--file/],
    ['an argument that is missing', ['recheck'], /order-or-carrier/],
    ['an order and which orders', ['recheck', 'o-1', '--verdict', 'late'], /either one order/],
    ['an argument too many', ['sweep', 'now'], /too many arguments/],
    ['a role that nobody has', ['keys', 'create', '--role', 'god', '--name', 'x'], /ingest, agent, supervisor, admin/],
    ['no command of keys', ['keys'], /Usage: makegood keys/],
  ])('%s: exit 2, stderr says how it is called', async (_name, args, saying) => {
    expectFailure(await makegood(args), { status: 2, saying });
  });

  test.each(['--help', 'judge --help', 'keys create --help'])('%s: help on stdout, exit 0', async (line) => {
    const { status, stdout, stderr } = await makegood(line.split(' '));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/Usage: makegood/);
  });
});

describe('with a database, and no workers running', () => {
  let database: TestDatabase;
  let server: TestServer;
  const makegood = (...args: readonly string[]) =>
    runProgram(['makegood', ...args], { env: { DATABASE_URL: database.url, MAIL_FROM: 'care@shop.example' } });

  beforeEach(async () => {
    database = await createTestDatabase();
    server = await startHttpServer(database.url);
  });
  afterEach(async () => {
    await server.stop();
    await database.drop();
  });

  const SCANS = [
    ['in_transit', 'departed_facility', '2025-03-03T13:00:00Z'],
    ['delivered', 'arrived_at_destination', '2025-03-06T19:00:00Z'],
  ] as const;
  /** An order of long ago, and the first of its scans. */
  async function register(id: string, scans: number): Promise<void> {
    const order = orderDocument({
      customerId: `c-${id}`,
      trackingNumber: `9400-${id}`,
      placedAt: '2025-03-01T12:00:00Z',
      promise: { on: '2025-03-05', timeZone: 'America/New_York' },
    });
    expect((await server.put(id, order)).status).toBe(201);
    if (scans > 0) await server.webhook(trackerEvent(`9400-${id}`, SCANS.slice(0, scans)));
  }
  const granted = async (id: string) => {
    const { awards, messages, verdict } = await server.order(id);
    return {
      verdict: verdict?.verdict ?? null,
      awards: awards.map(({ kind, status }) => `${kind} ${status}`),
      mails: messages.map(({ template, to, status }) => `${template} to ${to} ${status}`),
    };
  };
  const LATE_AND_TOLD = (id: string) => ({
    verdict: 'late',
    awards: ['membership_extension applied'],
    mails: [`late-delivered to c-${id}@example.com sent`],
  });

  test('sweep: judges everybody, grants and mails by itself; again: nothing more', async () => {
    await register('late', 2);
    await register('silent', 0);
    const report = answerOf(await makegood('sweep', '--json'));
    expect(report).toMatchObject({
      asOf: expect.stringMatching(/Z$/),
      orders: 2,
      verdicts: {
        on_time: 0,
        late: 1,
        overdue: 1,
        lost: 0,
        damaged: 0,
        returned: 0,
        cancelled: 0,
        pending: 0,
        uncertain: 0,
      },
      changed: 2,
      awards: 1,
      messages: 1,
    });
    expect(await granted('late')).toEqual(LATE_AND_TOLD('late'));
    // Registered a moment ago with its promise long past: its scans may still be on their way.
    expect(await granted('silent')).toEqual({ verdict: 'overdue', awards: [], mails: [] });
    expect(await database.query('SELECT to_address FROM mailbox')).toEqual([{ to_address: 'c-late@example.com' }]);

    expect(answerOf(await makegood('sweep', '--json'))).toMatchObject({
      orders: 2,
      verdicts: report.verdicts,
      changed: 0,
      awards: 0,
      messages: 0,
    });
    expect((await server.order('late')).awards).toHaveLength(1);
  });

  test('sweep --dry-run says what it would find, and changes nothing; a person can read it', async () => {
    await register('late', 2);
    const before = await readDatabaseState(database);
    const report = answerOf(await makegood('sweep', '--dry-run', '--json'));
    expect(report).toMatchObject({ orders: 1, verdicts: { late: 1 }, changed: 1, awards: 1, messages: 0 });
    const { status, stdout } = await makegood('sweep', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Dry run, nothing was changed[\s\S]*late/);
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('sweep --as-of judges with what was known then, and refuses a time that nobody knows yet or can read', async () => {
    await register('late', 2);
    const then = answerOf(await makegood('sweep', '--as-of', '2025-03-05T12:00:00Z', '--json'));
    expect(then).toMatchObject({
      asOf: '2025-03-05T12:00:00.000Z',
      orders: 1,
      verdicts: { pending: 1 },
      changed: 1,
      awards: 0,
      messages: 0,
    });
    const before = await readDatabaseState(database);
    const [future, unread] = await Promise.all([
      makegood('sweep', '--as-of', '2999-01-01T00:00:00Z', '--json'),
      makegood('sweep', '--as-of', 'yesterday', '--json'),
    ]);
    expectFailure(future, { status: 1, saying: /in the future/ });
    expectFailure(unread, { status: 1, saying: /--as-of is an ISO 8601 instant/ });
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('recheck of many: counted without --yes, judged with it, ahead of nothing as nobody else works', async () => {
    await register('late', 2);
    await register('silent', 0);
    const which = ['recheck', '--promised-before', '2025-12-01T00:00:00Z'];
    const before = await readDatabaseState(database);
    expect(answerOf(await makegood(...which, '--json'))).toEqual({
      preview: { count: 2, verdicts: { none: 2 }, first: ['late', 'silent'], tooMany: false },
      done: null,
    });
    expect((await makegood(...which)).stdout).toMatch(
      /2 orders would be judged again; nothing was changed\.[\s\S]*--yes/,
    );
    expect(await readDatabaseState(database)).toEqual(before);

    const { done } = answerOf(await makegood(...which, '--yes', '--reason', 'ticket 4712', '--json'));
    expect(done).toEqual({ total: 2, failed: 0, changed: 2, awards: 1 });
    expect(await granted('late')).toEqual(LATE_AND_TOLD('late'));
    expect((await makegood(...which, '--yes')).stdout).toBe(
      '2 orders were judged again: 0 answers changed, 0 new awards.\n',
    );
    expect((await server.order('late')).awards).toHaveLength(1);
    expect((await makegood('recheck', '--status', 'delivered', '--verdict', 'lost')).stdout).toBe('No order is so.\n');
  });

  test('recheck ORDER: before, after, and what follows is done by itself; again: nothing changed', async () => {
    await register('late', 2);
    const first = answerOf(await makegood('recheck', 'late', '--reason', 'ticket 4711', '--json'));
    expect(first).toMatchObject({
      orderId: 'late',
      before: null,
      after: { verdict: 'late', metAt: '2025-03-06T19:00:00.000Z', lateMinutes: 840, lateDays: 1, fault: 'carrier' },
      changed: true,
    });
    expect(await granted('late')).toEqual(LATE_AND_TOLD('late'));
    expect(await database.query('SELECT actor, action, subject, reason FROM audit')).toEqual([
      { actor: expect.stringMatching(/^cli:./), action: 'order.recheck', subject: 'late', reason: 'ticket 4711' },
    ]);
    expect(answerOf(await makegood('recheck', 'late', '--json'))).toMatchObject({
      before: { verdict: 'late' },
      after: { verdict: 'late' },
      changed: false,
    });
    expect(await granted('late')).toEqual(LATE_AND_TOLD('late'));
  });

  test('recheck CARRIER NUMBER finds the order however they are spelt; what nobody has is said', async () => {
    await register('late', 2);
    expect(answerOf(await makegood('recheck', 'U.S.P.S.', '9400 LATE', '--json'))).toMatchObject({
      orderId: 'late',
      changed: true,
    });
    const [again, otherCarrier, nobody] = await Promise.all([
      makegood('recheck', 'usps', '9400-late'),
      makegood('recheck', 'ups', '9400-late', '--json'),
      makegood('recheck', 'nobody', '--json'),
    ]);
    expect(again).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/Order late: still late, 1 days late, fault: carrier/),
    });
    expectFailure(otherCarrier, { status: 1, saying: /No order has a parcel/ });
    expectFailure(nobody, { status: 1, saying: /no order with this id/ });
  });

  test('keys: one that is made works at once, is listed without its value, and is invalid once it is revoked', async () => {
    const created = answerOf(await makegood('keys', 'create', '--role', 'agent', '--name', 'Desk 7', '--json'));
    expect(created).toEqual({ id: expect.any(String), key: expect.any(String), role: 'agent', name: 'Desk 7' });
    const ask = async () =>
      (await server.request('GET', '/v1/orders/nobody', undefined, { authorization: `Bearer ${created.key}` })).status;
    expect(await ask()).toBe(404);

    const list = await makegood('keys', 'list', '--json');
    expect(list.stdout).not.toContain(created.key);
    expect(answerOf(list)).toContainEqual(
      expect.objectContaining({ id: created.id, role: 'agent', name: 'Desk 7', revokedAt: null }),
    );

    expect(answerOf(await makegood('keys', 'revoke', created.id, '--json'))).toEqual({ id: created.id, revoked: true });
    expect(await ask()).toBe(401);
    const again = await Promise.all([makegood('keys', 'revoke', created.id), makegood('keys', 'revoke', 'nonsense')]);
    for (const one of again) expectFailure(one, { status: 1, saying: /no active key with this id.*keys list/ });
  });
});

describe('the database itself', () => {
  test('migrate brings an empty database to the current schema, says how, and has nothing to do the second time', async () => {
    const empty = await createTestDatabase('template0');
    try {
      const migrate = () => runProgram(['makegood', 'migrate', '--json'], { env: { DATABASE_URL: empty.url } });
      const { applied } = answerOf(await migrate());
      expect(applied.length).toBeGreaterThan(0);
      expect(await empty.query('SELECT migration_name FROM _prisma_migrations ORDER BY 1')).toEqual(
        applied.map((name: string) => ({ migration_name: name })),
      );
      expect(answerOf(await migrate())).toEqual({ applied: [] });
    } finally {
      await empty.drop();
    }
  });

  test('a database that is not there, or does not let us in: exit 1, and what to look at; no password', async () => {
    const there = new URL(process.env.TEST_POSTGRES_URL ?? '');
    const other = (change: (url: URL) => void) => {
      const url = new URL(there);
      change(url);
      return runProgram(['makegood', 'sweep', '--json'], { env: { DATABASE_URL: url.toString() } });
    };
    const saying = /The database cannot be used: .*\. Check that it runs, and DATABASE_URL\./;
    const [closed, unknown, wrong] = await Promise.all([
      other((url) => Object.assign(url, { port: '1' })),
      other((url) => Object.assign(url, { pathname: '/no_such_database' })),
      other((url) => Object.assign(url, { password: 'hunter2-wrong' })),
    ]);
    for (const one of [closed, unknown, wrong]) expectFailure(one, { status: 1, saying });
    expect(wrong.stderr).not.toContain('hunter2');
  });
});
