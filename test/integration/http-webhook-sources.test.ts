import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CarrierAdapter } from '../../src/carriers/adapter.js';
import { CARRIERS } from '../../src/carriers/registry.js';
import type { Logger } from '../../src/logger.js';
import { parcelsOf, rawFixture } from '../support/carriers.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, orderDocument } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';
import { secretsOf, signedBy, sourceEnvironment } from '../support/sources.js';

let database: TestDatabase;
let server: TestServer;
const logged: { fields: object; message: string }[] = [];
const keep = (fields: object, message: string) => void logged.push({ fields, message });
const log = { debug: () => {}, trace: () => {}, info: keep, warn: keep, error: keep, fatal: keep } as unknown as Logger;
Object.assign(log, { child: () => log, level: 'info' });

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url, sourceEnvironment(), log);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const post = (carrier: CarrierAdapter, body: Buffer, headers: Record<string, string>): Promise<Answer> =>
  server.request('POST', `/webhooks/${carrier.source}`, body, { authorization: '', ...headers });

/** Nothing is written, and the log holds the source and the reason and nothing else. */
async function refused(ask: () => Promise<Answer>, expected: { status: number; code: string; reason?: string }) {
  const before = await readDatabaseState(database);
  logged.length = 0;
  const answer = await ask();
  expectProblem(answer, { status: expected.status, code: expected.code });
  expect(await readDatabaseState(database)).toEqual(before);
  for (const { fields } of logged) expect(Object.keys(fields).sort()).toEqual(['reason', 'source']);
  if (expected.reason) expect(logged).toMatchObject([{ fields: { reason: expected.reason } }]);
}

const BAD_SIGNATURE = { status: 401, code: 'bad_signature', reason: 'bad_signature' };
const MALFORMED = { status: 400, code: 'malformed_webhook', reason: 'malformed' };
/** Sources whose signature is good for five minutes. */
const TIMED = ['shippo', 'shipengine', 'trackingmore'];

