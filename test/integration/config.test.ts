import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { AppError } from '../../src/errors.js';
import { runProgram } from '../support/run-program.js';

/** The variables that are refused, in the order in which they are told. */
function faultsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    for (const { message } of error.errors) expect(message).toMatch(/\w/);
    return error.errors.map(({ field }) => field);
  }
}

const ALL_WRONG = {
  PORT: 'eighty',
  PUBLIC_URL: 'shop.example',
  TRUST_PROXY: 'true',
  RATE_LIMIT_WEBHOOKS: 'many',
  RATE_LIMIT_INGEST: '-1',
  RATE_LIMIT_AGENT: '1.5',
  RATE_LIMIT_ADMIN: '1e400',
  RATE_LIMIT_WRONG_KEYS: 'off',
  RATE_LIMIT_REFUSALS: '10/s',
  DATABASE_URL: 'mysql://root:hunter2-of-mysql@db/makegood',
  REDIS_URL: 'http://:hunter2-of-redis@redis',
  SMTP_URL: 'mail.shop.example:25',
  MAIL_FROM: 'a@shop.example, b@shop.example',
  ADMIN_API_KEY: 'hunter2',
  SWEEP_CRON: 'every night',
  SWEEP_TIME_ZONE: 'Mars/Olympus_Mons',
  EASYPOST_WEBHOOK_SECRET: 'hunter2-of-easypost,,x',
  LOG_LEVEL: 'loud',
};

describe('the environment', () => {
  test('nothing set: the defaults of the contract', () => {
    expect(readConfig({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://127.0.0.1:3000',
      dataDir: '.data',
      databaseUrl: null,
      redisUrl: null,
      smtpUrl: null,
      adminApiKey: null,
      policyFile: null,
      sweepTimeZone: 'UTC',
      webhookSecrets: new Map(),
      logLevel: 'info',
    });
  });

  test('links go on from PUBLIC_URL, however it ends, and in ASCII', () => {
    for (const value of ['https://shop.example/makegood', 'https://shop.example/makegood/']) {
      expect(readConfig({ PUBLIC_URL: value }).publicUrl).toBe('https://shop.example/makegood');
    }
    expect(readConfig({ PUBLIC_URL: 'https://bücher.example/' }).publicUrl).toBe('https://xn--bcher-kva.example');
    expect(faultsOf({ PUBLIC_URL: 'https://shop.example/?a=b' })).toEqual(['PUBLIC_URL']);
  });

  test('an empty variable counts as unset, and blanks around a value do not count', () => {
    const blank = Object.fromEntries(Object.keys(ALL_WRONG).map((name) => [name, '  ']));
    expect(readConfig(blank)).toEqual(readConfig({}));
    expect(readConfig({ PORT: ' 8080 ', HOST: ' ::1 ' })).toMatchObject({ port: 8080, publicUrl: 'http://[::1]:8080' });
  });

  test('everything wrong: every fault is told at once', () => {
    expect(faultsOf(ALL_WRONG).sort()).toEqual(Object.keys(ALL_WRONG).sort());
  });

  test.each<[string, readonly string[], readonly string[]]>([
    ['PORT', ['0', '1', '65535'], ['-1', '65536', '80.5', 'http', 'NaN', 'Infinity', '80 81']],
    [
      'PUBLIC_URL',
      ['https://shop.example', 'http://127.0.0.1:3000'],
      ['ftp://shop.example', '/makegood', 'shop.example'],
    ],
    ['DATABASE_URL', ['postgresql://u:p@h:5432/d', 'postgres:///d?host=/tmp'], ['mysql://h/d', 'h:5432/d', 'postgres']],
    ['REDIS_URL', ['redis://h:6379/0', 'rediss://:p@h'], ['http://h', 'h:6379']],
    ['SMTP_URL', ['smtp://h:25', 'smtps://u:p@h'], ['http://h', 'h:25']],
    [
      'MAIL_FROM',
      ['care@shop.example', 'Care <care@shop.example>'],
      ['care', 'a@x.example, b@x.example', 'Care <care>', 'a@x.example\r\nBcc: b@x.example'],
    ],
    ['ADMIN_API_KEY', ['01234567'], ['0123456']],
    [
      'TRUST_PROXY',
      ['1', '10', '192.0.2.7', '10.0.0.0/8, 2001:db8::/32', '::1'],
      [
        'true',
        'false',
        '0',
        '-1',
        '11',
        '1.5',
        '*',
        'loopback',
        '0.0.0.0/0',
        '::/0',
        '10.0.0.0/33',
        '10.0.0/8',
        '10.0.0.0/',
        '::1/129',
        'fe80::1%eth0',
        'proxy',
        '10.0.0.1,',
      ],
    ],
    ['RATE_LIMIT_WEBHOOKS', ['0', '1', '90000000'], ['-1', '1.5', 'many', 'Infinity']],
    ['SWEEP_CRON', ['30 2 * * *', '0 0 1 * 1'], ['nightly', '* *', '61 2 * * *', '30 25 * * *']],
    ['SWEEP_TIME_ZONE', ['UTC', 'Europe/Berlin'], ['Berlin', '+01:00', 'PST']],
    ['LOG_LEVEL', ['debug', 'silent'], ['verbose', 'INFO', '30']],
    ['EASYPOST_WEBHOOK_SECRET', ['one', 'one,two', 'one , two'], [',', 'one,', 'one,,two']],
  ])('%s: takes %j, refuses %j', (name, good, bad) => {
    for (const value of good) expect([value, faultsOf({ [name]: value })]).toEqual([value, []]);
    for (const value of bad) expect([value, faultsOf({ [name]: value })]).toEqual([value, [name]]);
  });

  test('two secrets while keys rotate: both count, without the blanks around them', () => {
    const { webhookSecrets } = readConfig({ EASYPOST_WEBHOOK_SECRET: 'old , new' });
    expect(webhookSecrets.get('easypost')).toEqual(['old', 'new']);
  });
});

describe('a process with a wrong environment', () => {
  test.each(['start', 'server', 'worker'])(
    '%s ends with 1, says every fault and no secret, and starts nothing',
    async (program) => {
      const { status, stdout, stderr } = await runProgram([program], { env: ALL_WRONG });
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      for (const name of Object.keys(ALL_WRONG)) expect(stderr).toMatch(new RegExp(`^  ${name}: \\w`, 'm'));
      expect(stderr).not.toMatch(/hunter2|node_modules|at \S+ \(/);
    },
  );

  test.each(['server', 'worker'])('%s without DATABASE_URL says what to do instead', async (program) => {
    const { status, stderr } = await runProgram([program], { env: { LOG_LEVEL: 'silent' } });
    expect(status).toBe(1);
    expect(stderr).toMatch(/DATABASE_URL.*npm start/s);
  });

  test('a worker that is told to do only what nobody knows says which names there are', async () => {
    const { status, stderr } = await runProgram(['worker', '--only=judge-promises,bake-bread']);
    expect(status).toBe(1);
    expect(stderr).toContain('judge-promises, grant-awards');
  });

  test('a program that does not exist: usage, and 2', async () => {
    const { status, stderr } = await runProgram(['fly']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/usage:/);
  });
});
