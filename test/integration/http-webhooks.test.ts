import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { type Answer, orderDocument, signEasypost, trackerEvent } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';

const OLD_SECRET = 'the-secret-of-last-year';
const NEW_SECRET = 'the-secret-of-this-year';

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url, { EASYPOST_WEBHOOK_SECRET: `${OLD_SECRET}, ${NEW_SECRET}` });
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** As a carrier sends it: bytes, and a signature over them, and no key of ours. */
const post = (body: string | Uint8Array, headers: Record<string, string>, source = 'easypost'): Promise<Answer> =>
  server.request('POST', `/webhooks/${source}`, body, { authorization: '', ...headers });
const send = (body: string | Buffer, secret = NEW_SECRET): Promise<Answer> => post(body, signEasypost(body, secret));
const sendEvent = (event: object): Promise<Answer> => send(JSON.stringify(event));

async function storesNothing(ask: () => Promise<Answer>): Promise<Answer> {
  const before = await readDatabaseState(database);
  const answer = await ask();
  expect(await readDatabaseState(database)).toEqual(before);
  return answer;
}

let numbers = 0;
const newNumber = (): string => `9400${String(++numbers).padStart(18, '0')}`;
const SCANS = [
  ['pre_transit', 'label_created', '2025-03-02T10:00:00Z'],
  ['in_transit', 'departed_facility', '2025-03-03T13:00:00Z'],
  ['delivered', 'arrived_at_destination', '2025-03-06T19:00:00Z'],
] as const;

describe('a signature that does not prove who sent it: 401, and nothing is stored', () => {
  const body = JSON.stringify(trackerEvent(newNumber(), SCANS));
  const good = Object.entries(signEasypost(body, NEW_SECRET))[0] as [string, string];
  const [header, value] = good;
  const withAmount = body.replace('"mode":"production"', '"mode":"production","fee":136.0');

  test.each<[string, string, Record<string, string>]>([
    ['missing', body, {}],
    ['empty', body, { [header]: '' }],
    ['of another secret', body, signEasypost(body, 'the-secret-of-somebody')],
    ['of the empty secret', body, signEasypost(body, '')],
    ['cut by a character', body, { [header]: value.slice(0, -1) }],
    ['longer by a character', body, { [header]: `${value}0` }],
    ['without its prefix', body, { [header]: value.split('=')[1] ?? '' }],
    ['in upper case', body, { [header]: value.toUpperCase() }],
    ['of another algorithm', body, { [header]: value.replace('sha256', 'sha1') }],
    ['of another webhook', body, signEasypost(JSON.stringify(trackerEvent(newNumber(), SCANS)), NEW_SECRET)],
    ['over a body of which a byte was changed', body.replace('delivered', 'Delivered'), { [header]: value }],
    ['over a body with a space more', `${body} `, { [header]: value }],
    ['over a body written again as JSON', JSON.stringify(JSON.parse(withAmount)), signEasypost(withAmount, NEW_SECRET)],
    ['over the empty body', body, signEasypost('', NEW_SECRET)],
    ['an API key instead', body, { authorization: 'Bearer test-admin-key-0123456789' }],
  ])('%s', async (_name, sent, headers) => {
    const answer = await storesNothing(() => post(sent, headers));
    expectProblem(answer, { status: 401, code: 'bad_signature', fields: [] });
    // It says the same whatever was wrong, and nothing of what would be right.
    expect(answer.body.detail).toBe('The signature is missing or does not match the body.');
  });

  test('malformed and badly signed: 401, a stranger learns nothing of what is read', async () => {
    expectProblem(await storesNothing(() => post('{', signEasypost('}', NEW_SECRET))), { status: 401 });
  });
});

describe('while keys rotate', () => {
  test('both secrets are good, and the same webhook by both is one', async () => {
    const body = JSON.stringify(trackerEvent(newNumber(), SCANS));
    expect(await send(body, OLD_SECRET)).toMatchObject({ status: 200, body: { accepted: 3, duplicates: 0 } });
    expect(await send(body, NEW_SECRET)).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 3 } });
  });

  test('the variable as a whole is no secret', async () => {
    expectProblem(await send(JSON.stringify(trackerEvent(newNumber(), SCANS)), `${OLD_SECRET}, ${NEW_SECRET}`), {
      status: 401,
    });
  });
});

