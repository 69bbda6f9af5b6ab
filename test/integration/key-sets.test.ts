import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { shipengine } from '../../src/carriers/shipengine/adapter.js';
import { readConfig } from '../../src/config.js';
import { rawFixture } from '../support/carriers.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { expectProblem } from '../support/problem.js';
import { makeKeyPair } from '../support/sources.js';

/** A server of keys, which can be told what to answer, and counts how often it is asked. */
interface KeyServer {
  readonly url: string;
  asked: number;
  answer: { status: number; body: string; location?: string };
  stop(): Promise<void>;
}

async function startKeyServer(body: string): Promise<KeyServer> {
  const answering: Omit<KeyServer, 'url' | 'stop'> = { asked: 0, answer: { status: 200, body } };
  const server: Server = createServer((_request, response) => {
    answering.asked++;
    const { status, body: text, location } = answering.answer;
    response.writeHead(status, location ? { location } : {}).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(answering, {
    url: `http://127.0.0.1:${port}/jwks`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}

const [first, second, third] = [makeKeyPair('first'), makeKeyPair('second'), makeKeyPair('third')];
const body = rawFixture('shipengine', 'delivered-late');

describe('a key set behind a URL', () => {
  let database: TestDatabase;
  let keys: KeyServer;
  let server: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    keys = await startKeyServer(first.configured);
    server = await startHttpServer(database.url, { SHIPENGINE_WEBHOOK_SECRET: keys.url });
  });
  afterEach(async () => {
    await server.stop();
    await keys.stop();
  });

  const send = (secret: string) =>
    server.request('POST', '/webhooks/shipengine', body, {
      authorization: '',
      ...shipengine.sign({ rawBody: body, secret, now: new Date() }),
    });

  test('is asked for when it is first needed, and then remembered, also by twenty at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(first.signsWith)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect((await send(first.signsWith)).status).toBe(200);
    expect(keys.asked).toBe(1);
  });

  test('is asked for once more when a key is not in it: a new key is good at once, and the old one no longer', async () => {
    expect((await send(first.signsWith)).status).toBe(200);
    keys.answer = { status: 200, body: second.configured };
    expect((await send(second.signsWith)).status).toBe(200);
    expect(keys.asked).toBe(2);
    expectProblem(await send(first.signsWith), { status: 401, code: 'bad_signature' });
  });

  test('is not asked for again and again by whoever invents keys', async () => {
    await send(first.signsWith);
    for (let round = 0; round < 30; round++) {
      expectProblem(await send(third.signsWith), { status: 401, code: 'bad_signature' });
    }
    expect(keys.asked).toBeLessThanOrEqual(1 + 6);
    expect((await send(first.signsWith)).status).toBe(200);
  });

  test.each<[string, { status: number; body: string; location?: string }]>([
    ['is away', { status: 500, body: '' }],
    ['sends elsewhere', { status: 302, body: '', location: 'http://127.0.0.1:1/jwks' }],
    ['answers with something else', { status: 200, body: '<html>' }],
    ['answers with too much', { status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` }],
    ['has no key that can be used', { status: 200, body: '{"keys":[{"kty":"EC","kid":"first"}]}' }],
  ])('whose server %s: 503 with Retry-After, and the next time it works', async (_name, answer) => {
    keys.answer = answer;
    const refused = await send(first.signsWith);
    expectProblem(refused, { status: 503, code: 'keys_unavailable' });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    // A server that failed is left alone for a moment.
    expect((await send(first.signsWith)).status).toBe(503);
    expect(keys.asked).toBe(1);
    keys.answer = { status: 200, body: first.configured };
    await eventually(async () => (await send(first.signsWith)).status === 200);
  });

  test('is not asked for by a stranger who sends no signature, or one of long ago: 401, whatever its server does', async () => {
    keys.answer = { status: 500, body: '' };
    const right = shipengine.sign({ rawBody: body, secret: first.signsWith, now: new Date() });
    const old = shipengine.sign({ rawBody: body, secret: first.signsWith, now: new Date(Date.now() - 600_000) });
    for (const headers of [{}, { ...right, 'x-shipengine-timestamp': '' }, old]) {
      const answer = await server.request('POST', '/webhooks/shipengine', body, { authorization: '', ...headers });
      expectProblem(answer, { status: 401, code: 'bad_signature' });
    }
    expect(keys.asked).toBe(0);
  });

  test('may be at two addresses while it moves: one that is away does not matter', async () => {
    const both = await startHttpServer(database.url, {
      SHIPENGINE_WEBHOOK_SECRET: `http://127.0.0.1:1/jwks, ${keys.url}`,
    });
    try {
      const headers = shipengine.sign({ rawBody: body, secret: first.signsWith, now: new Date() });
      expect((await both.request('POST', '/webhooks/shipengine', body, headers)).status).toBe(200);
    } finally {
      await both.stop();
    }
  });
});

describe('the variable', () => {
  const faults = (value: string): string[] => {
    try {
      readConfig({ SHIPENGINE_WEBHOOK_SECRET: value });
      return [];
    } catch (error) {
      return (error as { errors: { field: string }[] }).errors.map(({ field }) => field);
    }
  };
  const refused = ['SHIPENGINE_WEBHOOK_SECRET'];

  test.each<[string, readonly string[]]>([
    ['https://api.shipengine.com/jwks', []],
    ['https://a.example/jwks, https://b.example/jwks', []],
    ['http://127.0.0.1:8080/jwks', []],
    ['http://localhost/jwks', []],
    ['http://[::1]:8080/jwks', []],
    [first.configured, []],
    ['http://api.shipengine.com/jwks', refused],
    ['https://user:password@keys.example/jwks', refused],
    ['http://127.0.0.1.evil.example/jwks', refused],
    ['http://127.0.0.1@evil.example/jwks', refused],
    ['ftp://127.0.0.1/jwks', refused],
    ['a-secret', refused],
    ['{"keys":[]}', refused],
    ['{"keys":', refused],
    ['https://a.example/jwks,', refused],
  ])('%s', (value, expected) => expect([...new Set(faults(value))]).toEqual(expected));
});
