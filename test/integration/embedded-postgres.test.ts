import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, rmdir, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { transformFile } from '@swc/core';
import pg from 'pg';

import { findPlatformPackage } from '../../src/embedded/pg-binaries.js';
import { findLockHolder, lockFolder } from '../../src/embedded/pg-folder-lock.js';
import { chooseOsUser } from '../../src/embedded/platform-user.js';
import { type EmbeddedPostgres, findRunningPostgres, startEmbeddedPostgres } from '../../src/embedded/postgres.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const isRoot = process.getuid?.() === 0;
const testAsRoot = isRoot ? test : test.skip;
const testOnPosix = process.platform === 'win32' ? test.skip : test;

/** What a test makes, taken down after it in reverse, whether it passed or not. */
const cleanups: (() => Promise<unknown> | unknown)[] = [];
let compiledDir = '';

beforeAll(async () => {
  compiledDir = await compileForChildren();
});

afterEach(async () => {
  const failures: unknown[] = [];
  for (const cleanup of cleanups.splice(0).reverse())
    await Promise.resolve()
      .then(cleanup)
      .catch((error) => failures.push(error));
  expect(failures).toEqual([]);
});

afterAll(async () => {
  await rm(compiledDir, { recursive: true, force: true });
});

describe('a start on an empty folder', () => {
  test('gives a database that the application owns, and a stop leaves no process', async () => {
    const folder = await makeFolder();
    const postgres = await start(folder);
    const answer = await query(
      postgres.url,
      `SELECT current_user, current_database(), r.rolsuper, r.rolcreaterole, r.rolcreatedb,
         pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding,
         current_setting('max_connections') AS connections, current_setting('fsync') AS fsync,
         current_setting('synchronous_commit') AS commit, current_setting('listen_addresses') AS address
       FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()`,
    );
    expect(answer).toEqual([
      {
        current_user: 'makegood',
        current_database: 'makegood',
        rolsuper: false,
        rolcreaterole: true,
        rolcreatedb: true,
        owner: 'makegood',
        encoding: 'UTF8',
        connections: '300',
        fsync: 'on',
        commit: 'on',
        address: '127.0.0.1',
      },
    ]);
    expect(postgres.dataDir).toBe(join(folder, 'postgres'));
    expect(statSync(join(folder, 'postgres-secrets.json')).mode & 0o777).toBe(0o600);

    await postgres.stop();
    await postgres.stop();
    expect(processesOf(folder)).toEqual([]);
    expect((await readdir(folder)).filter((name) => name.includes('.new'))).toEqual([]);
  });

  test('sorts by code point and folds the case of all letters', async () => {
    const postgres = await start(await makeFolder());
    const [row] = await query(postgres.url, `SELECT lower('ÄÖŁ') AS lower, 'Z' < 'a' AS "byCodePoint"`);
    expect(row).toEqual({ lower: 'äöł', byCodePoint: true });
  });

  test('takes settings, except the address', async () => {
    const postgres = await start(await makeFolder(), { settings: { work_mem: '7MB', listen_addresses: '*' } });
    const [row] = await query(
      postgres.url,
      `SELECT current_setting('work_mem') AS memory, current_setting('listen_addresses') AS address`,
    );
    expect(row).toEqual({ memory: '7MB', address: '127.0.0.1' });
  });

  test('makes missing parents of the folder', async () => {
    const folder = join(await makeFolder(), 'a', 'b c');
    await query((await start(folder)).url, 'SELECT 1');
  });
});

