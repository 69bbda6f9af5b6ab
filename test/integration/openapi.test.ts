import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';

let database: TestDatabase;
let server: TestServer;
// biome-ignore lint/suspicious/noExplicitAny: a document of which the tests say what it must be.
let document: any;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url, { PUBLIC_URL: 'https://makegood.shop.example' });
  document = (await server.request('GET', '/openapi.json', undefined, { authorization: '' })).body;
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** Every object and list in the document, with where it is. */
function* nodesOf(node: unknown, at = '#'): Generator<[string, Record<string, unknown>]> {
  if (typeof node !== 'object' || node === null) return;
  yield [at, node as Record<string, unknown>];
  for (const [key, value] of Object.entries(node)) yield* nodesOf(value, `${at}/${key}`);
}

const orderBody = () => document.paths['/v1/orders/{id}'].put.requestBody.content['application/json'].schema;

test('it is OpenAPI 3.1, of this product, at its public address', () => {
  expect(document).toMatchObject({
    openapi: expect.stringMatching(/^3\.1\.\d+$/),
    info: { title: 'makegood', version: expect.any(String) },
    servers: [{ url: 'https://makegood.shop.example' }],
  });
});

test.each([
  ['put', '/v1/orders/{id}', 'ingest', ['200', '201']],
  ['get', '/v1/orders/{id}', 'agent', ['200']],
  ['post', '/v1/keys', 'admin', ['201']],
  ['post', '/v1/keys/{id}/revoke', 'admin', ['200']],
  ['post', '/v1/orders/{id}/recheck', 'agent', ['200']],
  ['post', '/v1/orders/{id}/awards', 'agent', ['201']],
  ['post', '/v1/awards/{id}/approve', 'supervisor', ['200']],
  ['post', '/v1/awards/{id}/decline', 'supervisor', ['200']],
  ['post', '/v1/awards/{id}/retry', 'supervisor', ['200']],
  ['patch', '/v1/awards/{id}', 'agent', ['200']],
  ['post', '/v1/awards/{id}/reverse', 'supervisor', ['200']],
  ['post', '/v1/approvals', 'supervisor', ['200']],
  ['post', '/v1/breaker/reset', 'admin', ['200']],
  ['post', '/v1/customers/{id}/ledger/debits', 'ingest or supervisor', ['201']],
  ['post', '/v1/contacts', 'ingest or agent', ['201']],
  ['post', '/v1/tasks/{id}/complete', 'agent', ['200']],
  ['post', '/v1/tasks/{id}/assign', 'agent', ['200']],
  ['post', '/v1/tasks/{id}/postpone', 'agent', ['200']],
  ['get', '/v1/events', 'ingest', ['200']],
  ['post', '/v1/event-endpoints', 'admin', ['201']],
  ['delete', '/v1/event-endpoints/{id}', 'admin', ['200']],
  ['post', '/v1/event-endpoints/{id}/replay', 'admin', ['202']],
  ['post', '/webhooks/{source}', null, ['200']],
  ['get', '/healthz', null, ['200']],
  ['get', '/readyz', null, ['200', '503']],
])('%s %s is there, with who may use it (%s) and how it answers', (method, path, role, statuses) => {
  const operation = document.paths[path][method];
  expect(operation.summary).toMatch(/\w/);
  expect(operation.security).toEqual(role === null ? [] : [{ key: [] }]);
  if (role !== null) expect(operation.description).toContain(`Role: ${role}`);
  expect(
    Object.keys(operation.responses)
      .filter((status) => status !== 'default')
      .sort(),
  ).toEqual(
    [
      ...statuses,
      ...(role === null ? [] : ['401', '403']),
      ...(method === 'get' && role === null ? [] : ['429']),
    ].sort(),
  );
  expect(operation.responses.default.content['application/problem+json'].schema.required).toEqual(
    expect.arrayContaining(['type', 'title', 'status', 'detail', 'code', 'errors']),
  );
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const inPath = (operation.parameters ?? []).filter((parameter: { in: string }) => parameter.in === 'path');
  expect(inPath.map((parameter: { name: string }) => parameter.name)).toEqual(named);
  for (const parameter of inPath) expect(parameter).toMatchObject({ required: true });
});

test('each operation has a summary and one tag, and says how it is refused', () => {
  for (const [path, operations] of Object.entries<object>(document.paths)) {
    // biome-ignore lint/suspicious/noExplicitAny: a document of which the tests say what it must be.
    for (const [method, operation] of Object.entries<any>(operations)) {
      const at = `${method} ${path}`;
      expect([at, operation.summary]).toEqual([at, expect.stringMatching(/\w/)]);
      expect([at, operation.tags]).toEqual([at, [expect.stringMatching(/^\w+$/)]]);
      const isClosed = operation.security.length > 0;
      expect([at, '401' in operation.responses, '403' in operation.responses]).toEqual([at, isClosed, isClosed]);
      if (isClosed) expect(Object.keys(operation.responses['429'].headers)).toContain('retry-after');
    }
  }
});

test('every POST that makes something takes an Idempotency-Key', () => {
  const making = Object.entries<{ post?: { responses: object; parameters?: { name: string }[] } }>(document.paths)
    .filter(([, { post }]) => post && ('201' in post.responses || '202' in post.responses))
    .map(([path, { post }]) => [path, (post?.parameters ?? []).map(({ name }) => name).includes('Idempotency-Key')]);
  expect(making).toEqual([
    ['/v1/rechecks', true],
    ['/v1/orders/{id}/awards', true],
    ['/v1/customers/{id}/ledger/debits', true],
    ['/v1/contacts', true],
    ['/v1/incidents', true],
    ['/v1/suppressions', true],
    ['/v1/keys', true],
    ['/v1/event-endpoints', true],
    ['/v1/event-endpoints/{id}/rotate-secret', true],
    ['/v1/event-endpoints/{id}/replay', true],
    ['/v1/event-endpoints/{id}/test', true],
  ]);
});