describe('a signed body that cannot be used: 400 says what is wrong, and nothing is stored', () => {
  const event = (change: (result: Record<string, unknown>) => void): string => {
    const document = trackerEvent(newNumber(), SCANS);
    change(document.result as unknown as Record<string, unknown>);
    return JSON.stringify(document);
  };
  test.each<[string, string | Buffer, readonly string[]]>([
    ['empty', '', ['']],
    ['not JSON', '{"description": "tracker.updated"', ['']],
    [
      'not UTF-8',
      Buffer.from(
        event((result) => Object.assign(result, { status: 'délivré' })),
        'latin1',
      ),
      [''],
    ],
    ['a list', '[]', ['body']],
    ['a word', '"tracker.updated"', ['body']],
    ['null', 'null', ['body']],
    ['an event without a name', '{"result": {}}', ['description']],
    ['a result that is a list', '{"description": "tracker.updated", "result": []}', ['result']],
    ['without a tracking number', event((result) => delete result.tracking_code), ['result.tracking_code']],
    [
      'a blank tracking number',
      event((result) => Object.assign(result, { tracking_code: ' - ' })),
      ['result.tracking_code'],
    ],
    [
      'a tracking number that is a number',
      event((result) => Object.assign(result, { tracking_code: 9400 })),
      ['result.tracking_code'],
    ],
    [
      'a tracking number too long',
      event((result) => Object.assign(result, { tracking_code: '9'.repeat(101) })),
      ['result.tracking_code'],
    ],
    [
      'scans that are no list',
      event((result) => Object.assign(result, { tracking_details: {} })),
      ['result.tracking_details'],
    ],
    [
      'a scan that is no object',
      event((result) => Object.assign(result, { tracking_details: ['late'] })),
      ['result.tracking_details[0]'],
    ],
    [
      'scans without a time',
      event((result) =>
        Object.assign(result, {
          tracking_details: [{ status: 'delivered' }, { status: 'delivered', datetime: '2025-02-30T00:00:00Z' }],
        }),
      ),
      ['result.tracking_details[0].datetime', 'result.tracking_details[1].datetime'],
    ],
    [
      'NUL in the tracking number',
      event((result) => Object.assign(result, { tracking_code: '94\u000000' })),
      ['result.tracking_code'],
    ],
    ['NUL in the carrier', event((result) => Object.assign(result, { carrier: 'US\u0000PS' })), ['result.carrier']],
    [
      'NUL in a message',
      event((result) => Object.assign((result.tracking_details as object[])[1] as object, { message: '\u0000' })),
      ['result.tracking_details[1].message'],
    ],
    [
      'NUL in a place',
      event((result) =>
        Object.assign((result.tracking_details as object[])[2] as object, {
          tracking_location: { city: 'Al\u0000bany' },
        }),
      ),
      ['result.tracking_details[2].tracking_location.city'],
    ],
  ])('%s', async (_name, body, fields) => {
    expectProblem(await storesNothing(() => send(body)), { status: 400, code: 'malformed_webhook', fields });
  });

  test('one bad scan among good ones: none of them is stored', async () => {
    const document = trackerEvent(newNumber(), [...SCANS, ['delivered', 'status_update', 'soon']]);
    const answer = await storesNothing(() => sendEvent(document));
    expectProblem(answer, { status: 400, code: 'malformed_webhook', fields: ['result.tracking_details[3].datetime'] });
  });

  test('lists in lists, 100,000 deep: an answer, and no crash', async () => {
    expectProblem(await storesNothing(() => send(`${'['.repeat(100_000)}${']'.repeat(100_000)}`)), { status: 400 });
  });

  test('an object with the same key twice, which one reader takes for one thing and another for another', async () => {
    const body = JSON.stringify(trackerEvent(newNumber(), SCANS)).replace(
      '"status":',
      '"status":"delivered","status":',
    );
    expectProblem(await storesNothing(() => send(body)), { status: 400, code: 'malformed_webhook' });
  });
});