describe('a start on a folder with a database', () => {
  test('keeps the rows and the port', async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();

    const second = await start(folder);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    expect(second.url).toBe(first.url);
  });

  test('takes another port when somebody has the last one', async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    await first.stop();
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(squatter, 'listening');
    cleanups.push(() => squatter.close());

    const second = await start(folder);
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    await query(second.url, 'SELECT 1');
  });

  test('makes the role and the database again where a crash came before them', async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    const { postgres: password } = JSON.parse(await readFile(join(folder, 'postgres-secrets.json'), 'utf8'));
    const superuser = `postgresql://postgres:${password}@127.0.0.1:${new URL(first.url).port}/postgres`;
    await query(superuser, 'DROP DATABASE makegood');
    await query(superuser, 'DROP ROLE makegood');
    await first.stop();

    expect(await query((await start(folder)).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('sets new passwords when the file with them was lost', async () => {
    const folder = await makeFolder();
    const first = await start(folder);
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();
    await rm(join(folder, 'postgres-secrets.json'));

    const second = await start(folder);
    expect(second.url).not.toBe(first.url);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  });

  test('of another PostgreSQL version names both', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    await writeFile(join(folder, 'postgres', 'PG_VERSION'), '9\n');
    await expect(start(folder)).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringMatching(/made by PostgreSQL 9, and this makegood brings PostgreSQL 18/),
    });
  });

  test('ignores what was left of an initdb that was killed', async () => {
    const folder = await makeFolder();
    const half = join(folder, 'postgres.new-123');
    await mkdir(half);
    await writeFile(join(half, 'PG_VERSION'), '18\n');
    await query((await start(folder)).url, 'SELECT 1');
    expect(existsSync(half)).toBe(false);
  });

  test('shows the last words of a server that does not start, and lets go of the folder', async () => {
    const folder = await makeFolder();
    await expect(start(folder, { settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringMatching(
        /did not start \(exit code 1\)[\s\S]*invalid value for parameter "shared_buffers"/,
      ),
    });
    await query((await start(folder)).url, 'SELECT 1');
  });

  test('empties a log that has grown too long', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    await truncate(join(folder, 'postgres.log'), 6 * 1024 * 1024);
    await start(folder);
    expect(statSync(join(folder, 'postgres.log')).size).toBeLessThan(100_000);
  });
});

describe('one makegood a folder', () => {
  test('the second start is told who has it', async () => {
    const folder = await makeFolder();
    await start(folder);
    await expect(start(folder)).rejects.toMatchObject({
      code: 'database_unavailable',
      message: `another makegood (process ${process.pid}) is using ${folder}; stop it, or set DATA_DIR to another folder`,
    });
  });

  test('of starts at once exactly one wins, also over the lock of a killed one', async () => {
    const folder = await makeFolder();
    const killed = await spawnMakegood(folder);
    await kill(killed.child);

    const reports = await Promise.all([spawnMakegood(folder), spawnMakegood(folder), spawnMakegood(folder)]);
    const winners = reports.filter(({ report }) => report.url !== undefined);
    expect(winners).toHaveLength(1);
    const [winner] = winners;
    for (const { report } of reports.filter((each) => each !== winner)) {
      expect(report.error).toBe(
        `another makegood (process ${winner?.child.pid}) is using ${folder}; stop it, or set DATA_DIR to another folder`,
      );
    }
    await query(winner?.report.url ?? '', 'SELECT 1');
  });

  test('of a crowd on a stale lock one gets it, each time', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'lock.7'), JSON.stringify({ pid: 2 ** 22 + 1, identity: 'gone', token: 'gone' }));
    for (let round = 0; round < 30; round += 1) {
      const tries = await Promise.allSettled(Array.from({ length: 16 }, () => lockFolder(folder)));
      const got = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(got).toHaveLength(1);
      expect((await findLockHolder(folder))?.token).toBe(got[0]?.token);
      await got[0]?.release();
      expect(await findLockHolder(folder)).toBeNull();
    }
    expect(await readdir(folder)).toHaveLength(1);
  });

  test('a process that only has the number of a dead holder does not count', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'lock.1'), JSON.stringify({ pid: process.pid, identity: 'earlier', token: 'gone' }));
    await (await lockFolder(folder)).release();
  });
});

