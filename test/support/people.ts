import { createKey } from '../../src/auth/key-store.js';
import type { Role } from '../../src/auth/roles.js';
import type { TestServer } from './http-server.js';
import { type Answer, orderDocument } from './makegood.js';

/** Somebody with a key of a role. */
export interface Person {
  readonly id: string;
  readonly name: string;
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

let people = 0;

export async function somebody(server: TestServer, role: Role): Promise<Person> {
  const name = `${role} ${++people}`;
  const { id, key } = await createKey(server.deps.db, { role, name, actor: 'test' });
  const ask: Person['ask'] = (method, path, body, headers) =>
    server.request(method, path, body, { authorization: `Bearer ${key}`, ...headers });
  return { id, name, ask };
}

let orders = 0;

/** Registers an order of a customer of its own, whose promise is to come: no rule gives anything for it. */
export async function anOrder(server: TestServer, changes: Record<string, unknown> = {}): Promise<string> {
  const id = `o-people-${++orders}`;
  const document = orderDocument({
    customerId: `c-${id}`,
    trackingNumber: `9400${String(orders).padStart(18, '0')}`,
    promise: { on: '2099-11-05', timeZone: 'America/New_York' },
    ...changes,
  });
  const answer = await server.put(id, document);
  if (answer.status !== 201) throw new Error(`PUT ${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return id;
}

export const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });
