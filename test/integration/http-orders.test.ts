import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { countRows, readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, orderDocument, trackerEvent } from '../support/makegood.js';
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

const NEW_YORK = 'America/New_York';
let numbers = 0;
/** An order of a customer of its own, promised for a day long gone. */
function documentOf(id: string, changes: Record<string, unknown> = {}) {
  return orderDocument({
    customerId: `c-${id}`,
    trackingNumber: `9400${String(++numbers).padStart(18, '0')}`,
    placedAt: '2025-03-01T12:00:00Z',
    promise: { on: '2025-03-05', timeZone: NEW_YORK },
    ...changes,
  });
}
async function register(id: string, changes: Record<string, unknown> = {}) {
  const document = documentOf(id, changes);
  expect(await server.put(id, document)).toMatchObject({ status: 201, body: { id, outcome: 'created' } });
  return document;
}
async function changesNothing(ask: () => Promise<Answer>): Promise<Answer> {
  const before = await readDatabaseState(database);
  const answer = await ask();
  expect(await readDatabaseState(database)).toEqual(before);
  return answer;
}
const customer = async (id: string) => (await database.query('SELECT * FROM customers WHERE id = $1', [`c-${id}`]))[0];
const order = async (id: string) => (await database.query('SELECT * FROM orders WHERE id = $1', [id]))[0];

