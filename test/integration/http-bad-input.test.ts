import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, orderDocument } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  expect((await server.put('known', orderDocument({ customerId: 'known' }))).status).toBe(201);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** Asserts that a request changes nothing at all, and returns its answer. */
async function changesNothing(ask: () => Promise<Answer>): Promise<Answer> {
  const before = await readDatabaseState(database);
  const answer = await ask();
  expect(await readDatabaseState(database)).toEqual(before);
  return answer;
}

const refused = (order: unknown) =>
  changesNothing(() => server.request('PUT', '/v1/orders/bad', order)).then((answer) => {
    expectProblem(answer, { status: 400, code: 'invalid_request' });
    return answer;
  });
/** Each field once: one value can be wrong in two ways. */
const fieldsOf = (answer: Answer): string[] => [
  ...new Set<string>(answer.body.errors.map(({ field }: { field: string }) => field)),
];

/** A valid document in which the value at this path is replaced; undefined leaves it out. */
function withValue(path: string, value: unknown): unknown {
  const document = structuredClone(
    orderDocument({
      customer: { phone: '+15550100', membership: { tier: 'prime', renewsOn: '2027-03-01', trial: false } },
      shipBy: '2026-11-03T22:00:00Z',
      occasion: { name: 'christmas', on: '2026-12-24' },
      destination: { country: 'US', region: 'NY', postalCode: '10001' },
      shipments: [{ carrier: 'usps', trackingNumber: '9400100000000000000009', service: 'priority' }],
    }),
  );
  const steps = path.split(/[.[\]]+/).filter(Boolean);
  const last = steps.pop() ?? '';
  // biome-ignore lint/suspicious/noExplicitAny: walks wherever the path leads.
  const parent = steps.reduce<any>((at, step) => at[step], document);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return document;
}

const NUL = '\u0000';
const TEXT_FIELDS = [
  'customer.id',
  'customer.name',
  'customer.phone',
  'customer.membership.tier',
  'occasion.name',
  'destination.region',
  'destination.postalCode',
  'shipments[0].carrier',
  'shipments[0].trackingNumber',
  'shipments[0].service',
];

