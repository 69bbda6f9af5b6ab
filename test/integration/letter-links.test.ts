import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Letter } from '../../src/messages/letter.js';
import { linkToken } from '../../src/messages/links.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { deliveryReport } from '../support/delivery-report.js';
import { ADMIN_KEY, orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';
import { runProgram } from '../support/run-program.js';

let database: TestDatabase;
let makegood: TestMakegood;

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({
    databaseUrl: database.url,
    now: '2026-11-07T15:00:00Z',
    environment: { PUBLIC_URL: 'https://makegood.shop.example' },
  });
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

let orders = 0;
/** An order that came late, with the letter that says so. */
async function aLetter(changes: Record<string, unknown> = {}) {
  const orderId = `o-${++orders}`;
  const trackingNumber = `T-${orderId}`;
  await makegood.put(orderId, orderDocument({ customerId: `c-${orderId}`, trackingNumber, ...changes }));
  await makegood.webhook(
    trackerEvent(trackingNumber, [['delivered', 'arrived_at_destination', '2026-11-06T15:00:00Z']]),
  );
  await makegood.quiet();
  const [found] = await database.query('SELECT id, message_id, to_address, letter FROM messages WHERE order_id = $1', [
    orderId,
  ]);
  if (!found) throw new Error('there is no letter');
  const message = found as { id: string; message_id: string; to_address: string; letter: Letter };
  const path = new URL(message.letter.answerUrls?.yes ?? '').pathname.replace(/\/yes$/, '');
  return { orderId, message, path };
}

/** As a browser asks for a page, and sends a form. */
const open = (path: string) => fetch(`${makegood.url}${path}`);
const press = (path: string, fields: Record<string, string>) =>
  fetch(`${makegood.url}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
const answerOf = async (orderId: string) => (await makegood.order(orderId)).messages[0]?.answer;
const casesOf = async (orderId: string) => (await makegood.order(orderId)).tasks.filter(({ kind }) => kind === 'case');

describe('"Did this make it right?"', () => {
  test('a letter has both links, to where the shop is reached, and opening them changes nothing', async () => {
    const { orderId, message, path } = await aLetter();
    expect(message.letter.answerUrls).toEqual({
      yes: `https://makegood.shop.example${path}/yes`,
      no: `https://makegood.shop.example${path}/no`,
    });
    for (const method of ['GET', 'HEAD']) {
      for (const answer of ['yes', 'no']) {
        const page = await fetch(`${makegood.url}${path}/${answer}`, { method });
        expect(page.status).toBe(200);
        expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
        expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(page.headers.get('referrer-policy')).toBe('no-referrer');
      }
    }
    expect(await answerOf(orderId)).toBeNull();
    expect(await casesOf(orderId)).toEqual([]);
  });

  test('yes is noted, once, and opens nothing', async () => {
    const { orderId, path } = await aLetter();
    for (let time = 0; time < 2; time++) {
      const thanks = await press(`${path}/yes`, { answer: 'yes' });
      expect(thanks.status).toBe(200);
      expect(await thanks.text()).toContain('Thank you for telling us.');
    }
    expect(await answerOf(orderId)).toBe('yes');
    expect(await casesOf(orderId)).toEqual([]);
    const { body } = await makegood.request('GET', '/v1/audit?limit=200');
    const audited = body.items.filter(
      ({ action, details }: { action: string; details: { orderId?: string } }) =>
        action === 'letter.answer' && details.orderId === orderId,
    );
    expect(audited).toMatchObject([{ actor: 'customer', details: { answer: 'yes', taskId: null } }]);
  });

  test('no opens one case that is due within hours, with the history and the words of the customer', async () => {
    const { orderId, path } = await aLetter();
    await press(`${path}/no`, { answer: 'no', words: 'It was\r\nfor <b>her</b> birthday' });
    await press(`${path}/no`, { answer: 'no' });
    await press(`${path}/no`, { answer: 'no', words: 'And nobody rang.' });
    expect(await answerOf(orderId)).toBe('no');
    const cases = await casesOf(orderId);
    expect(cases).toMatchObject([
      { rule: 'not-made-right', status: 'open', dueAt: expect.stringMatching(/^2026-11-07T19:00:/) },
    ]);
    expect(cases[0]?.talkingPoints).toEqual([
      expect.stringMatching(
        /^The customer says that what we did about order o-\d+ did not make it right \(letter, .+\)\.$/,
      ),
      'In their own words: It was for <b>her</b> birthday',
      expect.stringContaining('It was promised for Thursday, November 5'),
      expect.any(String),
      expect.any(String),
      'Given for it: 1 month of membership (late).',
      expect.any(String),
      expect.any(String),
      'Promise nothing that is not on this list.',
      'In their own words: And nobody rang.',
    ]);
  });

  test('the last answer counts, many at once are one, and more than anybody presses are refused', async () => {
    const { orderId, path } = await aLetter();
    await press(`${path}/yes`, { answer: 'yes' });
    const all = await Promise.all(Array.from({ length: 30 }, () => press(`${path}/no`, { answer: 'no' })));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(all.filter(({ status }) => status === 429)).toHaveLength(21);
    expect(await answerOf(orderId)).toBe('no');
    expect(await casesOf(orderId)).toHaveLength(1);
  });

  test.each([
    ['de-AT', 'Ist es damit für Sie wieder in Ordnung?', 'de'],
    ['es-MX', '¿Ha quedado resuelto?', 'es'],
    ['pt-BR', 'Ficou resolvido?', 'pt'],
    ['xx-invalid', 'Did this make it right?', 'en'],
  ])('the page speaks the language of the letter: %s', async (locale, question, language) => {
    const { path } = await aLetter({ customer: { locale } });
    const text = await (await open(`${path}/no`)).text();
    expect(text).toContain(`<html lang="${language}">`);
    expect(text).toContain(question);
  });

  test('a link that is none, or was made for something else, is a page that says so, in the language of the browser', async () => {
    const { message, orderId } = await aLetter();
    const { linkKey } = makegood.deps;
    const others = [
      'x',
      linkToken(linkKey, 'unsubscribe', message.id),
      linkToken(linkKey, 'answer', '0192f0c4-7a5e-7c31-9a41-5d2b6f0e8a77'),
    ];
    for (const other of others) {
      const page = await fetch(`${makegood.url}/answers/${other}/no`, {
        headers: { 'accept-language': 'de-DE,de;q=0.9' },
      });
      expect(page.status).toBe(404);
      expect(await page.text()).toContain('Dieser Link ist keiner von uns');
      expect((await press(`/answers/${other}/no`, { answer: 'no' })).status).toBe(404);
    }
    expect(await answerOf(orderId)).toBeNull();
  });

  test('what no page of ours sends is refused, and changes nothing', async () => {
    const { orderId, path } = await aLetter();
    for (const fields of [{}, { answer: 'maybe' }, { answer: 'no', words: 'x'.repeat(1_001) }] as Record<
      string,
      string
    >[]) {
      expect((await press(`${path}/no`, fields)).status).toBe(400);
    }
    expect(await answerOf(orderId)).toBeNull();
  });

  test('markup in what the shop calls things stays text', async () => {
    const { message } = await aLetter();
    await database.query(
      `UPDATE messages SET letter = jsonb_set(letter, '{shopName}', '"<script>x</script>"') WHERE id = $1`,
      [message.id],
    );
    const text = await (await open(`/answers/${linkToken(makegood.deps.linkKey, 'answer', message.id)}/yes`)).text();
    expect(text).toContain('&lt;script&gt;x&lt;/script&gt;');
    expect(text).not.toContain('<script>');
  });
});