describe('PUT /v1/orders/{id}', () => {
  test('a new order: 201 with the bound of its promise, and a ticket to look for its scans', async () => {
    const { shipments } = documentOf('new');
    const answer = await server.put('new', documentOf('new', { shipments }));
    expect(answer.status).toBe(201);
    // The day of 5 March ends in New York at five in the morning of the 6th, UTC.
    expect(answer.body).toEqual({ id: 'new', outcome: 'created', promisedUntil: '2025-03-06T05:00:00.000Z' });
    expect(await order('new')).toMatchObject({ customer_id: 'c-new', total_minor: '5990', currency: 'USD' });
    expect(
      await database.query(`SELECT stage, trigger FROM outbox WHERE ids = $1`, [[shipments[0]?.trackingNumber]]),
    ).toEqual([{ stage: 'track-shipments', trigger: 'registration' }]);
  });

  test('the least that an order can be: a customer and a promise', async () => {
    const least = { customer: { id: 'c-least' }, promise: { at: '2025-03-05T17:00:00-05:00', timeZone: NEW_YORK } };
    expect(await server.put('least', least)).toMatchObject({
      status: 201,
      body: { promisedUntil: '2025-03-05T22:00:00.000Z' },
    });
    expect(await changesNothing(() => server.put('least', least))).toMatchObject({
      status: 200,
      body: { outcome: 'unchanged' },
    });
  });

  test('the same again: 200 unchanged, and not a row or value differs', async () => {
    const document = await register('same', {
      customer: { phone: '+15550100', membership: { tier: 'prime', renewsOn: '2027-03-01', trial: true } },
      shipBy: '2025-03-03T22:00:00Z',
      occasion: { name: 'birthday', on: '2025-03-06' },
      destination: { country: 'US', region: 'NY', postalCode: '10001' },
    });
    const answer = await changesNothing(() => server.put('same', document));
    expect(answer).toMatchObject({
      status: 200,
      body: { id: 'same', outcome: 'unchanged', promisedUntil: '2025-03-06T05:00:00.000Z' },
    });
  });

  test('fields left out or null say nothing: what was known stays', async () => {
    const document = await register('partial', { customer: { phone: '+15550100' } });
    const { promise } = document;
    for (const less of [
      { customer: { id: 'c-partial' }, promise },
      {
        customer: { id: 'c-partial', email: null, name: null, phone: null, locale: null },
        promise,
        total: null,
        shippingPaid: null,
        placedAt: null,
        shipBy: null,
        occasion: null,
        destination: null,
        shipments: [],
      },
    ]) {
      expect(await changesNothing(() => server.put('partial', less))).toMatchObject({
        status: 200,
        body: { outcome: 'unchanged' },
      });
    }
  });

  test('facts that were missing: 200 completed, and they are there', async () => {
    const { customer: whose, promise } = documentOf('later');
    await server.put('later', { customer: { id: whose.id }, promise });
    const facts = {
      placedAt: '2025-03-01T12:00:00Z',
      total: { amountMinor: 5990, currency: 'EUR' },
      shippingPaid: { amountMinor: 0, currency: 'EUR' },
      shipBy: '2025-03-03T22:00:00Z',
      occasion: { name: 'birthday', on: '2025-03-06' },
      destination: { country: 'US', region: 'NY', postalCode: '10001' },
    };
    const answer = await server.put('later', { customer: { id: whose.id }, promise, ...facts });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'completed' } });
    expect(await order('later')).toMatchObject({
      total_minor: '5990',
      shipping_paid_minor: '0',
      currency: 'EUR',
      occasion_name: 'birthday',
      destination_postal_code: '10001',
      ship_by: new Date('2025-03-03T22:00:00Z'),
    });
  });

  test('a shipment more: 200 completed, the first one stays, and a ticket looks for its scans', async () => {
    const document = await register('boxes');
    const second = { carrier: 'ups', trackingNumber: '1Z999AA10000000001', service: 'ground' };
    const answer = await server.put('boxes', { ...document, shipments: [second] });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'completed' } });
    expect((await server.order('boxes')).shipments.map(({ carrier, service }) => ({ carrier, service }))).toEqual([
      { carrier: 'usps', service: null },
      { carrier: 'ups', service: 'ground' },
    ]);
    expect(await database.query('SELECT stage FROM outbox WHERE ids = $1', [[second.trackingNumber]])).toHaveLength(1);
  });

  test('the customer has another address: 200 completed, and the rest of the customer stays', async () => {
    const document = await register('moved', { customer: { phone: '+15550100' } });
    const moved = { ...document, customer: { id: 'c-moved', email: 'new@example.com' } };
    expect(await server.put('moved', moved)).toMatchObject({ status: 200, body: { outcome: 'completed' } });
    expect(await customer('moved')).toMatchObject({
      email: 'new@example.com',
      name: 'Ann Lee',
      phone: '+15550100',
      membership_tier: 'prime',
    });
  });

  test('a membership of null ends it; a document without the field leaves it', async () => {
    const document = await register('left');
    const put = (membership: unknown) => server.put('left', { ...document, customer: { id: 'c-left', membership } });
    expect(await put(undefined)).toMatchObject({ body: { outcome: 'unchanged' } });
    expect(await put(null)).toMatchObject({ body: { outcome: 'completed' } });
    expect(await customer('left')).toMatchObject({ membership_tier: null, membership_trial: false });
    expect(await put(null)).toMatchObject({ body: { outcome: 'unchanged' } });
    expect(await put({ tier: 'prime' })).toMatchObject({ body: { outcome: 'completed' } });
  });

  test.each([
    ['USPS', '9405 5000 0000 0000 0000 07'],
    ['U.S.P.S.', '9405-5000-0000-0000-0000-07'],
    ['u_s_p_s', ' 9405500000000000000007 '],
  ])('the same parcel as %s %s is no new one', async (carrier, trackingNumber) => {
    const shipments = [{ carrier: 'usps', trackingNumber: '9405500000000000000007' }];
    const document = documentOf('spelt', { shipments });
    await server.put('spelt', document);
    const answer = await changesNothing(() =>
      server.put('spelt', { ...document, shipments: [{ carrier, trackingNumber }] }),
    );
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
  });

  test('a parcel named twice in one document is one parcel', async () => {
    const parcel = { carrier: 'ups', trackingNumber: '1Z999AA10000000002' };
    await register('twice', { shipments: [parcel, { ...parcel, carrier: 'UPS' }] });
    expect((await server.order('twice')).shipments).toHaveLength(1);
  });
});

test('a parcel named twice in one document with two promises: 400 names the second', async () => {
  const parcel = { carrier: 'ups', trackingNumber: '1Z999AA10000000006' };
  const promise = { on: '2025-03-07', timeZone: NEW_YORK };
  for (const shipments of [
    [parcel, { ...parcel, carrier: 'UPS', promise }],
    [{ ...parcel, promise }, parcel],
  ]) {
    const answer = await changesNothing(() => server.put('two-minds', documentOf('two-minds', { shipments })));
    expectProblem(answer, { status: 400, code: 'invalid_request', fields: ['shipments[1].promise'] });
  }
});

