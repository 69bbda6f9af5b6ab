import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { startServer } from '../../src/http/start-server.js';
import { createMetrics } from '../../src/metrics.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, clientOf, SECRET, signEasypost, trackerEvent } from '../support/makegood.js';
import { somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';

/** Small enough to go beyond, and different: none is taken for another. */
const LIMITS = {
  RATE_LIMIT_WEBHOOKS: '4',
  RATE_LIMIT_INGEST: '6',
  RATE_LIMIT_AGENT: '3',
  RATE_LIMIT_WRONG_KEYS: '5',
  RATE_LIMIT_REFUSALS: '2',
};

let database: TestDatabase;
let base: TestServer;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  base = await startHttpServer(database.url);
});
afterAll(async () => {
  for (const stop of stops) await stop();
  await base.stop();
  await database.drop();
});

/** A server that has counted nothing yet. */
async function fresh(environment: Record<string, string> = {}): Promise<TestServer> {
  const config = readConfig({
    PORT: '0',
    EASYPOST_WEBHOOK_SECRET: SECRET,
    SHIPPO_WEBHOOK_SECRET: 'test-secret-of-shippo',
    ...LIMITS,
    ...environment,
  });
  const deps = { ...base.deps, config, metrics: createMetrics() };
  const { url, close } = await startServer(deps);
  stops.push(close);
  return { ...clientOf(url), deps, stop: close };
}

const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status);

/** Asks one after the other. */
async function times(count: number, ask: (turn: number) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let turn = 0; turn < count; turn++) answers.push(await ask(turn));
  return answers;
}

function expectLimited(answer: Answer | undefined, limit: number): void {
  if (!answer) throw new Error('no answer');
  expectProblem(answer, { status: 429, code: 'rate_limited', fields: [] });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60);
  expect(answer.headers.get('ratelimit-limit')).toBe(String(limit));
  expect(answer.headers.get('ratelimit-remaining')).toBe('0');
}

const from = (addresses: string): Record<string, string> => ({ 'x-forwarded-for': addresses });
const event = Buffer.from(JSON.stringify(trackerEvent('9400100000000000009999', [])));
const webhook = (server: TestServer, headers: Record<string, string> = {}, secret = SECRET): Promise<Answer> =>
  server.request('POST', '/webhooks/easypost', event, {
    authorization: '',
    ...signEasypost(event, secret),
    ...headers,
  });
const withKey = (server: TestServer, key: string, headers: Record<string, string> = {}): Promise<Answer> =>
  server.request('GET', '/v1/orders/nobody', undefined, { authorization: `Bearer ${key}`, ...headers });