describe('the list of addresses that nothing is sent to', () => {
  const add = (body: object) => makegood.request('POST', '/v1/suppressions', body);

  test('keeps letters back, and says so', async () => {
    const email = 'c-blocked@example.com';
    expect(await add({ email, reason: 'asked for it' })).toMatchObject({
      status: 201,
      body: { email, scope: 'all', reason: 'by_hand', detail: 'asked for it' },
    });
    await makegood.put(
      'blocked',
      orderDocument({
        customerId: 'c-blocked',
        customer: { email: 'C-Blocked@example.com' },
        trackingNumber: 'T-blocked',
      }),
    );
    await makegood.webhook(
      trackerEvent('T-blocked', [['delivered', 'arrived_at_destination', '2026-11-06T15:00:00Z']]),
    );
    await makegood.quiet();
    const { messages, awards } = await makegood.order('blocked');
    expect(messages).toMatchObject([{ status: 'blocked', sentAt: null, response: expect.stringContaining('by_hand') }]);
    expect(awards).toMatchObject([{ status: 'applied' }]);
    expect(await database.query('SELECT 1 FROM mailbox WHERE to_address = $1', ['C-Blocked@example.com'])).toEqual([]);
  });

  test('an international address is one, however it is written', async () => {
    const first = await add({ email: 'ann@bücher.example', reason: 'one' });
    expect(first.body.email).toBe('ann@xn--bcher-kva.example');
    expect((await add({ email: 'Ann@xn--bcher-kva.example', reason: 'two' })).body).toEqual(first.body);
    const document = orderDocument({
      customerId: 'c-idn',
      customer: { email: 'ann@bücher.example' },
      trackingNumber: 'T-idn',
    });
    await makegood.put('idn', document);
    await makegood.webhook(trackerEvent('T-idn', [['delivered', 'arrived_at_destination', '2026-11-06T15:00:00Z']]));
    await makegood.quiet();
    expect((await makegood.order('idn')).messages).toMatchObject([
      { status: 'blocked', to: 'ann@xn--bcher-kva.example' },
    ]);
  });

  test('an address is on it once, is found, and taken off with a reason', async () => {
    const first = await add({ email: 'Twice@example.com', reason: 'one' });
    const again = await add({ email: 'twice@EXAMPLE.com', reason: 'two' });
    expect(again.body).toEqual(first.body);
    const found = await makegood.request('GET', '/v1/suppressions?email=TWICE@example.com');
    expect(found.body).toEqual({ items: [first.body], next: null });
    const removed = await makegood.request('DELETE', `/v1/suppressions/${first.body.id}`, { reason: 'a new start' });
    expect(removed).toMatchObject({ status: 200, body: { removed: true } });
    expectProblem(await makegood.request('DELETE', `/v1/suppressions/${first.body.id}`, { reason: 'again' }), {
      status: 404,
    });
    expect((await makegood.request('GET', '/v1/suppressions?email=twice@example.com')).body.items).toEqual([]);
  });

  test.each([{ email: 'a@x.example, b@y.example' }, { email: 'Ann <ann@example.com>' }, { email: '' }, {}])(
    '%j is no address',
    async (body) => {
      expectProblem(await add({ reason: 'x', ...body }), { status: 400, fields: ['email'] });
    },
  );
});

