import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CARRIERS } from '../../src/carriers/registry.js';
import { rawFixture } from '../support/carriers.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Ended, runProgram } from '../support/run-program.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { secretsOf, sourceEnvironment } from '../support/sources.js';

let database: TestDatabase;
let server: TestServer;
let smtp: SmtpSink;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url, sourceEnvironment());
  smtp = await startSmtpSink();
  folder = await mkdtemp(join(tmpdir(), 'makegood-send-'));
});
afterAll(async () => {
  await server.stop();
  await smtp.stop();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const fileOf = async (name: string, bytes: Buffer): Promise<string> => {
  const file = join(folder, name);
  await writeFile(file, bytes);
  return file;
};

describe('makegood send', () => {
  const send = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
    runProgram(['makegood', 'send', ...args], { env });

  test.each(CARRIERS.map((carrier) => [carrier.source, carrier] as const))('plays %s', async (source, carrier) => {
    const file = await fileOf(`${source}.json`, rawFixture(source, 'delivered-in-time'));
    const { signsWith } = secretsOf(carrier);
    const key =
      carrier.secretKind === 'key_set' ? ['--private-key', await fileOf('key.json', Buffer.from(signsWith))] : [];
    const env = carrier.secretKind === 'key_set' ? {} : { [carrier.secretVariable]: `${signsWith},another` };
    const { status, stdout, stderr } = await send([source, '--file', file, '--url', server.url, '--json', ...key], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ source, url: `${server.url}/webhooks/${source}`, status: 200 });
    expect(answer.answer.accepted).toBeGreaterThan(0);
  });

  test('a wrong secret: what the server says, and exit code 1', async () => {
    const file = join(folder, 'easypost.json');
    const { status, stdout } = await send(['easypost', '--file', file, '--url', server.url, '--secret', 'wrong']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/: 401 .*bad_signature/);
  });

  test('a key for ShipEngine is made where there is none, for the owner’s eyes, with the key set to configure', async () => {
    const key = join(folder, 'new-key.json');
    const file = await fileOf('shipengine-again.json', rawFixture('shipengine', 'delivered-late'));
    const first = await send(['shipengine', '--file', file, '--url', server.url, '--private-key', key, '--json']);
    expect(first.status).toBe(1);
    expect(JSON.parse(first.stdout)).toMatchObject({ status: 401 });
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    const [, keySet = ''] = /SHIPENGINE_WEBHOOK_SECRET='(.*)'/.exec(first.stderr) ?? [];
    const other = await startHttpServer(database.url, { SHIPENGINE_WEBHOOK_SECRET: keySet });
    try {
      const again = await send(['shipengine', '--file', file, '--url', other.url, '--private-key', key, '--json']);
      expect({ status: again.status, stderr: again.stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      await other.stop();
    }
  });

  test.each<[string, readonly string[], number, RegExp]>([
    ['an unknown source', ['nobody', '--file', 'x', '--url', 'http://127.0.0.1:1'], 1, /no source "nobody".*easypost/],
    ['no secret', ['shippo', '--file', 'x', '--url', 'http://127.0.0.1:1'], 1, /SHIPPO_WEBHOOK_SECRET/],
    [
      'no such file',
      ['shippo', '--file', 'nowhere', '--url', 'http://127.0.0.1:1', '--secret', 's'],
      1,
      /no such file/,
    ],
    ['no address', ['shippo', '--file', 'x', '--url', 'nowhere', '--secret', 's'], 1, /--url/],
    ['no key', ['shipengine', '--file', 'x', '--url', 'http://127.0.0.1:1'], 1, /--private-key/],
    ['no url', ['shippo', '--file', 'x'], 2, /--url/],
  ])('%s: says what to do', async (_name, args, status, saying) => {
    const ended = await send(args);
    expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status, stdout: '' });
    expect(ended.stderr).toMatch(saying);
    expect(ended.stderr).not.toMatch(/node_modules|^\s+at /m);
  });

  test('a body that cannot be read leaves no new key behind', async () => {
    const key = join(folder, 'never-made.json');
    const args = ['shipengine', '--file', 'nowhere', '--url', 'http://127.0.0.1:1', '--private-key', key];
    expect((await send(args)).stderr).toMatch(/no such file/);
    expect(existsSync(key)).toBe(false);
  });

  test('a server that is not there: says so', async () => {
    const file = join(folder, 'easypost.json');
    const ended = await send(['easypost', '--file', file, '--url', 'http://127.0.0.1:1', '--secret', 's']);
    expect(ended).toMatchObject({ status: 1, stdout: '' });
    expect(ended.stderr).toMatch(/does not answer/);
  });
});

describe('makegood doctor', () => {
  const doctor = async (env: Record<string, string>) => {
    const ended = await runProgram(['makegood', 'doctor', '--json'], { env });
    const { ok, checks } = JSON.parse(ended.stdout) as {
      ok: boolean;
      checks: { name: string; status: string; detail: string; advice: string | null }[];
    };
    const of = (name: string) => checks.filter((check) => check.name === name);
    return { ...ended, ok, checks, of };
  };

  test('a sound installation: no fault, and each weak source by its weakness', async () => {
    // Under a folder that the user of an embedded PostgreSQL may pass through.
    await chmod(folder, 0o755);
    const env = { ...sourceEnvironment(), DATA_DIR: join(folder, 'data'), SMTP_URL: smtp.url };
    expect((await runProgram(['makegood', 'migrate'], { env })).status).toBe(0);
    const { status, stderr, ok, checks, of } = await doctor(env);
    expect({ status, stderr, ok }).toEqual({ status: 0, stderr: '', ok: true });
    expect(checks.filter((check) => check.status === 'fault')).toEqual([]);
    for (const name of ['configuration', 'database', 'schema', 'clock', 'queue', 'work', 'mail', 'codes']) {
      expect([name, of(name).map((check) => check.status)]).toEqual([name, ['ok']]);
    }
    for (const { source, weakness } of CARRIERS) {
      expect(of(`source ${source}`)).toMatchObject([
        weakness === null ? { status: 'ok' } : { status: 'warning', detail: expect.stringContaining(weakness) },
      ]);
    }
  });

  test('a database that forgets in a crash is a fault, and nothing is changed by looking', async () => {
    const before = await readDatabaseState(database);
    const { status, checks } = await doctor({ ...sourceEnvironment(), DATABASE_URL: database.url, SMTP_URL: smtp.url });
    expect(status).toBe(1);
    // The one of the tests, which has nothing to lose.
    expect(checks.filter((check) => check.status === 'fault')).toMatchObject([
      { name: 'database', detail: expect.stringContaining('fsync'), advice: expect.stringMatching(/\w/) },
    ]);
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('words that no table has, and subscriptions that wait, are listed', async () => {
    for (const [source, name] of [
      ['easypost', 'unknown-code'],
      ['dhl', 'handshake-validate'],
    ] as const) {
      const carrier = CARRIERS.find((one) => one.source === source);
      const body = rawFixture(source, name);
      const headers = carrier?.sign({ rawBody: body, secret: secretsOf(carrier).signsWith, now: new Date() });
      expect((await server.request('POST', `/webhooks/${source}`, body, headers)).status).toBe(200);
    }
    const { of } = await doctor({ ...sourceEnvironment(), DATABASE_URL: database.url, SMTP_URL: smtp.url });
    expect(of('codes')).toMatchObject([{ status: 'warning', detail: expect.stringContaining('easypost "airborne"') }]);
    expect(of('subscription dhl')).toMatchObject([
      { status: 'warning', detail: expect.stringContaining('waits'), advice: expect.stringContaining('secret') },
    ]);
  });

  test('what is wrong is said, with what to do, and exit code 1', async () => {
    const { status, ok, of } = await doctor({
      DATABASE_URL: 'postgresql://nobody:nothing@127.0.0.1:1/none',
      SMTP_URL: 'smtp://127.0.0.1:1',
      KARRIO_WEBHOOK_SECRET: 'short',
      SHIPENGINE_WEBHOOK_SECRET: 'http://127.0.0.1:1/jwks',
    });
    expect({ status, ok }).toEqual({ status: 1, ok: false });
    for (const name of ['database', 'mail', 'source shipengine']) {
      expect([name, of(name).map((check) => check.status)]).toEqual([name, ['fault']]);
      for (const { advice } of of(name)) expect(advice).toMatch(/\w/);
    }
    expect(of('source karrio')).toMatchObject([
      { status: 'warning', detail: expect.stringContaining('16 characters') },
      { status: 'warning', detail: expect.stringContaining('signs nothing') },
    ]);
  });

  test('letters: wrong texts are a fault, links that lead nowhere and letters at night are warnings', async () => {
    const letters = async (env: Record<string, string>) => {
      const { of } = await doctor({ DATABASE_URL: database.url, SMTP_URL: smtp.url, ...env });
      return ['letters', 'links', 'quiet hours'].flatMap((name) => of(name).map(({ status }) => [name, status]));
    };
    expect(await letters({})).toEqual([
      ['letters', 'ok'],
      ['links', 'warning'],
      ['quiet hours', 'warning'],
    ]);
    const texts = join(folder, 'texts');
    await mkdir(join(texts, 'en'), { recursive: true });
    await writeFile(join(texts, 'en', 'lost.txt'), 'Subject: {{nothing}}\n\nLost.\n');
    const sound = { PUBLIC_URL: 'https://makegood.shop.example', QUIET_HOURS: '21:00-08:00' };
    expect(await letters({ ...sound, MAIL_TEXTS_DIR: texts })).toEqual([
      ['letters', 'fault'],
      ['quiet hours', 'ok'],
    ]);
  });

  test('where there is no database yet, none is made by looking', async () => {
    const { status, of } = await doctor({ DATA_DIR: join(folder, 'nothing') });
    expect(status).toBe(0);
    expect(of('database')).toMatchObject([{ status: 'warning', advice: expect.stringContaining('npm start') }]);
    await expect(stat(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('a wrong environment is told as the programs would', async () => {
    const { status, of } = await doctor({ PORT: 'eighty', LOG_LEVEL: 'loud' });
    expect(status).toBe(1);
    expect(of('configuration').map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/^PORT /),
      expect.stringMatching(/^LOG_LEVEL /),
    ]);
  });

  test('without --json a person can read it', async () => {
    const { stdout } = await runProgram(['makegood', 'doctor'], {
      env: { ...sourceEnvironment(), DATABASE_URL: database.url },
    });
    expect(stdout).toMatch(/^✓ schema: up to date$/m);
    expect(stdout).toMatch(/^! mail: .*\n {4}\S/m);
    expect(stdout).toMatch(/^✗ database: .*\n {4}\S/m);
    expect(stdout).toMatch(/^1 fault, \d+ warnings\.$/m);
  });
});