describe('sources', () => {
  const body = JSON.stringify(trackerEvent(newNumber(), SCANS));

  test.each(['nobody', 'EasyPost', 'easypost%20', '__proto__', 'constructor', 'fedex', '..%2Forders', '%00'])(
    '%s is unknown or not configured: 404, signed or not',
    async (source) => {
      const answer = await storesNothing(() => post(body, signEasypost(body, NEW_SECRET), source));
      expectProblem(answer, { status: 404, code: 'not_found', fields: [] });
    },
  );

  test('a source whose secret is not set: 404', async () => {
    const bare = await startHttpServer(database.url, { EASYPOST_WEBHOOK_SECRET: '' });
    try {
      const answer = await storesNothing(() =>
        bare.request('POST', '/webhooks/easypost', body, signEasypost(body, '')),
      );
      expectProblem(answer, { status: 404, code: 'not_found' });
    } finally {
      await bare.stop();
    }
  });

  test('an unknown source is told so before it has sent its two megabytes', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST /webhooks/nobody HTTP/1.1\r\nHost: ${hostname}\r\nContent-Type: application/json\r\nContent-Length: ${2 * 1024 * 1024}\r\n\r\n{`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /);
    socket.destroy();
  });

  test.each([
    ['a little over 1 MiB', 1024 * 1024 + 1],
    ['2 MiB', 2 * 1024 * 1024],
  ])('a known source that sends %s: 413, each time', async (_name, size) => {
    const big = Buffer.alloc(size, 0x20);
    for (let round = 0; round < 5; round++) {
      expectProblem(await storesNothing(() => send(big)), { status: 413, code: 'body_too_large' });
    }
  });

  test('1 MiB of JSON is taken', async () => {
    const document = trackerEvent(newNumber(), SCANS);
    const rest = 1024 * 1024 - JSON.stringify({ ...document, note: '' }).length;
    const answer = await sendEvent({ ...document, note: 'x'.repeat(rest) });
    expect(answer).toMatchObject({ status: 200, body: { accepted: 3, duplicates: 0 } });
  });

  test.each(['text/plain', 'application/octet-stream', 'nonsense', ''])(
    'whatever type the sender names (%j), the bytes count',
    async (type) => {
      const bytes = JSON.stringify(trackerEvent(newNumber(), SCANS));
      const answer = await post(bytes, { ...signEasypost(bytes, NEW_SECRET), 'content-type': type });
      expect(answer).toMatchObject({ status: 200, body: { accepted: 3 } });
    },
  );
});

describe('what is accepted', () => {
  test('a new webhook: its bytes as they came, its scans, and one ticket; again: nothing more', async () => {
    const number = newNumber();
    const event = trackerEvent(number, SCANS);
    const body = JSON.stringify(event, null, 1);
    expect(await send(body)).toMatchObject({ status: 200, body: { accepted: 3, duplicates: 0 } });
    expect(
      await database.query('SELECT source, delivery_id, body FROM inbox WHERE delivery_id = $1', [event.id]),
    ).toEqual([{ source: 'easypost', delivery_id: event.id, body: Buffer.from(body) }]);
    expect(await database.query('SELECT stage, ids, trigger FROM outbox WHERE $1 = ANY(ids)', [number])).toEqual([
      { stage: 'track-shipments', ids: [number], trigger: 'webhook' },
    ]);
    const answer = await storesNothing(() => send(body));
    expect(answer).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 3 } });
  });

  test('the same webhook fifty times at once: each scan is accepted by one of them', async () => {
    const number = newNumber();
    const body = JSON.stringify(trackerEvent(number, SCANS));
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers.reduce((sum, answer) => sum + answer.body.accepted, 0)).toBe(3);
    expect(answers.reduce((sum, answer) => sum + answer.body.accepted + answer.body.duplicates, 0)).toBe(150);
    expect(
      await database.query('SELECT count(*)::int AS rows FROM tracking_events WHERE tracking_key = $1', [number]),
    ).toEqual([{ rows: 3 }]);
    expect(
      await database.query(`SELECT count(*)::int AS rows FROM inbox WHERE position($1 IN encode(body, 'escape')) > 0`, [
        number,
      ]),
    ).toEqual([{ rows: 1 }]);
  });

  test('the same id of an event with another body: what it says that is new counts', async () => {
    const number = newNumber();
    const first = trackerEvent(number, SCANS.slice(0, 1));
    expect((await sendEvent(first)).body).toEqual({ accepted: 1, duplicates: 0 });
    expect((await sendEvent({ ...trackerEvent(number, SCANS), id: first.id })).body).toEqual({
      accepted: 2,
      duplicates: 1,
    });
  });

  test('snapshots of one tracker in any order at once: every scan once', async () => {
    const number = newNumber();
    const answers = await Promise.all(
      [3, 1, 2, 3, 2, 1].map((length) => sendEvent(trackerEvent(number, SCANS.slice(0, length)))),
    );
    expect(answers.reduce((sum, answer) => sum + answer.body.accepted, 0)).toBe(3);
    expect(answers.reduce((sum, answer) => sum + answer.body.duplicates, 0)).toBe(9);
  });

  test('two hundred parcels at once: every one is stored, and each has a ticket', async () => {
    const mine = Array.from({ length: 200 }, newNumber);
    const answers = await Promise.all(mine.map((number) => sendEvent(trackerEvent(number, SCANS.slice(0, 1)))));
    expect(answers.every(({ status, body }) => status === 200 && body.accepted === 1)).toBe(true);
    const tickets = await database.query<{ ids: string[] }>(`SELECT ids FROM outbox WHERE stage = 'track-shipments'`);
    expect(new Set(tickets.flatMap(({ ids }) => ids))).toEqual(
      new Set([...tickets.flatMap(({ ids }) => ids), ...mine]),
    );
  });

  test.each([
    ['another kind of event', { description: 'batch.created', result: { id: 'batch_1' } }],
    ['an event nobody knows', { description: 'space.launched', result: [] }],
    ['a tracker event without a result', { description: 'tracker.deleted', result: null }],
  ])('%s: 200, nothing accepted, nothing stored', async (_name, event) => {
    const answer = await storesNothing(() => sendEvent({ id: 'evt_1', object: 'Event', ...event }));
    expect(answer).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 0 } });
  });

  test('a tracker without scans: 200, nothing accepted', async () => {
    expect((await sendEvent(trackerEvent(newNumber(), []))).body).toEqual({ accepted: 0, duplicates: 0 });
  });

  test('a status that nobody knows: accepted as unknown, and it neither causes nor denies anything', async () => {
    const number = newNumber();
    const order = orderDocument({
      customerId: 'odd-status',
      trackingNumber: number,
      placedAt: '2025-03-01T12:00:00Z',
      promise: { on: '2025-03-05', timeZone: 'America/New_York' },
    });
    await server.put('odd-status', order);
    await sendEvent(trackerEvent(number, SCANS));
    const recheck = async () => (await server.request('POST', '/v1/orders/odd-status/recheck', {})).body;
    const before = (await recheck()).after;
    expect(before).toMatchObject({ verdict: 'late', lateDays: 1 });

    const odd = trackerEvent(number, [['teleported', 'beamed_up', '2025-03-04T10:00:00Z']]);
    expect((await sendEvent(odd)).body).toEqual({ accepted: 1, duplicates: 0 });
    const after = await recheck();
    expect(after.changed).toBe(false);
    expect(after.after).toMatchObject({ verdict: 'late', metAt: before.metAt, lateDays: 1, fault: before.fault });
    expect((await server.order('odd-status')).shipments[0]?.events.map(({ status }) => status)).toEqual([
      'pre_transit',
      'in_transit',
      'unknown',
      'delivered',
    ]);
  });

  test('words of a carrier in any script, with quotes, SQL and control characters, are kept as data', async () => {
    const number = newNumber();
    const words = `'); DROP TABLE inbox; -- "🚚" 配達\r\n\u001b[31m`;
    const event = trackerEvent(number, SCANS.slice(0, 1));
    for (const detail of event.result.tracking_details) detail.message = words;
    expect((await sendEvent(event)).body).toEqual({ accepted: 1, duplicates: 0 });
    expect(await database.query('SELECT text FROM tracking_events WHERE tracking_key = $1', [number])).toEqual([
      { text: words },
    ]);
  });

  test.each(['GET', 'PUT', 'DELETE'])('%s is no webhook: 404', async (method) => {
    expectProblem(await server.request(method, '/webhooks/easypost'), { status: 404, code: 'not_found' });
  });
});