describe('a mail that came back', () => {
  const report = (source: string, key = ADMIN_KEY) =>
    fetch(`${makegood.url}/v1/bounces`, {
      method: 'POST',
      headers: { 'content-type': 'message/rfc822', authorization: `Bearer ${key}` },
      body: source,
    }).then(async (answer) => ({ status: answer.status, body: await answer.json() }));

  test('marks the letter, and where there is nobody, nothing is sent any more; twice is once', async () => {
    const { orderId, message } = await aLetter();
    const source = deliveryReport({ messageId: message.message_id, recipient: message.to_address });
    expect(await report(source)).toMatchObject({ status: 200, body: { outcome: 'bounced', suppressed: true } });
    expect(await report(source)).toMatchObject({ status: 200, body: { outcome: 'ignored' } });
    expect((await makegood.order(orderId)).messages).toMatchObject([
      { status: 'bounced', response: 'came back: 5.1.1 550 5.1.1 no such user' },
    ]);
    const { body } = await makegood.request('GET', `/v1/suppressions?email=${message.to_address}`);
    expect(body.items).toMatchObject([{ reason: 'bounced', scope: 'all' }]);
  });

  test.each([
    ['delayed', '4.4.1', 'ignored', 'sent'],
    ['failed', '5.2.2', 'bounced', 'bounced'],
    ['failed', '5.7.1', 'bounced', 'bounced'],
  ])('%s %s: %s, and the address stays', async (action, status, outcome, then) => {
    const { orderId, message } = await aLetter();
    const source = deliveryReport({ messageId: message.message_id, recipient: message.to_address, action, status });
    expect(await report(source)).toMatchObject({ body: { outcome, suppressed: false } });
    expect((await makegood.order(orderId)).messages).toMatchObject([{ status: then }]);
    const { body } = await makegood.request('GET', `/v1/suppressions?email=${message.to_address}`);
    expect(body.items).toEqual([]);
  });

  test('of an unknown letter that was delivered after all settles it', async () => {
    const { orderId, message } = await aLetter();
    await database.query(`UPDATE messages SET status = 'unknown', sent_at = NULL WHERE id = $1`, [message.id]);
    const source = deliveryReport({
      messageId: message.message_id,
      recipient: message.to_address,
      action: 'delivered',
      status: '2.0.0',
    });
    expect(await report(source)).toMatchObject({ body: { outcome: 'delivered' } });
    expect((await makegood.order(orderId)).messages).toMatchObject([{ status: 'sent', sentAt: expect.any(String) }]);
  });

  test('that names another recipient, or no letter of ours, changes nothing', async () => {
    const { orderId, message } = await aLetter();
    for (const [messageId, recipient] of [
      [message.message_id, 'victim@example.com'],
      ['<nobody@shop.example>', message.to_address],
    ] as const) {
      expect(await report(deliveryReport({ messageId, recipient }))).toMatchObject({ body: { outcome: 'ignored' } });
    }
    expect((await makegood.order(orderId)).messages).toMatchObject([{ status: 'sent' }]);
    expect((await makegood.request('GET', '/v1/suppressions?email=victim@example.com')).body.items).toEqual([]);
  });

  test('is taken in on the command line too, from a file or a pipe', async () => {
    const { orderId, message } = await aLetter();
    const source = deliveryReport({ messageId: message.message_id, recipient: message.to_address });
    const bounce = (input: string) =>
      runProgram(['makegood', 'mail', 'bounce', '--json'], { env: { DATABASE_URL: database.url }, input });
    const { status, stdout } = await bounce(source);
    expect({ status, answer: JSON.parse(stdout) }).toEqual({
      status: 0,
      answer: { outcome: 'bounced', messageId: message.message_id, suppressed: true },
    });
    expect((await makegood.order(orderId)).messages).toMatchObject([{ status: 'bounced' }]);
    expect(await bounce('Subject: hello\r\n\r\nhello')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining('message/delivery-status'),
    });
  });

  test('that is no report is refused', async () => {
    expect(await report('Subject: hello\r\n\r\nhello')).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expectProblem(await makegood.request('POST', '/v1/bounces', { not: 'a mail' }), { status: 400 });
  });
});