describe('a promise never changes: 409 names it, and nothing is written, not even the rest of the document', () => {
  const rest = {
    customer: { email: 'changed@example.com', name: 'Changed' },
    total: { amountMinor: 1, currency: 'USD' },
    shipBy: '2025-03-04T22:00:00Z',
    shipments: [{ carrier: 'ups', trackingNumber: '1Z999AA10000000003' }],
  };
  async function refused(id: string, changes: Record<string, unknown>, fields: readonly string[]) {
    const answer = await changesNothing(() => server.put(id, documentOf(id, { ...rest, ...changes })));
    expectProblem(answer, { status: 409, code: 'promise_changed', fields });
    return answer;
  }

  test('of a day: another day, another zone, an instant', async () => {
    await register('day');
    await refused('day', { promise: { on: '2025-03-06', timeZone: NEW_YORK } }, ['promise']);
    await refused('day', { promise: { on: '2025-03-04', timeZone: NEW_YORK } }, ['promise']);
    await refused('day', { promise: { on: '2025-03-05', timeZone: 'America/Los_Angeles' } }, ['promise']);
    const answer = await refused('day', { promise: { at: '2025-03-06T05:00:00Z', timeZone: NEW_YORK } }, ['promise']);
    expect(answer.body.errors[0].message).toContain('2025-03-05');
  });

  test('of an instant: another instant, a day; the same instant with another offset is no change', async () => {
    const document = await register('instant', { promise: { at: '2025-03-05T17:00:00-05:00', timeZone: NEW_YORK } });
    await refused('instant', { promise: { at: '2025-03-05T17:00:01-05:00', timeZone: NEW_YORK } }, ['promise']);
    await refused('instant', { promise: { at: '2025-03-05T17:00:00-04:00', timeZone: NEW_YORK } }, ['promise']);
    await refused('instant', { promise: { on: '2025-03-05', timeZone: NEW_YORK } }, ['promise']);
    for (const at of ['2025-03-05T22:00:00Z', '2025-03-05T22:00:00.000Z', '2025-03-06T03:30:00+05:30']) {
      const answer = await changesNothing(() =>
        server.put('instant', { ...document, promise: { at, timeZone: NEW_YORK } }),
      );
      expect(answer).toMatchObject({ status: 200, body: { outcome: 'unchanged' } });
    }
  });

  test('of a shipment: its own is kept too, and one without has that of the order', async () => {
    const own = {
      carrier: 'ups',
      trackingNumber: '1Z999AA10000000004',
      promise: { on: '2025-03-07', timeZone: NEW_YORK },
    };
    const none = { carrier: 'ups', trackingNumber: '1Z999AA10000000005' };
    const document = await register('parcels', { shipments: [none, own] });
    const later = { on: '2025-03-08', timeZone: NEW_YORK };
    await refused('parcels', { shipments: [none, { ...own, promise: later }] }, ['shipments[1].promise']);
    await refused('parcels', { shipments: [{ ...none, promise: later }, own] }, ['shipments[0].promise']);
    await refused('parcels', { shipments: [{ ...own, carrier: 'UPS', promise: later }] }, ['shipments[0].promise']);
    await refused(
      'parcels',
      {
        promise: later,
        shipments: [
          { ...none, promise: later },
          { ...own, promise: later },
        ],
      },
      ['promise', 'shipments[0].promise', 'shipments[1].promise'],
    );
    for (const shipments of [
      [own],
      [{ ...own, promise: undefined }],
      [{ ...none, promise: { on: '2025-03-05', timeZone: NEW_YORK } }],
    ]) {
      expect(await changesNothing(() => server.put('parcels', { ...document, shipments }))).toMatchObject({
        status: 200,
        body: { outcome: 'unchanged' },
      });
    }
  });

  test('an order of another customer: 409 names customer.id, and no customer is made', async () => {
    await register('mine');
    const answer = await changesNothing(() => server.put('mine', documentOf('mine', { customerId: 'thief' })));
    expectProblem(answer, { status: 409, code: 'customer_changed', fields: ['customer.id'] });
  });

  test('money in another currency than the money that is known: 400 names it, and no amount changes its meaning', async () => {
    const document = await register('euros');
    for (const [named, money] of [
      ['shippingPaid.currency', { total: undefined, shippingPaid: { amountMinor: 499, currency: 'EUR' } }],
      ['total.currency', { total: { amountMinor: 4990, currency: 'EUR' }, shippingPaid: undefined }],
    ] as const) {
      const answer = await changesNothing(() => server.put('euros', { ...document, ...money }));
      expectProblem(answer, { status: 400, code: 'invalid_request', fields: [named] });
    }
    const both = {
      total: { amountMinor: 4990, currency: 'EUR' },
      shippingPaid: { amountMinor: 499, currency: 'EUR' },
    };
    expect(await server.put('euros', { ...document, ...both })).toMatchObject({ body: { outcome: 'completed' } });
  });
});