describe.each(CARRIERS.map((carrier) => [carrier.source, carrier] as const))('%s', (source, carrier) => {
  const body = rawFixture(source, 'delivered-in-time');
  const inserted = (members: string) => Buffer.from(body.toString('utf8').replace('{', `{${members},`));
  const overDocument = carrier.verifier.over === 'document';

  test('a signature that is missing, empty, cut or of another body or secret: 401', async () => {
    const right = signedBy(carrier, body);
    await refused(() => post(carrier, body, {}), BAD_SIGNATURE);
    for (const [name, value] of Object.entries(right)) {
      const { [name]: _left, ...without } = right;
      await refused(() => post(carrier, body, without), BAD_SIGNATURE);
      await refused(() => post(carrier, body, { ...right, [name]: '' }), BAD_SIGNATURE);
      await refused(() => post(carrier, body, { ...right, [name]: value.slice(0, -1) }), BAD_SIGNATURE);
    }
  });

  test('the key of another source: 401', async () => {
    const other = CARRIERS.find(({ secretKind, source: name }) => secretKind === 'text' && name !== source);
    const headers =
      carrier.secretKind === 'key_set'
        ? { ...signedBy(carrier, body), 'x-shipengine-rsa-sha256-key-id': 'of-somebody-else' }
        : carrier.sign({ rawBody: body, secret: secretsOf(other ?? carrier).signsWith, now: new Date() });
    await refused(() => post(carrier, body, headers), BAD_SIGNATURE);
  });

  if (carrier.trust === 'signed') {
    test('a byte changed, or the JSON written again: 401', async () => {
      const right = signedBy(carrier, body);
      const changed = Buffer.from(body.toString('utf8').replace('2026-04', '2026-05').replace('202604', '202605'));
      expect(changed.equals(body)).toBe(false);
      await refused(() => post(carrier, changed, right), BAD_SIGNATURE);
      // USPS signs two values of the document, not its bytes.
      if (overDocument) return;
      const again = Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')), null, 1));
      await refused(() => post(carrier, again, right), BAD_SIGNATURE);
    });
  }

  if (TIMED.includes(source)) {
    test('signed more than five minutes ago, or ahead: 401', async () => {
      for (const seconds of [-310, 310]) {
        const headers = signedBy(carrier, body, new Date(Date.now() + seconds * 1000));
        await refused(() => post(carrier, body, headers), BAD_SIGNATURE);
      }
    });
  }

  test.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['no JSON', Buffer.from('{"a": ')],
    ['a list', Buffer.from('[]')],
    ['a word', Buffer.from('"delivered"')],
    ['nested a hundred deep', inserted(`"deep":${'['.repeat(100)}${']'.repeat(100)}`)],
    ['__proto__', inserted('"__proto__":{"polluted":1}')],
    ['__proto__ in disguise', inserted('"\\u005f_proto__":{"polluted":1}')],
    ['a key twice', inserted('"twice":1,"twice":2')],
    ['not UTF-8', Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')])],
  ])('signed, and the body is %s: 400', async (_name, bytes) => {
    const headers = overDocument ? signedBy(carrier, body) : signedBy(carrier, bytes);
    await refused(
      () => post(carrier, bytes, headers),
      overDocument && /^["[]/.test(String(bytes)) ? BAD_SIGNATURE : MALFORMED,
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('a body over 1 MiB: 413', async () => {
    const big = Buffer.alloc(1024 * 1024 + 1, 0x20);
    await refused(() => post(carrier, big, signedBy(carrier, body)), { status: 413, code: 'body_too_large' });
  });

  if (carrier.carrier !== null) {
    test('a parcel that is registered with another carrier: 400, and it gets none of it', async () => {
      const [parcel] = parcelsOf(carrier.parse(JSON.parse(body.toString('utf8'))));
      const id = `foreign-${source}`;
      const order = orderDocument({
        customerId: id,
        carrier: 'gls',
        trackingNumber: parcel?.trackingNumber ?? '',
        placedAt: '2026-04-05T10:00:00Z',
        promise: { on: '2026-04-10', timeZone: 'Europe/Berlin' },
      });
      await server.put(id, order);
      await refused(() => post(carrier, body, signedBy(carrier, body)), {
        status: 400,
        code: 'another_carriers_parcel',
        reason: 'another_carriers',
      });
      expect((await server.order(id)).shipments[0]?.events).toEqual([]);
    });
  }

  test('all is well: 200, every scan once, and again nothing', async () => {
    const fresh = rawFixture(source, 'delivered-late');
    const answer = await post(carrier, fresh, signedBy(carrier, fresh));
    expect(answer).toMatchObject({ status: 200, body: { duplicates: 0 } });
    expect(answer.body.accepted).toBeGreaterThan(0);
    const again = await post(carrier, fresh, signedBy(carrier, fresh, new Date(Date.now() + 1000)));
    expect(again).toMatchObject({ status: 200, body: { accepted: 0, duplicates: answer.body.accepted } });
  });

  test(`HEAD answers ${carrier.answersHead ? 200 : 404}`, async () => {
    const { status } = await fetch(`${server.url}/webhooks/${source}`, { method: 'HEAD' });
    expect(status).toBe(carrier.answersHead ? 200 : 404);
  });
});

test('what was refused, ignored and stored is counted by source, and nothing a stranger wrote is in the metrics', async () => {
  const { status, body, headers } = await server.request('GET', '/metrics', undefined, { authorization: '' });
  expect([status, headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')]);
  const text = String(body);
  for (const { source } of CARRIERS) {
    for (const outcome of ['stored', 'malformed', 'bad_signature']) {
      expect(text).toMatch(new RegExp(`makegood_webhooks_total\\{source="${source}",outcome="${outcome}"\\} [1-9]`));
    }
  }
  expect(text).not.toMatch(/secret|polluted|example\.com/);
});

test('a word that no table has is counted, kept, and never thrown away', async () => {
  for (const carrier of CARRIERS) {
    const body = rawFixture(carrier.source, 'unknown-code');
    expect((await post(carrier, body, signedBy(carrier, body))).status).toBe(200);
  }
  const rows = await database.query<{ source: string; scans: string }>(
    'SELECT source, sum(scans)::int AS scans FROM unknown_codes GROUP BY source ORDER BY source',
  );
  expect(rows.map(({ source }) => source)).toEqual(CARRIERS.map(({ source }) => source).sort());
  const { body } = await server.request('GET', '/metrics');
  for (const { source, scans } of rows)
    expect(body).toContain(`makegood_unknown_codes_total{source="${source}"} ${scans}`);
});