describe('after a kill', () => {
  testOnPosix('of node alone the server ends by itself, and the next start has the rows', async () => {
    const folder = await makeFolder();
    const killed = await spawnMakegood(folder);
    await query(killed.report.url ?? '', 'CREATE TABLE kept AS SELECT 42 AS n');
    await kill(killed.child);
    await eventually(() => expect(processesOf(folder)).toEqual([]));

    expect(await query((await start(folder)).url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  });

  testOnPosix('of node the next start need not wait for the old server to end', async () => {
    const folder = await makeFolder();
    const killed = await spawnMakegood(folder);
    await query(killed.report.url ?? '', 'CREATE TABLE kept AS SELECT 42 AS n');
    await kill(killed.child);

    expect(await query((await start(folder)).url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  });

  testOnPosix('of node and its watchers, a server left running is stopped', async () => {
    const folder = await makeFolder();
    const killed = await spawnMakegood(folder);
    await query(killed.report.url ?? '', 'CREATE TABLE kept AS SELECT 42 AS n');
    const server = serverPid(folder);
    for (const { pid } of processesOf(folder).filter(({ words }) => words.startsWith('/bin/sh'))) {
      process.kill(pid, 'SIGKILL');
    }
    await kill(killed.child);
    expect(processesOf(folder).map(({ pid }) => pid)).toContain(server);

    const lines: string[] = [];
    const next = await start(folder, { log: (line) => lines.push(line) });
    expect(lines).toContainEqual(expect.stringContaining(`process ${server}`));
    expect(await query(next.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    await next.stop();
    expect(processesOf(folder)).toEqual([]);
  });

  testOnPosix('of everything, committed rows are there', async () => {
    const folder = await makeFolder();
    const killed = await spawnMakegood(folder);
    await query(killed.report.url ?? '', 'CREATE TABLE kept AS SELECT 42 AS n');
    const all = processesOf(folder);
    for (const { pid } of all) process.kill(pid, 'SIGKILL');
    await kill(killed.child);
    expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(true);

    expect(await query((await start(folder)).url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  });

  testOnPosix('at any moment of a first start, the next start works', async () => {
    const folder = await makeFolder();
    for (const file of ['postgres-secrets.json', 'postgres', 'postgres/postmaster.pid']) {
      const killed = launchMakegood(folder);
      await eventually(() => expect(existsSync(join(folder, file))).toBe(true), 1);
      await kill(killed);
    }
    await query((await start(folder)).url, 'SELECT 1');
  });

  testOnPosix('a process that got the number of the dead server lives on', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    const { uid, gid } = statSync(join(folder, 'postgres'));
    // Of the server's own user: of another user's processes PostgreSQL itself thinks nothing.
    const bystander = spawn('sleep', ['600'], { stdio: 'ignore', ...(isRoot ? { uid, gid } : {}) });
    cleanups.push(() => kill(bystander));
    await writeFile(
      join(folder, 'postgres', 'postmaster.pid'),
      `${bystander.pid}\n${join(folder, 'postgres')}\n1700000000\n5432\n\n127.0.0.1\n0 0\nready\n`,
    );

    await query((await start(folder)).url, 'SELECT 1');
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });
});

describe('signals', () => {
  testOnPosix('a SIGTERM to our whole process group leaves the server open for new connections', async () => {
    const folder = await makeFolder();
    const { child, report } = await spawnMakegood(folder, { detached: true, extra: { reportSigterm: true } });
    if (child.stdout === null) throw new Error('no output');
    const reported = once(child.stdout, 'data');
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    expect(String((await reported)[0])).toBe('SIGTERM\n');
    await query(report.url ?? '', 'SELECT 1');
  });

  testOnPosix('a SIGTERM to the watcher does not end it', async () => {
    const folder = await makeFolder();
    const postgres = await start(folder);
    for (const { pid } of processesOf(folder).filter(({ words }) => words.startsWith('/bin/sh'))) {
      process.kill(pid, 'SIGTERM');
    }
    await query(postgres.url, 'SELECT 1');
    await postgres.stop();
    expect(processesOf(folder)).toEqual([]);
  });

  testOnPosix('a program that ends without stop is not held up, and leaves no server', async () => {
    const folder = await makeFolder();
    const { child } = await spawnMakegood(folder, { extra: { leave: true } });
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await eventually(() => expect(processesOf(folder)).toEqual([]));
  });
});

describe('findRunningPostgres', () => {
  test('finds the server of a live makegood, and none before, after, or of a killed one', async () => {
    const folder = await makeFolder();
    expect(await findRunningPostgres(folder)).toBeNull();
    expect(await findRunningPostgres(join(folder, 'missing'))).toBeNull();
    const postgres = await start(folder);
    expect(await findRunningPostgres(folder)).toEqual({ url: postgres.url });
    await postgres.stop();
    expect(await findRunningPostgres(folder)).toBeNull();

    const other = await spawnMakegood(folder);
    expect(await findRunningPostgres(folder)).toEqual({ url: other.report.url });
    await kill(other.child);
    expect(await findRunningPostgres(folder)).toBeNull();
  });
});

describe('the data folder', () => {
  test('that is a file is refused by name', async () => {
    const file = join(await makeFolder(), 'file');
    await writeFile(file, '');
    await expect(start(file)).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining(file),
    });
  });

  test('with something else in the place of the cluster is refused by name', async () => {
    const folder = await makeFolder();
    await mkdir(join(folder, 'postgres'));
    await writeFile(join(folder, 'postgres', 'letter.txt'), 'dear');
    await expect(start(folder)).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringContaining(`${join(folder, 'postgres')} is not empty`),
    });
  });

  testAsRoot('that PostgreSQL cannot enter: the cluster lies elsewhere, and is found again', async () => {
    const folder = join(await makeFolder(0o700), 'data');
    const first = await start(folder);
    cleanups.unshift(() => removeElsewhere(first.dataDir));
    expect(first.dataDir).toMatch(/^\/var\/lib\/makegood\/[0-9a-f]{16}\/postgres$/);
    expect(first.notice).toContain(dirname(first.dataDir));
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();

    const second = await start(folder);
    expect(second.dataDir).toBe(first.dataDir);
    expect(second.notice).toBe(first.notice);
    expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
    await second.stop();

    await rm(dirname(first.dataDir), { recursive: true });
    await expect(start(folder)).rejects.toMatchObject({
      message: expect.stringContaining(`was kept in ${dirname(first.dataDir)}`),
    });
  });

  testAsRoot('whose cluster belongs to another user: that user runs it', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    const { uid, gid } = nobody();
    await giveTo(join(folder, 'postgres'), uid, gid);
    await query((await start(folder)).url, 'SELECT 1');
    expect(statSync(join(folder, 'postgres', 'PG_VERSION')).uid).toBe(uid);
  });

  testAsRoot('whose cluster belongs to root, as after a copy: it is given to the server', async () => {
    const folder = await makeFolder();
    await (await start(folder)).stop();
    await giveTo(join(folder, 'postgres'), 0, 0);
    await query((await start(folder)).url, 'SELECT 1');
    expect(statSync(join(folder, 'postgres')).uid).not.toBe(0);
  });

  testAsRoot('of an ordinary user is used by that user', async () => {
    const folder = await makeFolder();
    const { uid, gid } = nobody();
    await chown(folder, uid, gid);
    const { child, report } = await spawnMakegood(folder, { uid, gid });
    expect(report.error).toBeUndefined();
    await query(report.url ?? '', 'SELECT 1');
    expect(statSync(join(folder, 'postgres')).uid).toBe(uid);
    child.stdin?.end('stop\n');
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    expect(processesOf(folder)).toEqual([]);
  });

  testAsRoot('that an ordinary user may not write to is refused by name', async () => {
    const folder = await makeFolder();
    const { report } = await spawnMakegood(folder, nobody());
    expect(report.error).toMatch(new RegExp(`^cannot use ${folder}: EACCES.*set DATA_DIR to another folder`));
  });
});

describe('the PostgreSQL programs', () => {
  testOnPosix('without the links and bits that install scripts make are completed in their place', async () => {
    const packageDir = await copyPackage(await makeFolder());
    const postgres = await start(await makeFolder(), { packageDir });
    await query(postgres.url, 'SELECT 1');
    expect(existsSync(join(packageDir, 'native/lib/libpq.so.5'))).toBe(process.platform === 'linux');
  });

  testAsRoot('in a folder that PostgreSQL cannot enter are copied, once', async () => {
    const packageDir = await copyPackage(await makeFolder(0o700));
    const folder = await makeFolder();
    await mkdir(join(folder, 'postgres-binaries-1.0.0'));
    const lines: string[] = [];
    for (const _ of [1, 2]) {
      const postgres = await start(folder, { packageDir, log: (line) => lines.push(line) });
      await query(postgres.url, 'SELECT 1');
      await postgres.stop();
    }
    expect(lines.filter((line) => line.startsWith('copying'))).toHaveLength(1);
    const copies = (await readdir(folder)).filter((name) => name.startsWith('postgres-binaries-'));
    expect(copies).toEqual([`postgres-binaries-${packageVersion(packageDir)}`]);
  });

  testAsRoot('that are incomplete and cannot be changed are copied', async () => {
    const packageDir = await copyPackage(await makeFolder());
    const folder = await makeFolder();
    const { uid, gid } = nobody();
    await chown(folder, uid, gid);
    const { report } = await spawnMakegood(folder, { uid, gid, extra: { packageDir } });
    expect(report.error).toBeUndefined();
    await query(report.url ?? '', 'SELECT 1');
    expect(await readdir(folder)).toContain(`postgres-binaries-${packageVersion(packageDir)}`);
  });

  testOnPosix('that do not run here are refused with the reason', async () => {
    const packageDir = await copyPackage(await makeFolder());
    await writeFile(join(packageDir, 'native/bin/postgres'), '#!/no/such/loader\n');
    await expect(start(await makeFolder(), { packageDir })).rejects.toMatchObject({
      code: 'database_unavailable',
      message: expect.stringMatching(/do not run on this system \(.*ENOENT.*glibc/),
    });
  });
});

describe('the user to run PostgreSQL as', () => {
  testAsRoot('is nobody, with a word about it, where there is no other and none can be made', async () => {
    // A name that useradd refuses stands for a system on which no user can be made.
    const { user, notice } = await chooseOsUser({ preferred: 'no:such', lastResort: 'nobody' });
    expect(user).toMatchObject({ name: 'nobody', uid: nobody().uid });
    expect(notice).toContain('"nobody"');
    await expect(chooseOsUser({ preferred: 'no:such', lastResort: 'no:one' })).rejects.toMatchObject({
      code: 'database_unavailable',
    });
  });
});

/** A start whose server is stopped after the test. */
async function start(
  dataDir: string,
  options: { settings?: Record<string, string>; log?: (line: string) => void; packageDir?: string } = {},
): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, ...options });
  cleanups.push(() => postgres.stop());
  return postgres;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function makeFolder(mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-test-'));
  await chmod(folder, mode);
  // Runs when everything that the test started has been told to stop. A server of a killed makegood ends a little later.
  cleanups.push(async () => {
    await eventually(() => expect(processesOf(folder)).toEqual([]));
    await rm(folder, { recursive: true, force: true, maxRetries: 20 });
  });
  return folder;
}

interface Report {
  readonly url?: string;
  readonly error?: string;
}

interface ChildOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly detached?: boolean;
  readonly extra?: Record<string, unknown>;
}