describe('many at once', () => {
  test('fifty times the same new order: one 201, forty-nine 200, one row of everything', async () => {
    const document = documentOf('stampede');
    const answers = await Promise.all(Array.from({ length: 50 }, () => server.put('stampede', document)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 200 && body.outcome === 'unchanged')).toHaveLength(49);
    expect(await database.query('SELECT count(*)::int AS rows FROM orders WHERE id = $1', ['stampede'])).toEqual([
      { rows: 1 },
    ]);
    expect((await server.order('stampede')).shipments).toHaveLength(1);
    expect(
      await database.query('SELECT stage FROM outbox WHERE ids = $1', [[document.shipments[0]?.trackingNumber]]),
    ).toHaveLength(1);
  });

  test('fifty different promises for one new order: one is made, the others are refused, and the customer is of the one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        server.put(
          'contested',
          documentOf('contested', {
            promise: {
              on: `2025-04-${String(1 + (index % 25)).padStart(2, '0')}`,
              timeZone: index < 25 ? NEW_YORK : 'Europe/Berlin',
            },
            customer: { name: `Name ${index}` },
            shipments: [{ carrier: 'ups', trackingNumber: `1Z-CONTESTED-${index}` }],
          }),
        ),
      ),
    );
    const made = answers.findIndex(({ status }) => status === 201);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter((_, index) => index !== made)) {
      expectProblem(answer, { status: 409, code: 'promise_changed', fields: ['promise'] });
    }
    expect(await order('contested')).toMatchObject({ promise_time_zone: made < 25 ? NEW_YORK : 'Europe/Berlin' });
    expect(await customer('contested')).toMatchObject({ name: `Name ${made}` });
    expect((await server.order('contested')).shipments.map(({ trackingNumber }) => trackingNumber)).toEqual([
      `1Z-CONTESTED-${made}`,
    ]);
  });

  test('forty orders of one new customer: all 201, one customer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        server.put(`crowd-${index}`, documentOf(`crowd-${index}`, { customerId: 'c-crowd' })),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(await database.query(`SELECT count(*)::int AS rows FROM customers WHERE id = 'c-crowd'`)).toEqual([
      { rows: 1 },
    ]);
  });

  test('forty shipments added to one order at once: all of them are there once', async () => {
    const document = await register('growing');
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        server.put('growing', {
          ...document,
          shipments: [{ carrier: 'ups', trackingNumber: `1Z-GROWING-${index % 20}` }],
        }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await server.order('growing')).shipments).toHaveLength(21);
  });
});

