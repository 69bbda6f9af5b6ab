import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { trackerEvent } from '../support/makegood.js';
import { anOrder, type Person, somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';
import { ticketsOf, workByHand } from '../support/tickets.js';

let database: TestDatabase;
let server: TestServer;
let agent: Person;
/** Two late parcels of USPS, one of UPS, one order that is on its way. */
const LATE: string[] = [];
let ups: string;
let open: string;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  agent = await somebody(server, 'agent');
  const past = { on: '2026-11-05', timeZone: 'America/New_York' };
  const late = async (number: string, carrier: string) => {
    const id = await anOrder(server, { promise: past, shipments: [{ carrier, trackingNumber: number }] });
    await server.webhook(trackerEvent(number, [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]));
    return id;
  };
  LATE.push(await late('RECHECK1', 'usps'), await late('RECHECK2', 'USPS'));
  ups = await late('RECHECK3', 'ups');
  open = await anOrder(server, { shipments: [] });
  await workByHand(server.deps, database, 'judge-promises');
  await database.query('DELETE FROM outbox');
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const preview = (filter: object) => agent.ask('POST', '/v1/rechecks/preview', { filter });

describe('the preview', () => {
  test('counts what is named, by the verdict it has, and changes nothing', async () => {
    const before = await readDatabaseState(database);
    expect(await preview({ carrier: 'Usps' })).toMatchObject({
      status: 200,
      body: { count: 2, verdicts: { late: 2 }, first: LATE, tooMany: false },
    });
    expect((await preview({ verdicts: ['pending'] })).body).toMatchObject({ count: 1, first: [open] });
    expect((await preview({ verdicts: ['late', 'pending'], status: 'delivered' })).body).toMatchObject({ count: 3 });
    expect((await preview({ promisedFrom: '2026-11-06T05:00:00Z' })).body.count).toBe(4);
    expect((await preview({ promisedFrom: '2026-11-06T05:00:00.001Z' })).body.count).toBe(1);
    expect((await preview({ promisedBefore: '2026-11-06T05:00:00Z' })).body.count).toBe(0);
    expect((await preview({ carrier: 'ups', verdicts: ['pending'] })).body).toMatchObject({ count: 0, verdicts: {} });
    expect(await readDatabaseState(database)).toEqual(before);
  });

  test('everything is what the sweep is for, and a wrong word is named', async () => {
    expectProblem(await preview({}), { status: 400, code: 'invalid_request' });
    expectProblem(await preview({ verdicts: ['tardy'] }), {
      status: 400,
      code: 'invalid_request',
      fields: ['filter.verdicts[0]'],
    });
    expectProblem(await preview({ status: 'gone' }), {
      status: 400,
      code: 'invalid_request',
      fields: ['filter.status'],
    });
  });
});

describe('judging them', () => {
  test('is one run for one Idempotency-Key, in the audit, and shows how far it is', async () => {
    const ask = () =>
      agent.ask(
        'POST',
        '/v1/rechecks',
        { filter: { verdicts: ['late'] }, reason: 'a bad week' },
        { 'idempotency-key': 'bad-week' },
      );
    const first = await ask();
    expect(first).toMatchObject({
      status: 202,
      body: { total: 3, done: 0, failed: 0, changed: 0, awards: 0, finished: false, reason: 'a bad week' },
    });
    const again = await ask();
    expect(again).toMatchObject({ status: 202, body: { id: first.body.id } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await countRows(database, 'recheck_runs')).toBe(1);
    expect(await ticketsOf(database, 'judge-promises')).toMatchObject([
      { ids: [...LATE, ups].sort(), trigger: 'recheck' },
    ]);
    const audited = await database.query(`SELECT actor, subject, reason FROM audit WHERE action = 'orders.recheck'`);
    expect(audited).toEqual([{ actor: `key:${agent.name}`, subject: first.body.id, reason: 'a bad week' }]);

    const awards = await countRows(database, 'awards');
    await workByHand(server.deps, database);
    expect(await agent.ask('GET', `/v1/rechecks/${first.body.id}`)).toMatchObject({
      status: 200,
      body: { total: 3, done: 3, failed: 0, changed: 0, awards: 0, finished: true },
    });
    expect(await countRows(database, 'awards')).toBe(awards);
  });

  test('an unknown run is not found', async () => {
    expectProblem(await agent.ask('GET', '/v1/rechecks/00000000-0000-7000-8000-000000000000'), {
      status: 404,
      code: 'not_found',
    });
  });
});
