import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { VERDICTS } from '../../src/promises/verdict.js';
import { TRACKING_STATUSES } from '../../src/shipments/tracking-event.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, orderDocument } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;

/** Registered in this order, two each at the same millisecond, so that ids decide between them. */
const ORDERS = [
  { id: 'a/1', customerId: 'c-1', verdict: 'late', at: '2026-11-01T00:00:00.000Z', parcels: ['usps delivered'] },
  { id: 'b 2', customerId: 'c-1', verdict: 'late', at: '2026-11-01T00:00:00.000Z', parcels: ['ups in_transit'] },
  {
    id: 'ü-3',
    customerId: 'c-2',
    verdict: 'on_time',
    at: '2026-11-02T00:00:00.001Z',
    parcels: ['Royal-Mail delivered'],
  },
  {
    id: 'd-4',
    customerId: 'c-2',
    verdict: null,
    at: '2026-11-02T00:00:00.002Z',
    parcels: ['usps delivered', 'usps exception', 'ups in_transit'],
  },
  { id: 'e-5', customerId: 'c-3', verdict: null, at: '2026-11-03T00:00:00.000Z', parcels: [] },
  { id: 'f-6', customerId: 'c-3', verdict: 'overdue', at: '2026-11-03T00:00:00.000Z', parcels: ['usps unknown'] },
] as const;
/** The newest first; of two at once, the later id first. */
const NEWEST_FIRST = ['f-6', 'e-5', 'd-4', 'ü-3', 'b 2', 'a/1'];

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  for (const { id, customerId, verdict, at, parcels } of ORDERS) {
    const shipments = parcels.map((parcel, index) => ({
      carrier: parcel.split(' ')[0],
      trackingNumber: `${id.charAt(0)}-${index} x`,
    }));
    const answer = await server.put(encodeURIComponent(id), orderDocument({ customerId, shipments }));
    expect(answer.status).toBe(201);
    for (const [index, parcel] of parcels.entries()) {
      const number = `${id.charAt(0)}-${index} x`;
      const status = parcel.split(' ')[1];
      await database.query('UPDATE shipments SET status = $2 WHERE tracking_number = $1', [number, status]);
    }
    await database.query(
      'UPDATE orders SET registered_at = $2, verdict = $3, judged_at = CASE WHEN $3::text IS NOT NULL THEN $2::timestamptz END WHERE id = $1',
      [id, at, verdict],
    );
  }
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const list = (query = ''): Promise<Answer> => server.request('GET', `/v1/orders${query}`);
const idsOf = ({ body }: Answer): string[] => body.items.map(({ id }: { id: string }) => id);

/** All pages of a list. */
async function readAll(query: string, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let next: string | null = null;
  do {
    const answer: Answer = await list(`?limit=${limit}${query}${next === null ? '' : `&after=${next}`}`);
    expect(answer.status).toBe(200);
    ids.push(...idsOf(answer));
    next = answer.body.next;
  } while (next !== null);
  return ids;
}

test('each order is shown with its parcels and what was found of it', async () => {
  const { body } = await list();
  expect(body.items[2]).toEqual({
    id: 'd-4',
    customerId: 'c-2',
    registeredAt: '2026-11-02T00:00:00.002Z',
    promisedUntil: '2026-11-06T05:00:00.000Z',
    verdict: null,
    lateDays: null,
    judgedAt: null,
    dueAt: '2026-11-06T05:00:00.000Z',
    shipments: [
      { carrier: 'usps', trackingNumber: 'd-0 x', status: 'delivered' },
      { carrier: 'usps', trackingNumber: 'd-1 x', status: 'exception' },
      { carrier: 'ups', trackingNumber: 'd-2 x', status: 'in_transit' },
    ],
  });
  expect(body.items[1].shipments).toEqual([]);
  expect(body.items[4]).toMatchObject({ verdict: 'late', judgedAt: '2026-11-01T00:00:00.000Z' });
  expect(body.next).toBeNull();
});

test('how late it is comes from the verdict that stands', async () => {
  await server.put('judged', orderDocument({ customerId: 'c-9', promise: { on: '2025-03-05', timeZone: 'UTC' } }));
  expect((await server.request('POST', '/v1/orders/judged/recheck', {})).status).toBe(200);
  const [verdict] = await database.query('SELECT verdict, late_days FROM verdicts WHERE order_id = $1', ['judged']);
  const { body } = await list('?customerId=c-9');
  expect(body.items).toMatchObject([{ id: 'judged', verdict: verdict?.verdict, lateDays: verdict?.late_days }]);
  await database.query("UPDATE orders SET registered_at = '2020-01-01' WHERE id = 'judged'");
});