test('every path that the server has is described, and no other', () => {
  expect(Object.keys(document.paths).sort()).toEqual([
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/alarms',
    '/v1/approvals',
    '/v1/approvals/preview',
    '/v1/audit',
    '/v1/awards/{id}',
    '/v1/awards/{id}/approve',
    '/v1/awards/{id}/decline',
    '/v1/awards/{id}/retry',
    '/v1/awards/{id}/reverse',
    '/v1/bounces',
    '/v1/breaker',
    '/v1/breaker/preview',
    '/v1/breaker/reset',
    '/v1/contacts',
    '/v1/contacts/measure',
    '/v1/customers/{id}/ledger',
    '/v1/customers/{id}/ledger/debits',
    '/v1/event-endpoints',
    '/v1/event-endpoints/{id}',
    '/v1/event-endpoints/{id}/deliveries',
    '/v1/event-endpoints/{id}/replay',
    '/v1/event-endpoints/{id}/rotate-secret',
    '/v1/event-endpoints/{id}/test',
    '/v1/events',
    '/v1/incidents',
    '/v1/keys',
    '/v1/keys/{id}/revoke',
    '/v1/messages',
    '/v1/messages/{id}',
    '/v1/messages/{id}/release',
    '/v1/messages/{id}/resend',
    '/v1/messages/{id}/settle',
    '/v1/messages/{id}/withdraw',
    '/v1/orders',
    '/v1/orders/{id}',
    '/v1/orders/{id}/awards',
    '/v1/orders/{id}/recheck',
    '/v1/rechecks',
    '/v1/rechecks/preview',
    '/v1/rechecks/{id}',
    '/v1/suppressions',
    '/v1/suppressions/{id}',
    '/v1/sweeps',
    '/v1/tasks',
    '/v1/tasks/{id}/assign',
    '/v1/tasks/{id}/complete',
    '/v1/tasks/{id}/postpone',
    '/webhooks/{source}',
  ]);
});

test('every reference leads somewhere, and every security scheme exists', () => {
  for (const [at, node] of nodesOf(document)) {
    if (typeof node.$ref !== 'string') continue;
    expect(node.$ref).toMatch(/^#\//);
    const target = node.$ref
      .slice(2)
      .split('/')
      // biome-ignore lint/suspicious/noExplicitAny: walks wherever the reference leads.
      .reduce<any>((found, step) => found?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], document);
    expect([at, node.$ref, typeof target]).toEqual([at, node.$ref, 'object']);
  }
  for (const [, node] of nodesOf(document.paths)) {
    if (!Array.isArray(node.security)) continue;
    for (const scheme of node.security.flatMap((one) => Object.keys(one))) {
      expect(Object.keys(document.components.securitySchemes)).toContain(scheme);
    }
  }
});

test('every property that is required is described', () => {
  for (const [at, node] of nodesOf(document)) {
    if (!Array.isArray(node.required) || node.properties === undefined) continue;
    for (const name of node.required) {
      expect([at, Object.keys(node.properties as object)]).toEqual([at, expect.arrayContaining([name])]);
    }
  }
});

test('the order document: a promise by day or instant with its zone, money in minor units, what must be there', () => {
  const { properties, required } = orderBody();
  expect([...required].sort()).toEqual(['customer', 'promise']);
  expect(Object.keys(properties).sort()).toEqual([
    'customer',
    'destination',
    'digital',
    'occasion',
    'placedAt',
    'promise',
    'providerReferences',
    'shipBy',
    'shipments',
    'shippingPaid',
    'total',
  ]);
  const promises = [properties.promise, properties.shipments.items.properties.promise];
  for (const promise of promises) {
    expect(promise.properties).toMatchObject({
      on: { type: 'string', format: 'date' },
      at: { type: 'string', format: 'date-time' },
      timeZone: { type: 'string' },
    });
    expect(promise.required).toEqual(['timeZone']);
  }
  expect(properties.shipments.items.required).toEqual(expect.arrayContaining(['carrier', 'trackingNumber']));
  expect(JSON.stringify(properties.total)).toContain('amountMinor');
});

test('what the server answers is what the description says: the keys of an order', async () => {
  const order = {
    customer: { id: 'c-1' },
    promise: { on: '2025-03-05', timeZone: 'America/New_York' },
    shipments: [{ carrier: 'usps', trackingNumber: '9400' }],
  };
  const registration = await server.put('o-1', order);
  const shapeOf = (method: string, path: string, status: string) =>
    Object.keys(document.paths[path][method].responses[status].content['application/json'].schema.properties).sort();
  expect(Object.keys(registration.body).sort()).toEqual(shapeOf('put', '/v1/orders/{id}', '201'));
  expect(Object.keys(await server.order('o-1')).sort()).toEqual(shapeOf('get', '/v1/orders/{id}', '200'));
  const recheck = await server.request('POST', '/v1/orders/o-1/recheck', {});
  expect(Object.keys(recheck.body).sort()).toEqual(shapeOf('post', '/v1/orders/{id}/recheck', '200'));
  expect(Object.keys((await server.request('GET', '/readyz')).body).sort()).toEqual(shapeOf('get', '/readyz', '200'));
});