describe('requests with one key', () => {
  test('go on to the limit of its role and not beyond; every other key goes on', async () => {
    const server = await fresh();
    const [agent, other, ingest] = [
      await somebody(server, 'agent'),
      await somebody(server, 'agent'),
      await somebody(server, 'ingest'),
    ];
    const ask = () => agent.ask('GET', '/v1/orders/nobody');
    const answers = await times(5, ask);
    expect(statuses(answers)).toEqual([404, 404, 404, 429, 429]);
    expect(answers.slice(0, 3).map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual(['2', '1', '0']);
    expectLimited(answers[3], 3);
    expectLimited(answers[4], 3);

    expect((await other.ask('GET', '/v1/orders/nobody')).status).toBe(404);
    expect((await server.request('GET', '/v1/orders/nobody')).status).toBe(404);
    const registrations = await times(7, () => ingest.ask('PUT', '/v1/orders/x', {}));
    expect(statuses(registrations)).toEqual([400, 400, 400, 400, 400, 400, 429]);
    expectLimited(registrations[6], 6);
    // What needs no key needs no limit of a key.
    expect((await agent.ask('GET', '/healthz')).status).toBe(200);
  });

  test('are counted by key, wherever they come from: a forged X-Forwarded-For does not help', async () => {
    const server = await fresh({ TRUST_PROXY: '1' });
    const agent = await somebody(server, 'agent');
    const answers = await times(4, (turn) => agent.ask('GET', '/v1/orders/nobody', undefined, from(`10.0.0.${turn}`)));
    expect(statuses(answers)).toEqual([404, 404, 404, 429]);
  });

  test('0 is no limit', async () => {
    const server = await fresh({ RATE_LIMIT_AGENT: '0', RATE_LIMIT_WEBHOOKS: '0', RATE_LIMIT_WRONG_KEYS: '0' });
    const agent = await somebody(server, 'agent');
    const answers = [
      ...(await times(8, () => agent.ask('GET', '/v1/orders/nobody'))),
      ...(await times(8, () => withKey(server, 'wrong'))),
      ...(await times(8, () => webhook(server))),
    ];
    expect(new Set(statuses(answers.slice(0, 8)))).toEqual(new Set([404]));
    expect(new Set(statuses(answers.slice(8, 16)))).toEqual(new Set([401]));
    expect(new Set(statuses(answers.slice(16)))).toEqual(new Set([200]));
    for (const { headers } of answers) expect(headers.get('ratelimit-limit')).toBeNull();
  });
});

describe('keys that are wrong or missing', () => {
  test('are refused with 429 beyond the limit, and a key that was good before goes on at the same address', async () => {
    const server = await fresh();
    const agent = await somebody(server, 'agent');
    expect((await agent.ask('GET', '/v1/orders/nobody')).status).toBe(404);
    const wrong = await times(3, (turn) => withKey(server, `wrong-${turn}`));
    const missing = await times(3, () => server.request('GET', '/v1/audit', undefined, { authorization: '' }));
    expect(statuses([...wrong, ...missing])).toEqual([401, 401, 401, 401, 401, 429]);
    expectLimited(missing[2], 5);
    expectLimited(await withKey(server, 'wrong-again'), 5);
    expect((await agent.ask('GET', '/v1/orders/nobody')).status).toBe(404);
  });

  test('no key can be found by trying: beyond the limit a right one is not even looked up, and elsewhere it works', async () => {
    const server = await fresh({ TRUST_PROXY: '1' });
    const agent = await somebody(server, 'agent');
    await times(6, () => withKey(server, 'wrong', from('198.51.100.9')));
    const ask = (address: string) => agent.ask('GET', '/v1/orders/nobody', undefined, from(address));
    expectLimited(await ask('198.51.100.9'), 5);
    expect((await ask('198.51.100.10')).status).toBe(404);
  });

  test('a forged X-Forwarded-For makes no other address of one', async () => {
    const server = await fresh();
    const answers = await times(7, (turn) => withKey(server, 'wrong', from(`198.51.100.${turn}`)));
    expect(statuses(answers)).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  test('a key that was good and is revoked is a wrong key', async () => {
    const server = await fresh();
    const agent = await somebody(server, 'agent');
    expect((await agent.ask('GET', '/v1/orders/nobody')).status).toBe(404);
    await database.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [agent.id]);
    const answers = await times(6, () => agent.ask('GET', '/v1/orders/nobody'));
    expect(statuses(answers)).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

describe('webhooks', () => {
  test('of one source from one address go on to the limit; another source goes on', async () => {
    const server = await fresh();
    const answers = await times(6, (turn) => webhook(server, from(`198.51.100.${turn}`)));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429]);
    expectLimited(answers[4], 4);
    // Shippo's has no signature; it is heard, and told so.
    const shippo = await server.request('POST', '/webhooks/shippo', event, { authorization: '' });
    expectProblem(shippo, { status: 401, code: 'bad_signature' });
    expect(shippo.headers.get('ratelimit-remaining')).toBe('3');
  });

  test('beyond the limit nothing is stored', async () => {
    const server = await fresh();
    await times(4, () => webhook(server));
    const before = await readDatabaseState(database);
    const other = Buffer.from(JSON.stringify(trackerEvent('9400100000000000008888', [])));
    const answer = await server.request('POST', '/webhooks/easypost', other, signEasypost(other, SECRET));
    expectLimited(answer, 4);
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('who floods a source with bad signatures at one address does not lock out the carrier at another', async () => {
    const server = await fresh({ TRUST_PROXY: '1' });
    const forged = await times(20, () => webhook(server, from('203.0.113.66'), 'not-the-secret'));
    expect(statuses(forged).slice(0, 5)).toEqual([401, 401, 401, 401, 429]);
    expect(new Set(statuses(forged.slice(4)))).toEqual(new Set([429]));
    expect((await webhook(server, from('192.0.2.1'))).status).toBe(200);
  });

  test('with one proxy its word counts, the last: a longer list in front of it does not help', async () => {
    const server = await fresh({ TRUST_PROXY: '1' });
    const answers = await times(6, (turn) => webhook(server, from(`198.51.100.${turn}, 10.9.9.${turn}, 203.0.113.7`)));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429]);
    expect((await webhook(server, from('203.0.113.7, 203.0.113.8'))).status).toBe(200);
  });

  test('with the addresses of the proxies, the last address that is none of theirs counts', async () => {
    const server = await fresh({ TRUST_PROXY: '127.0.0.0/8, ::1, 10.0.0.0/8' });
    const answers = await times(6, (turn) => webhook(server, from(`198.51.100.${turn}, 203.0.113.7, 10.0.0.${turn}`)));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429, 429]);
    expect((await webhook(server, from('203.0.113.8, 10.0.0.1'))).status).toBe(200);
  });

  test('an IPv6 sender is its network of 64 bits, which it has all addresses of', async () => {
    const server = await fresh({ TRUST_PROXY: '1' });
    const answers = await times(5, (turn) => webhook(server, from(`2001:db8:1:2::${turn + 1}`)));
    expect(statuses(answers)).toEqual([200, 200, 200, 200, 429]);
    expect((await webhook(server, from('2001:db8:1:3::1'))).status).toBe(200);
  });
});

describe('refusals by role', () => {
  test('each that is answered 403 is a line of the audit; beyond the limit it is 429 and no line', async () => {
    const server = await fresh();
    const [ingest, other] = [await somebody(server, 'ingest'), await somebody(server, 'ingest')];
    const before = await countRows(database, 'audit');
    const answers = await times(5, () => ingest.ask('GET', '/v1/audit'));
    expect(statuses(answers)).toEqual([403, 403, 429, 429, 429]);
    expectLimited(answers[2], 2);
    expect(await countRows(database, 'audit')).toBe(before + 2);
    // What it may, it still may; and so does every other key.
    expect((await ingest.ask('PUT', '/v1/orders/x', {})).status).toBe(400);
    expect((await other.ask('GET', '/v1/audit')).status).toBe(403);
  });

  test('the limit of the key comes first: a flood of wrong asks is no flood of lines', async () => {
    const server = await fresh({ RATE_LIMIT_REFUSALS: '0' });
    const agent = await somebody(server, 'agent');
    const before = await countRows(database, 'audit');
    const answers = await times(6, () => agent.ask('GET', '/v1/audit'));
    expect(statuses(answers)).toEqual([403, 403, 403, 429, 429, 429]);
    expect(await countRows(database, 'audit')).toBe(before + 3);
  });
});

test('what was refused is counted by limit, and no address or key is shown', async () => {
  const server = await fresh();
  await times(6, () => withKey(server, 'wrong'));
  await times(6, () => webhook(server));
  const metrics = String((await server.request('GET', '/metrics')).body);
  expect(metrics).toContain('makegood_rate_limited_total{limit="wrong_keys"} 1');
  expect(metrics).toContain('makegood_rate_limited_total{limit="sender"} 2');
  expect(metrics).not.toMatch(/127\.0\.0\.1|easypost \d/);
});