test.each([1, 2, 3, 6, 7, 200])('the newest first, in pages of %d: each once, and none left out', async (limit) => {
  expect(await readAll('', limit)).toEqual([...NEWEST_FIRST, 'judged']);
});

test('what comes in while somebody reads on moves nothing that is still to come', async () => {
  const first = await list('?limit=2');
  await server.put('newer', orderDocument({ customerId: 'c-newer' }));
  const second = await list(`?limit=2&after=${first.body.next}`);
  expect([...idsOf(first), ...idsOf(second)]).toEqual(NEWEST_FIRST.slice(0, 4));
  await database.query("UPDATE orders SET registered_at = '2019-01-01' WHERE id = 'newer'");
});

describe('filters', () => {
  const some = (query: string) => readAll(`&${query}`, 1).then((ids) => ids.filter((id) => NEWEST_FIRST.includes(id)));

  test.each<[string, readonly string[]]>([
    ['verdict=late', ['b 2', 'a/1']],
    ['verdict=on_time', ['ü-3']],
    ['verdict=none', ['e-5', 'd-4']],
    ['verdict=lost', []],
    ['status=delivered', ['d-4', 'ü-3', 'a/1']],
    ['status=exception', ['d-4']],
    ['status=unknown', ['f-6']],
    ['status=cancelled', []],
    ['carrier=usps', ['f-6', 'd-4', 'a/1']],
    ['carrier=U.S.P.S.', ['f-6', 'd-4', 'a/1']],
    ['carrier=royal_mail', ['ü-3']],
    ['carrier=nobody', []],
    ['customerId=c-2', ['d-4', 'ü-3']],
    ['customerId=nobody', []],
    ['trackingNumber=D1X', ['d-4']],
    ['trackingNumber=d-1%20x', ['d-4']],
    ['trackingNumber=nothing', []],
    ['verdict=none&carrier=usps', ['d-4']],
    ['verdict=none&status=unknown', []],
    // Of one order, by one of its parcels each.
    ['carrier=ups&status=exception', ['d-4']],
    // Of one parcel.
    ['carrier=ups&trackingNumber=D1X', []],
    ['carrier=usps&trackingNumber=D1X', ['d-4']],
    ['customerId=c-1&verdict=late&status=delivered', ['a/1']],
  ])('%s', async (query, ids) => {
    expect(await some(query)).toEqual(ids);
  });

  test('an unknown verdict or status is refused, and those that there are are named', async () => {
    const verdict = await list('?verdict=tardy');
    expectProblem(verdict, { status: 400, code: 'invalid_request', fields: ['verdict'] });
    for (const one of [...VERDICTS, 'none']) expect(verdict.body.errors[0].message).toContain(one);
    const status = await list('?status=lost_in_space');
    expectProblem(status, { status: 400, code: 'invalid_request', fields: ['status'] });
    for (const one of TRACKING_STATUSES) expect(status.body.errors[0].message).toContain(one);
  });

  test.each([
    ['carrier=---', 'carrier'],
    ['carrier=', 'carrier'],
    ['carrier=a%00b', 'carrier'],
    ['trackingNumber=%20-', 'trackingNumber'],
    ['trackingNumber=1%0A2', 'trackingNumber'],
    ['customerId=', 'customerId'],
    ['customerId=a%00b', 'customerId'],
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=many', 'limit'],
    ['after=nonsense', 'after'],
    [`after=${Buffer.from('["2026-11-01T00:00:00.000Z","a\\u0000b"]').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('[null,"a"]').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('["when","a"]').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('["2026-11-01T00:00:00.000Z",7]').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('["2026-11-01T00:00:00.000Z"]').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('{}').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('["+275760-09-13T00:00:00.000Z","a"]').toString('base64url')}`, 'after'],
    [`after=${Buffer.from('["-271821-04-20T00:00:00.000Z","a"]').toString('base64url')}`, 'after'],
  ])('%s: 400 names what is wrong', async (query, field) => {
    const answer = await list(`?${query}`);
    expectProblem(answer, { status: 400, code: 'invalid_request' });
    expect(new Set(answer.body.errors.map((error: { field: string }) => error.field))).toEqual(new Set([field]));
  });
});
