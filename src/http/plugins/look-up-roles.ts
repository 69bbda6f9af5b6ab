import type { FastifyInstance } from 'fastify';
import { assert } from '../../errors.js';
import type { Access, RoleTable } from '../role-table.js';

/** Whom the route of a method and a path (as the route writes it) is for; undefined: there is no such route. */
export type AccessOf = (method: string, path: string) => Access | undefined;

/**
 * Looks up every route in the table, as it is added. A route without a line is refused at once; a line that no route needs,
 * when the server is about to start.
 */
export function lookUpRoles(app: FastifyInstance, table: RoleTable): AccessOf {
  const access = new Map<string, Access>();
  const unused = new Set(Object.keys(table));
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) {
      const found = lineFor(table, one, url);
      assert(found !== null, `${one} ${url} has a line in src/http/role-table.ts`);
      unused.delete(found.line);
      access.set(`${one} ${url}`, found.access);
    }
  });
  app.addHook('onReady', async () => {
    assert(unused.size === 0, `every line of src/http/role-table.ts has its route, also ${[...unused].join(', ')}`);
  });
  return (method, path) => access.get(`${method} ${path}`);
}

function lineFor(table: RoleTable, method: string, url: string): { line: string; access: Access } | null {
  const route = `${method} ${url}`;
  for (const [line, access] of Object.entries(table)) {
    const above = line.endsWith('/*') ? line.slice(0, -'/*'.length) : null;
    if (line === route || route === above || (above !== null && route.startsWith(`${above}/`))) return { line, access };
  }
  return method === 'HEAD' ? lineFor(table, 'GET', url) : null;
}