/** A makegood of its own process, which is killed after the test, and its server with it. */
function launchMakegood(dataDir: string, { extra, ...options }: ChildOptions = {}): ChildProcess {
  const child = spawn(process.execPath, [join(compiledDir, 'child.mjs'), JSON.stringify({ dataDir, ...extra })], {
    ...options,
    cwd: '/',
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanups.push(async () => {
    await kill(child);
  });
  return child;
}

async function spawnMakegood(
  dataDir: string,
  options: ChildOptions = {},
): Promise<{ child: ChildProcess; report: Report }> {
  const child = launchMakegood(dataDir, options);
  if (child.stdout === null) throw new Error('no output');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, report: JSON.parse(String(line)) };
}

/** Plain copies in JavaScript of what the child needs, inside node_modules so that it finds the packages. */
async function compileForChildren(): Promise<string> {
  const cache = join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'embedded-postgres-test-'));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await mkdir(join(folder, 'embedded'));
  const sources = (await readdir(join(ROOT, 'src/embedded'))).map((name) => join('embedded', name));
  for (const source of ['errors.ts', ...sources]) {
    const { code } = await transformFile(join(ROOT, 'src', source), {
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    });
    await writeFile(join(folder, source.replace(/\.ts$/, '.js')), code);
  }
  await writeFile(
    join(folder, 'child.mjs'),
    `import { startEmbeddedPostgres } from './embedded/postgres.js';
     const { reportSigterm, leave, ...options } = JSON.parse(process.argv[2]);
     if (reportSigterm) process.on('SIGTERM', () => console.log('SIGTERM'));
     try {
       const postgres = await startEmbeddedPostgres(options);
       console.log(JSON.stringify({ url: postgres.url }));
       if (!leave) process.stdin.once('data', async () => { await postgres.stop(); process.exit(0); });
     } catch (error) {
       console.log(JSON.stringify({ error: error.message }));
     }`,
  );
  return folder;
}