describe('GET /v1/orders/{id} and POST /v1/orders/{id}/recheck', () => {
  const scans = [
    ['in_transit', 'departed_facility', '2025-03-03T13:00:00Z'],
    ['delivered', 'arrived_at_destination', '2025-03-06T19:00:00Z'],
  ] as const;

  test('an order that nobody has judged yet: verdict null, lists empty', async () => {
    const document = await register('fresh');
    expect(await server.order('fresh')).toMatchObject({
      id: 'fresh',
      customerId: 'c-fresh',
      promisedUntil: '2025-03-06T05:00:00.000Z',
      shipments: [
        { ...document.shipments[0], status: 'unknown', deliveredAt: null, estimatedDeliveryAt: null, events: [] },
      ],
      verdict: null,
      awards: [],
      messages: [],
      explanation: [],
    });
  });

  test('a recheck judges at once, without a worker; again, it finds nothing new and pays nothing twice', async () => {
    const { shipments } = await register('late');
    await server.webhook(trackerEvent(shipments[0]?.trackingNumber ?? '', scans));
    const first = await server.request('POST', '/v1/orders/late/recheck', {
      reason: 'the customer called\nand was sad',
    });
    expect(first.status).toBe(200);
    expect(Object.keys(first.body).sort()).toEqual(['after', 'before', 'changed']);
    expect(first.body).toMatchObject({
      before: null,
      after: {
        verdict: 'late',
        metAt: '2025-03-06T19:00:00.000Z',
        lateMinutes: 840,
        lateDays: 1,
        fault: 'carrier',
        policyVersion: 1,
      },
      changed: true,
    });
    const { before, after, changed } = (await server.request('POST', '/v1/orders/late/recheck', { reason: null })).body;
    expect(changed).toBe(false);
    expect(before).toEqual({ ...first.body.after });
    expect({ ...after, judgedAt: before.judgedAt }).toEqual({ ...before, declinedBecause: 'already_compensated' });
    expect((await server.order('late')).awards).toMatchObject([
      { kind: 'membership_extension', months: 1, status: 'pending' },
    ]);
    expect(await database.query(`SELECT stage, trigger FROM outbox WHERE stage = 'grant-awards'`)).toEqual([
      { stage: 'grant-awards', trigger: 'recheck' },
    ]);
  });

  test('what an order looks like: every key of the contract is there, instants in UTC with Z, money in minor units', async () => {
    const view = await server.order('late');
    const instant = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(view).toMatchObject({
      id: 'late',
      customerId: 'c-late',
      promisedUntil: instant,
      shipments: [
        {
          carrier: 'usps',
          trackingNumber: expect.stringMatching(/^9400/),
          status: expect.any(String),
          deliveredAt: null,
          estimatedDeliveryAt: null,
          events: [
            { status: 'in_transit', at: '2025-03-03T13:00:00.000Z', exception: null, source: 'easypost' },
            { status: 'delivered', at: '2025-03-06T19:00:00.000Z', exception: null, source: 'easypost' },
          ],
        },
      ],
      verdict: {
        verdict: 'late',
        metAt: instant,
        lateMinutes: 840,
        lateDays: 1,
        fault: 'carrier',
        judgedAt: instant,
        policyVersion: 1,
      },
      awards: [
        {
          id: expect.any(String),
          kind: 'membership_extension',
          months: 1,
          status: 'pending',
          reason: expect.any(String),
          appliedAt: null,
        },
      ],
      messages: [],
    });
    expect(view.explanation.join('\n')).toMatch(/prime-month/);
    expect(view.awards[0]).not.toHaveProperty('amount');
  });

  test('a recheck without a body, with an empty one, and with null', async () => {
    await register('wordless');
    for (const body of [undefined, {}, 'null', '']) {
      expect((await server.request('POST', '/v1/orders/wordless/recheck', body)).status).toBe(200);
    }
  });

  test('every recheck stands in the audit: who, what, why, what came of it', async () => {
    await register('audited');
    await server.request('POST', '/v1/orders/audited/recheck', { reason: 'ticket 4711' });
    const rows = await database.query(
      `SELECT actor, action, subject, reason, details FROM audit WHERE subject = 'audited'`,
    );
    expect(rows).toEqual([
      {
        actor: 'key:ADMIN_API_KEY',
        action: 'order.recheck',
        subject: 'audited',
        reason: 'ticket 4711',
        details: { before: null, after: expect.any(String), awards: expect.any(Array), trace: expect.any(String) },
      },
    ]);
  });

  test('thirty rechecks at once: one of them changes something, one award, one audit row each', async () => {
    const { shipments } = await register('hot');
    await server.webhook(trackerEvent(shipments[0]?.trackingNumber ?? '', scans));
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => server.request('POST', '/v1/orders/hot/recheck', { reason: 'all at once' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.filter(({ body }) => body.changed)).toHaveLength(1);
    expect((await server.order('hot')).awards).toHaveLength(1);
    expect(await database.query(`SELECT count(*)::int AS rows FROM audit WHERE subject = 'hot'`)).toEqual([
      { rows: 30 },
    ]);
    expect(await countRows(database, 'incidents')).toBeGreaterThan(0);
  });
});
