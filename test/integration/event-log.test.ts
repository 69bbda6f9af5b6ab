import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Sql } from '../../src/db/database.js';
import { caseEvent, type NewEvent } from '../../src/events/event.js';
import { listEvents, recordEvents } from '../../src/events/event-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;
beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const AT = new Date('2026-11-16T12:00:00Z');
function eventOf(name: string): NewEvent {
  const one = {
    orderId: `o-${name}`,
    customerId: 'c-1',
    incident: 'damaged',
    rule: 'contact-damaged',
    at: AT,
    dueAt: AT,
  };
  return caseEvent({ ...one, taskId: name });
}
const record = (...names: string[]) => server.deps.db.transaction((sql) => recordEvents(sql, names.map(eventOf)));

/** A transaction that stays open until it is told to end. */
async function openTransaction(): Promise<{ sql: Sql; end(how: 'COMMIT' | 'ROLLBACK'): Promise<void> }> {
  const client = await server.deps.db.pool.connect();
  await client.query('BEGIN');
  return {
    sql: client,
    async end(how) {
      await client.query(how);
      client.release();
    },
  };
}

const all = { type: null, orderId: null, limit: 1_000 };
async function lastSeq(): Promise<number> {
  const [row] = await database.query<{ seq: string }>('SELECT coalesce(max(seq), 0) AS seq FROM events');
  return Number(row?.seq);
}
/** The orders of what a reader sees who goes on after `after`. */
const seenAfter = async (after: number) =>
  (await listEvents(server.deps.db.pool, { ...all, after })).map(({ orderId }) => orderId);

describe('a reader that goes on after the last number misses nothing', () => {
  test('the very first event waits for nobody when it is committed', async () => {
    expect(await seenAfter(0)).toEqual([]);
    await record('first');
    expect(await seenAfter(0)).toEqual(['o-first']);
  });

  test('when the smaller number commits later: nothing beyond it is shown until then', async () => {
    const start = await lastSeq();
    const slow = await openTransaction();
    await recordEvents(slow.sql, [eventOf('slow')]);
    await record('quick');
    expect(await seenAfter(start)).toEqual([]);
    await slow.end('COMMIT');
    expect(await seenAfter(start)).toEqual(['o-slow', 'o-quick']);
  });

  test('also when the transaction with the smaller number was the later one to begin', async () => {
    const start = await lastSeq();
    const [early, late] = [await openTransaction(), await openTransaction()];
    // Both have their place among transactions before either has a number of an event.
    await early.sql.query('SELECT pg_current_xact_id()');
    await late.sql.query('SELECT pg_current_xact_id()');
    await recordEvents(late.sql, [eventOf('smaller')]);
    await recordEvents(early.sql, [eventOf('greater')]);
    await early.end('COMMIT');
    expect(await seenAfter(start)).toEqual([]);
    await late.end('COMMIT');
    expect(await seenAfter(start)).toEqual(['o-smaller', 'o-greater']);
  });

  test('what stands before a number that is taken and not committed is shown', async () => {
    const start = await lastSeq();
    await record('before');
    const open = await openTransaction();
    await recordEvents(open.sql, [eventOf('open')]);
    await record('behind');
    expect(await seenAfter(start)).toEqual(['o-before']);
    await open.end('ROLLBACK');
    expect(await seenAfter(start)).toEqual(['o-before', 'o-behind']);
  });

  test('with many writers at once, each reader that pages on sees every event once and in order', async () => {
    const start = await lastSeq();
    let writing = true;
    const read = async () => {
      const seen: number[] = [];
      let after = start;
      for (let rest = false; !rest; ) {
        rest = !writing;
        const page = await listEvents(server.deps.db.pool, { ...all, after, limit: 7 });
        seen.push(...page.map(({ seq }) => seq));
        after = page.at(-1)?.seq ?? after;
        if (page.length > 0) rest = false;
      }
      return seen;
    };
    const readers = [read(), read()];
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let turn = 0; turn < 15; turn++) {
          await server.deps.db.transaction(async (sql) => {
            await recordEvents(sql, [eventOf(`w${writer}-${turn}-a`)]);
            await sql.query('SELECT pg_sleep(random() * 0.02)');
            await recordEvents(sql, [eventOf(`w${writer}-${turn}-b`), eventOf(`w${writer}-${turn}-c`)]);
          });
        }
      }),
    );
    writing = false;
    const stored = await database.query<{ seq: string }>('SELECT seq FROM events WHERE seq > $1 ORDER BY seq', [start]);
    const numbers = stored.map(({ seq }) => Number(seq));
    expect(numbers).toHaveLength(8 * 15 * 3);
    for (const seen of await Promise.all(readers)) expect(seen).toEqual(numbers);
  });
});

describe('the log', () => {
  test('tells what happened once, however often the work is repeated, also at once', async () => {
    await Promise.all([record('once', 'twice'), record('twice', 'once'), record('once')]);
    await record('once');
    expect(
      await database.query(`SELECT order_id FROM events WHERE order_id IN ('o-once', 'o-twice') ORDER BY 1`),
    ).toEqual([{ order_id: 'o-once' }, { order_id: 'o-twice' }]);
  });

  test('writes no ticket and no delivery where nobody listens, and asks nothing where there is nothing to tell', async () => {
    await record('quiet');
    expect(await database.query('SELECT 1 FROM event_deliveries')).toEqual([]);
    expect(await database.query('SELECT 1 FROM outbox')).toEqual([]);
    const asked: string[] = [];
    await recordEvents({ query: async (text: string) => asked.push(text) } as unknown as Sql, []);
    expect(asked).toEqual([]);
  });

  test.each(['UPDATE events SET data = data', 'DELETE FROM events', 'TRUNCATE events CASCADE'])(
    'is never rewritten, not even by its owner: %s',
    async (statement) => {
      await expect(database.query(statement)).rejects.toMatchObject({ code: '23001' });
    },
  );
});

describe('GET /v1/events', () => {
  test('pages by number, filtered by type and order', async () => {
    const start = await lastSeq();
    await record('page-1', 'page-2', 'page-3');
    const get = async (query: string) => (await server.request('GET', `/v1/events?${query}`)).body;
    const first = await get(`after=${start}&limit=2`);
    expect(first).toEqual({
      items: [
        {
          seq: expect.any(Number),
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          type: 'case.opened',
          orderId: 'o-page-1',
          timestamp: '2026-11-16T12:00:00.000Z',
          data: {
            taskId: 'page-1',
            orderId: 'o-page-1',
            customerId: 'c-1',
            incident: 'damaged',
            rule: 'contact-damaged',
            dueAt: '2026-11-16T12:00:00.000Z',
          },
        },
        expect.objectContaining({ orderId: 'o-page-2' }),
      ],
      next: String(first.items[1].seq),
    });
    expect(await get(`after=${first.next}&limit=2`)).toMatchObject({ items: [{ orderId: 'o-page-3' }], next: null });
    expect((await get('orderId=o-page-2')).items).toHaveLength(1);
    expect((await get(`after=${start}&type=award.applied`)).items).toEqual([]);
    expect((await get(`after=${start}&type=case.opened`)).items).toHaveLength(3);
  });

  test.each(['after=x', 'after=-1', 'type=order.paid', 'limit=0'])('%s is refused', async (query) => {
    const answer = await server.request('GET', `/v1/events?${query}`);
    expectProblem(answer, { status: 400, code: 'invalid_request', fields: [query.split('=')[0] ?? ''] });
  });
});