/** Ends a child at once and waits until it is gone. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

/** The processes whose words name the folder's cluster: the server and its watchers, not its children. */
function processesOf(folder: string): { pid: number; words: string }[] {
  const listed = execFileSync('ps', ['-A', '-ww', '-o', 'pid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return listed.flatMap((line) => {
    const [, pid, state, words] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const isOurs = words?.includes(`-D ${folder}/`) && !state?.startsWith('Z');
    return isOurs ? [{ pid: Number(pid), words: words ?? '' }] : [];
  });
}

function serverPid(folder: string): number {
  return Number.parseInt(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8'), 10);
}

async function eventually(check: () => void, everyMs = 20): Promise<void> {
  const giveUpAt = performance.now() + 15_000;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await new Promise((wake) => setTimeout(wake, everyMs));
    }
  }
}

function nobody(): { uid: number; gid: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function giveTo(folder: string, uid: number, gid: number): Promise<void> {
  await chown(folder, uid, gid);
  for (const name of await readdir(folder, { recursive: true })) await chown(join(folder, name), uid, gid);
}

/** The platform package as an install without scripts leaves it: no symlinks, and here no executable bits either. */
async function copyPackage(parent: string): Promise<string> {
  const original = findPlatformPackage();
  const links: { target: string }[] = JSON.parse(await readFile(join(original, 'native/pg-symlinks.json'), 'utf8'));
  const names = new Set(links.map(({ target }) => basename(target)));
  const packageDir = join(parent, 'package');
  await cp(original, packageDir, {
    recursive: true,
    filter: (path) => !names.has(basename(path)) && !path.endsWith('.a'),
  });
  for (const name of ['initdb', 'postgres', 'pg_ctl']) await chmod(join(packageDir, 'native/bin', name), 0o644);
  return packageDir;
}

function packageVersion(packageDir: string): string {
  return JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')).version;
}

async function removeElsewhere(clusterDir: string): Promise<void> {
  await rm(dirname(clusterDir), { recursive: true, force: true });
  // Only when nobody else keeps a cluster there.
  await rmdir(dirname(dirname(clusterDir))).catch(() => {});
}