describe('PUT /v1/orders/{id}: a document with one fault is refused by the name of the field, and nothing is written', () => {
  test.each<[string, unknown]>([
    ['customer', undefined],
    ['customer', null],
    ['customer', 'ann'],
    ['customer.id', undefined],
    ['customer.id', ''],
    ['customer.id', '   '],
    ['customer.id', 7],
    ['customer.id', 'c'.repeat(201)],
    ['customer.name', 'n'.repeat(201)],
    ['customer.email', 'ann'],
    ['customer.email', 'ann@'],
    ['customer.email', '@example.com'],
    ['customer.email', 'ann.example.com'],
    ['customer.email', 'ann@example.com, bob@example.com'],
    ['customer.email', 'ann@example.com;bob@example.com'],
    ['customer.email', 'ann@example.com\r\nBcc: bob@example.com'],
    ['customer.email', 'Ann <ann@example.com>'],
    ['customer.email', 'ann@example.com bob@example.com'],
    ['customer.email', `${'a'.repeat(250)}@example.com`],
    ['customer.email', ['ann@example.com']],
    ['customer.locale', 'English, please'],
    ['customer.locale', 'x'],
    ['customer.locale', 'en_US_POSIX_'],
    ['customer.membership', 'prime'],
    ['customer.membership.tier', undefined],
    ['customer.membership.trial', 'no'],
    ['customer.membership.renewsOn', '2027-02-29'],
    ['placedAt', 'yesterday'],
    ['placedAt', '2026-11-01T15:04:00'],
    ['placedAt', 1_793_545_440],
    ['total', 59.9],
    ['total.amountMinor', undefined],
    ['total.amountMinor', -1],
    ['total.amountMinor', 59.9],
    ['total.amountMinor', '5990'],
    ['total.amountMinor', 1e15],
    ['total.amountMinor', Number.MAX_SAFE_INTEGER + 2],
    ['total.currency', undefined],
    ['shippingPaid.amountMinor', -599],
    ['shippingPaid.currency', 'EUR'],
    ['promise', undefined],
    ['promise', null],
    ['promise', 'tomorrow'],
    ['promise', { timeZone: 'America/New_York' }],
    ['promise', { on: '2026-11-05', at: '2026-11-05T17:00:00Z', timeZone: 'America/New_York' }],
    ['promise.timeZone', undefined],
    ['promise.timeZone', 'Mars/Olympus_Mons'],
    ['promise.timeZone', '+05:00'],
    ['promise.timeZone', ''],
    ['promise.on', '2026-02-30'],
    ['promise.on', '2026-13-01'],
    ['promise.on', '05.11.2026'],
    ['promise.on', '2026-11-05T00:00:00Z'],
    ['promise.on', 20261105],
    ['shipBy', '2026-11-31T00:00:00Z'],
    ['occasion.on', '2026-12-32'],
    ['occasion.on', undefined],
    ['occasion.name', undefined],
    ['destination.country', 'USA'],
    ['destination.country', 'us'],
    ['shipments', {}],
    ['shipments', null],
    ['shipments[0]', 'usps'],
    ['shipments[0].carrier', undefined],
    ['shipments[0].carrier', '---'],
    ['shipments[0].trackingNumber', undefined],
    ['shipments[0].trackingNumber', ''],
    ['shipments[0].trackingNumber', ' - - '],
    ['shipments[0].trackingNumber', 9400100000000000000000],
    ['shipments[0].trackingNumber', '1'.repeat(101)],
    ['shipments[0].promise', '2026-11-05'],
  ])('%s: %j', async (path, value) => {
    expect(fieldsOf(await refused(withValue(path, value)))).toEqual([path]);
  });

  test.each(
    TEXT_FIELDS.flatMap((path) => [NUL, '\n', '\u001b[31m', '\u007f', '\u0085', '\ud800'].map((bad) => [path, bad])),
  )('%s with the character %j', async (path, bad) => {
    expect(fieldsOf(await refused(withValue(path ?? '', `a${bad}b`)))).toEqual([path]);
  });

  test.each([
    ['promise.at', '2026-11-05T17:00:00'],
    ['promise.at', '2026-11-05'],
    ['promise.at', '2026-02-30T17:00:00Z'],
    ['promise.at', '2026-11-05T25:00:00Z'],
  ])('%s: %j', async (_path, at) => {
    const answer = await refused(withValue('promise', { at, timeZone: 'America/New_York' }));
    expect(fieldsOf(answer)).toEqual(['promise.at']);
  });

  test.each(['usd', 'US$', 'Dollars', ''])('total.currency: %j', async (currency) => {
    const order = orderDocument({ total: { amountMinor: 1, currency }, shippingPaid: null });
    expect(fieldsOf(await refused(order))).toEqual(['total.currency']);
  });

  test('a promise by service level: 400 says that it is not supported yet, for the order and for a shipment', async () => {
    for (const [path, value] of [
      ['promise', { service: 'two-day', timeZone: 'America/New_York' }],
      ['shipments[0].promise', { service: 'two-day' }],
    ] as const) {
      const answer = await refused(withValue(path, value));
      expect(answer.body.errors).toEqual([
        { field: `${path}.service`, message: expect.stringMatching(/not supported yet/) },
      ]);
    }
  });

  test('a list of the shipments too long: 400 names the list', async () => {
    const shipments = Array.from({ length: 201 }, (_, index) => ({ carrier: 'usps', trackingNumber: `n-${index}` }));
    expect(fieldsOf(await refused(orderDocument({ shipments })))).toEqual(['shipments']);
  });

  test('several faults: all of them are named at once', async () => {
    const answer = await refused(
      orderDocument({
        customer: { email: 'nobody' },
        promise: { on: '2026-02-30', timeZone: 'Nowhere/None' },
        shipments: [{ carrier: 'usps', trackingNumber: '1' }, { trackingNumber: '2' }],
        total: { amountMinor: -1, currency: 'USD' },
      }),
    );
    expect(fieldsOf(answer).sort()).toEqual([
      'customer.email',
      'promise.on',
      'promise.timeZone',
      'shipments[1].carrier',
      'total.amountMinor',
    ]);
  });
});

describe('PUT /v1/orders/{id}: a body that is no document', () => {
  const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  test.each<[string, string | Uint8Array, number, string]>([
    ['not JSON', '{"customer": {"id": "c-1"', 400, 'invalid_request'],
    ['a word', 'hello', 400, 'invalid_request'],
    ['empty', '', 400, 'invalid_request'],
    ['a list', '[]', 400, 'invalid_request'],
    ['null', 'null', 400, 'invalid_request'],
    ['a number', '17', 400, 'invalid_request'],
    ['lists in lists, 100,000 deep', deep(100_000), 400, 'invalid_request'],
    ['a promise 10,000 deep', `{"customer":{"id":"x"},"promise":${deep(10_000)}}`, 400, 'invalid_request'],
    ['__proto__ at the top', '{"__proto__": {"admin": true}}', 400, 'invalid_request'],
    [
      '__proto__ further in',
      '{"customer": {"id": "x", "__proto__": {"email": "x@example.com"}}}',
      400,
      'invalid_request',
    ],
    ['constructor.prototype', '{"constructor": {"prototype": {"admin": true}}}', 400, 'invalid_request'],
    ['not UTF-8', Buffer.from('{"customer": {"id": "c-\xff"}}', 'latin1'), 400, 'invalid_request'],
  ])('%s: a problem document, nothing written', async (_name, body, status, code) => {
    const answer = await changesNothing(() =>
      server.request('PUT', '/v1/orders/bad', body, { 'content-type': 'application/json' }),
    );
    expectProblem(answer, { status, code });
  });

  test('__proto__ in a document changes no prototype, and fields nobody knows are ignored', async () => {
    await server.request('PUT', '/v1/orders/bad', '{"__proto__": {"polluted": 1}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    const answer = await server.put('extra', {
      ...orderDocument({ customerId: 'extra' }),
      status: 'paid',
      verdict: 'late',
      awards: [1],
    });
    expect(answer.status).toBe(201);
    expect((await server.order('extra')).awards).toEqual([]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'nonsense'])(
    'sent as %s: 415',
    async (type) => {
      const body = JSON.stringify(orderDocument());
      const answer = await changesNothing(() =>
        server.request('PUT', '/v1/orders/bad', body, { 'content-type': type }),
      );
      expectProblem(answer, { status: 415, code: 'unsupported_media_type' });
    },
  );

  test.each([
    ['two bytes too many', 1024 * 1024 + 2],
    ['2 MiB', 2 * 1024 * 1024],
  ])('%s: 413 each time, and the next request is served', async (_name, size) => {
    const body = JSON.stringify({ ...orderDocument(), note: 'x'.repeat(size) }).slice(0, size);
    for (let round = 0; round < 10; round++) {
      const answer = await changesNothing(() => server.request('PUT', '/v1/orders/bad', body));
      expectProblem(answer, { status: 413, code: 'body_too_large' });
    }
    expect((await server.request('GET', '/v1/orders/known')).status).toBe(200);
  });

  test('2 MiB in chunks, of which nobody knows the length beforehand: 413', async () => {
    const answer = await changesNothing(async () => {
      const chunk = new TextEncoder().encode('x'.repeat(64 * 1024));
      const body = new ReadableStream({
        start(controller) {
          for (let sent = 0; sent < 32; sent++) controller.enqueue(chunk);
          controller.close();
        },
      });
      const init = {
        method: 'PUT',
        body,
        duplex: 'half',
        headers: { ...headers(), 'content-type': 'application/json' },
      };
      const response = await fetch(`${server.url}/v1/orders/bad`, init as RequestInit);
      return { status: response.status, headers: response.headers, body: await response.json() };
    });
    expectProblem(answer, { status: 413, code: 'body_too_large' });
  });
});

const headers = () => ({ authorization: 'Bearer test-admin-key-0123456789' });

