import { afterEach, describe, expect, test } from '@jest/globals';
import { type FastifyInstance, fastify } from 'fastify';
import { lookUpRoles } from '../../src/http/plugins/look-up-roles.js';
import { ROLE_TABLE, type RoleTable } from '../../src/http/role-table.js';

let app: FastifyInstance;
afterEach(() => app.close());

const answer = async () => 'ok';

/** A server with these routes, each looked up in this table. */
function serve(table: RoleTable, routes: readonly (readonly [method: string, url: string])[]) {
  app = fastify();
  const accessOf = lookUpRoles(app, table);
  for (const [method, url] of routes) app.route({ method, url, handler: answer });
  return accessOf;
}

describe('the table of roles and the routes of a server say the same, or it does not start', () => {
  test('each route has a line: it starts, and knows whom each is for', async () => {
    const accessOf = serve({ 'GET /a': 'public', 'POST /a': ['ingest', 'agent'], 'GET /b/:id': 'admin' }, [
      ['GET', '/a'],
      ['POST', '/a'],
      ['GET', '/b/:id'],
    ]);
    await app.ready();
    expect(accessOf('GET', '/a')).toBe('public');
    expect(accessOf('POST', '/a')).toEqual(['ingest', 'agent']);
    expect(accessOf('GET', '/b/:id')).toBe('admin');
    expect(accessOf('GET', '/c')).toBeUndefined();
    expect(accessOf('PUT', '/a')).toBeUndefined();
  });

  test.each([
    ['of a path that the table does not name', 'GET', '/b'],
    ['of a method that the table does not name', 'POST', '/a'],
    ['below one that the table names', 'GET', '/a/b'],
  ])('a route %s is refused', (_what, method, url) => {
    expect(() => serve({ 'GET /a': 'agent' }, [[method, url]])).toThrow(
      `${method} ${url} has a line in src/http/role-table.ts`,
    );
  });

  test('a route that a part adds later is refused as well', async () => {
    serve({ 'GET /a': 'agent' }, [['GET', '/a']]);
    app.register(async (part) => {
      part.get('/late', answer);
    });
    await expect(app.ready()).rejects.toThrow('GET /late has a line');
  });

  test('a line without a route keeps it from starting, and is named', async () => {
    serve({ 'GET /a': 'agent', 'GET /gone': 'admin' }, [['GET', '/a']]);
    await expect(app.ready()).rejects.toThrow('GET /gone');
  });

  test('HEAD follows GET, unless it has a line of its own', async () => {
    const accessOf = serve({ 'GET /a': 'agent', 'GET /b': 'agent', 'HEAD /b': 'public' }, [
      ['GET', '/a'],
      ['HEAD', '/b'],
      ['GET', '/b'],
    ]);
    await app.ready();
    expect([accessOf('HEAD', '/a'), accessOf('HEAD', '/b'), accessOf('GET', '/b')]).toEqual([
      'agent',
      'public',
      'agent',
    ]);
  });

  test('a line that ends with /* covers its path and all below, and nothing beside', async () => {
    const accessOf = serve({ 'GET /docs/*': 'public' }, [
      ['GET', '/docs'],
      ['GET', '/docs/'],
      ['GET', '/docs/static/*'],
    ]);
    await app.ready();
    expect(accessOf('GET', '/docs/static/*')).toBe('public');
    expect(() => serve({ 'GET /docs/*': 'public' }, [['GET', '/docsy']])).toThrow('GET /docsy has a line');
    expect(() => serve({ 'GET /docs/*': 'public' }, [['POST', '/docs/x']])).toThrow('POST /docs/x has a line');
  });
});

test('open to everybody are health, metrics, the description in both forms, webhooks and the links of letters, and nothing else', () => {
  const open = Object.entries(ROLE_TABLE).filter(([, access]) => access === 'public');
  expect(open.map(([route]) => route).sort()).toEqual([
    'GET /answers/:token/:answer',
    'GET /docs/*',
    'GET /healthz',
    'GET /mailbox/*',
    'GET /metrics',
    'GET /openapi.json',
    'GET /readyz',
    'GET /unsubscribe/:token',
    'HEAD /webhooks/:source',
    'POST /answers/:token/:answer',
    'POST /unsubscribe/:token',
    'POST /webhooks/:source',
  ]);
});
