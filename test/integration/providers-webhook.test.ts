import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import type { GrantRequest } from '../../src/awards/providers/provider.js';
import { createWebhookProvider } from '../../src/awards/providers/webhook.js';
import { grantRequest, grantUntilAnswered, HASTY_MS, PATIENT_MS } from '../support/grant-request.js';
import {
  type Behaviour,
  type ProviderServer,
  startProviderServer,
  WEBHOOK_SECRET,
} from '../support/provider-server.js';
import { freePort } from '../support/redis.js';

const OTHER_SECRET = `whsec_${Buffer.from('another secret, of the same length').toString('base64')}`;

describe("the shop's own system", () => {
  let server: ProviderServer;
  beforeAll(async () => {
    server = await startProviderServer();
  });
  afterAll(() => server.stop());

  const providerWith = (...secrets: string[]) => createWebhookProvider({ url: `${server.url}/awards`, secrets });
  const providerFor = (timeoutMs: number) =>
    createWebhookProvider({ url: `${server.url}/awards`, secrets: [WEBHOOK_SECRET] }, { timeoutMs });
  const paymentsFor = ({ idempotencyKey }: GrantRequest) =>
    server.webhook.paid.filter(({ key }) => key === idempotencyKey).length;
  const grant = (request: GrantRequest) => providerWith(WEBHOOK_SECRET).grant(request, AbortSignal.timeout(PATIENT_MS));

  test('is told all that it needs, signed so that the library of Standard Webhooks accepts it', async () => {
    const request = grantRequest({
      kind: 'replacement',
      amount: null,
      shipping: 'two_day',
      shipOn: '2026-11-06',
      incident: 'lost',
    });
    const outcome = await grant(request);
    expect(outcome).toEqual({ outcome: 'granted', receipt: { payment: expect.stringMatching(/^pay-/) } });
    const { headers, body } = server.asked.at(-1) ?? { headers: {}, body: '' };
    expect(new Webhook(WEBHOOK_SECRET).verify(body, headers)).toEqual({
      type: 'award.granted',
      id: request.idempotencyKey,
      data: {
        award: request.awardId,
        order: 'o-1',
        customer: { id: 'c-1', email: 'ann@example.com', name: 'Ann Lee', phone: null, locale: 'en-US' },
        kind: 'replacement',
        shipping: 'two_day',
        shipOn: '2026-11-06',
        destination: { country: 'US', region: 'NY', postalCode: '10001' },
        incident: 'lost',
        reason: request.reason,
      },
    });
    expect(headers).toMatchObject({
      'webhook-id': request.idempotencyKey,
      'idempotency-key': request.idempotencyKey,
      'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
    });
  });

  test('accepts either key while they rotate, and neither once its own is gone', async () => {
    const request = grantRequest();
    const both = await providerWith(OTHER_SECRET, WEBHOOK_SECRET).grant(request, AbortSignal.timeout(PATIENT_MS));
    expect(both.outcome).toBe('granted');
    expect(server.asked.at(-1)?.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
    const stranger = await providerWith(OTHER_SECRET).grant(grantRequest(), AbortSignal.timeout(PATIENT_MS));
    expect(stranger).toEqual({ outcome: 'refused', reason: expect.stringContaining('answered 401') });
  });

  test.each<[string, Behaviour[]]>([
    ['hangs beyond the timeout', ['hang']],
    ['drops the connection before it pays', ['close']],
    ['pays, and drops the connection before its answer', ['pay-and-close']],
    ['pays, and drops the connection in the middle of its answer', ['pay-and-cut']],
    ['pays, and answers 500', ['pay-and-fail']],
    ['pays, and takes twice as long as it may', [{ payAndWaitMs: 2 * HASTY_MS }]],
    ['answers 500, 502, 503, then pays', [{ say: 500 }, { say: 502 }, { say: 503 }]],
    ['is busy with 408, 425, 429, then pays', [{ say: 408 }, { say: 425 }, { say: 429 }]],
    ['sends us elsewhere, then pays', [{ say: 307, headers: { location: 'http://127.0.0.1:1/' } }]],
    ['does all of it', ['close', 'pay-and-cut', 'pay-and-fail', { say: 503 }]],
  ])('one payment when it %s', async (_how, behaviours) => {
    const request = grantRequest();
    server.next(...behaviours);
    const outcomes = await grantUntilAnswered(providerFor, behaviours, request);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([...behaviours.map(() => 'again'), 'granted']);
    expect(paymentsFor(request)).toBe(1);
    expect(outcomes.at(-1)).toEqual({ outcome: 'granted', receipt: { payment: `pay-${server.webhook.paid.length}` } });
  });

  test('is asked again when nobody listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}/awards`;
    const down = createWebhookProvider({ url, secrets: [WEBHOOK_SECRET] });
    expect(await down.grant(grantRequest(), AbortSignal.timeout(PATIENT_MS))).toEqual({
      outcome: 'again',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('a redirect is not followed, and the reason says what to do', async () => {
    server.next({ say: 302, headers: { location: `${server.url}/awards` } });
    const before = server.asked.length;
    expect(await grant(grantRequest())).toEqual({
      outcome: 'again',
      reason: expect.stringMatching(/302, a redirect.*AWARD_WEBHOOK_URL/),
    });
    expect(server.asked).toHaveLength(before + 1);
  });

  test.each([400, 404, 409, 410, 422])(
    '%d is a refusal: nothing is paid, and the reason holds what was said',
    async (status) => {
      const request = grantRequest();
      server.next({ say: status, body: 'no such\r\n\u001b[31morder\u0000' });
      expect(await grant(request)).toEqual({
        outcome: 'refused',
        reason: `the shop's system answered ${status}: no such [31morder`,
      });
      expect(paymentsFor(request)).toBe(0);
    },
  );

  test('409 to a second attempt says that the first is still being worked on', async () => {
    server.next({ say: 409 });
    expect(await grant(grantRequest({ attempt: 2 }))).toMatchObject({ outcome: 'again' });
  });

  test.each([
    ['7', 7],
    ['86400', 3_600],
    ['-1', undefined],
    ['soon', undefined],
  ])('Retry-After: %s is honoured within reason', async (header, afterS) => {
    server.next({ say: 429, headers: { 'retry-after': header } });
    const outcome = await grant(grantRequest());
    expect(outcome).toEqual({
      outcome: 'again',
      reason: "the shop's system answered 429",
      ...(afterS === undefined ? {} : { afterS }),
    });
  });

  test('Retry-After as a date is honoured too', async () => {
    server.next({ say: 503, headers: { 'retry-after': new Date(Date.now() + 30_000).toUTCString() } });
    const outcome = await grant(grantRequest());
    const afterS = outcome.outcome === 'again' ? (outcome.afterS ?? 0) : 0;
    expect(afterS).toBeGreaterThan(20);
    expect(afterS).toBeLessThanOrEqual(30);
  });

  test.each([
    ['no JSON', 'thank you', { status: 200 }],
    ['nothing', '', { status: 200 }],
    ['a list', '[1]', { status: 200, answer: [1] }],
    ['what PostgreSQL cannot store', '{"a\\u0000":"b\\u0000\\ud800"}', { a: 'b\ufffd' }],
    ['more than 64 KiB', JSON.stringify({ long: 'x'.repeat(70_000) }), { status: 200 }],
  ])('a receipt of %s is kept as far as it can be', async (_what, body, receipt) => {
    server.next({ say: 200, body });
    expect(await grant(grantRequest())).toEqual({ outcome: 'granted', receipt });
  });

  test('a receipt that is nested beyond reason does not break what stores it', async () => {
    server.next({ say: 200, body: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}` });
    const outcome = await grant(grantRequest());
    expect(JSON.stringify(outcome).length).toBeLessThan(500);
    expect(outcome.outcome).toBe('granted');
  });

  test('a refusal of megabytes leaves a line', async () => {
    server.next({ say: 400, body: 'x'.repeat(2_000_000) });
    const outcome = await grant(grantRequest());
    expect(outcome.outcome === 'refused' && outcome.reason.length).toBeLessThan(600);
  });
});