describe('the id in the address', () => {
  const at = (path: string) => changesNothing(() => server.request('PUT', `/v1/orders/${path}`, orderDocument()));

  test.each(['%00', 'a%00b', 'a%0D%0Ab', '%20', '%7F'])('%s: 400 names the id', async (path) => {
    expectProblem(await at(path), { status: 400, code: 'invalid_request', fields: ['id'] });
  });

  test.each(['%', '%zz', '%ff', '%c3%28'])('%s is no address: 400', async (path) => {
    expectProblem(await at(path), { status: 400, code: 'invalid_request' });
  });

  test('too long: 400 names the id', async () => {
    expectProblem(await at('x'.repeat(201)), { status: 400, code: 'invalid_request', fields: ['id'] });
    expectProblem(await at('x'.repeat(5_000)), { status: 400, code: 'invalid_request', fields: ['id'] });
  });

  test('a path of several parts: 404; nothing at all: 400', async () => {
    expectProblem(await at('a/b'), { status: 404, code: 'not_found' });
    expectProblem(await at(''), { status: 400, code: 'invalid_request', fields: ['id'] });
  });

  test.each([
    ['a slash', 'shop/2026/17'],
    ['percent signs', '100%25'],
    ['a question mark and a hash', 'a?b#c'],
    ['an apostrophe and SQL', `x'; DROP TABLE orders; --`],
    ['200 letters of two bytes', 'ü'.repeat(200)],
    ['emoji', '📦'],
    ['dots', '..a..'],
  ])('%s in an id is an id like any other', async (_name, id) => {
    const path = encodeURIComponent(id);
    expect((await server.put(path, orderDocument({ customerId: 'odd-ids' }))).body).toMatchObject({
      id,
      outcome: 'created',
    });
    expect((await server.order(path)).id).toBe(id);
    expect((await server.put(path, orderDocument({ customerId: 'odd-ids' }))).body).toMatchObject({
      outcome: 'unchanged',
    });
  });
});

describe('POST /v1/orders/{id}/recheck', () => {
  const recheck = (body: unknown) => changesNothing(() => server.request('POST', '/v1/orders/known/recheck', body));

  test.each([
    ['a number', 17],
    ['NUL', `a${NUL}b`],
    ['half a character', 'a\ud800b'],
    ['too long', 'x'.repeat(501)],
    ['a list', ['late']],
  ])('a reason that is %s: 400 names it, nothing is judged or audited', async (_name, reason) => {
    expectProblem(await recheck({ reason }), { status: 400, code: 'invalid_request', fields: ['reason'] });
  });

  test.each([
    ['not JSON', '{'],
    ['a list', '[]'],
    ['a word', '"late"'],
  ])('a body that is %s: 400', async (_name, body) => {
    expectProblem(await recheck(body), { status: 400, code: 'invalid_request' });
  });

  test('an unknown order: 404', async () => {
    const answer = await changesNothing(() => server.request('POST', '/v1/orders/nobody/recheck', {}));
    expectProblem(answer, { status: 404, code: 'not_found', fields: [] });
  });
});

describe('everything else', () => {
  test.each([
    ['GET', '/v1/orders/nobody'],
    ['GET', '/nothing/here'],
    ['DELETE', '/v1/orders/known'],
    ['POST', '/v1/orders/known'],
    ['PATCH', '/v1/orders'],
    ['OPTIONS', '/v1/orders'],
    ['PROPFIND', '/v1/orders'],
    ['POST', '/docs'],
    ['GET', '/webhooks/easypost'],
    ['GET', '/'],
  ])('%s %s: 404', async (method, path) => {
    expectProblem(await changesNothing(() => server.request(method, path)), { status: 404, code: 'not_found' });
  });

  /** What comes back for bytes that are no request. */
  async function sayRaw(bytes: string): Promise<string> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
    });
    // What is still being sent when the answer is there breaks the connection.
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    return heard;
  }

  test.each([
    ['no HTTP', '\u0000\u0001 nonsense\r\n\r\n', 400],
    ['a method that nobody knows', 'FETCH /healthz HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['two lengths', 'POST /v1/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['headers without end', `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s is refused with a problem document, and the server lives', async (_what, bytes, status) => {
    const heard = await sayRaw(bytes);
    const [head = '', body = ''] = heard.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const headers = new Headers(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(': ') as [string, string]),
    );
    expectProblem({ status, headers, body: JSON.parse(body) }, { status, code: 'invalid_request', fields: [] });
    expect((await server.request('GET', '/healthz')).status).toBe(200);
  });
});
