import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GrantRequest } from '../../src/awards/providers/provider.js';
import { createShopifyProvider } from '../../src/awards/providers/shopify.js';
import { grantRequest, grantUntilAnswered, HASTY_MS, PATIENT_MS } from '../support/grant-request.js';
import { type Behaviour, type ProviderServer, startProviderServer } from '../support/provider-server.js';
import { freePort } from '../support/redis.js';

const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });
const graphQl = (code: string) => JSON.stringify({ errors: [{ message: code, extensions: { code } }] });

const TROUBLE: [string, Behaviour[]][] = [
  ['hangs', ['hang']],
  ['drops the connection', ['close']],
  ['does it, and drops the connection', ['pay-and-close']],
  ['does it, and drops the connection in its answer', ['pay-and-cut']],
  ['does it, and answers 500', ['pay-and-fail']],
  ['does it, and is too slow', [{ payAndWaitMs: 2 * HASTY_MS }]],
  ['throttles', [{ say: 200, body: graphQl('THROTTLED') }, { say: 429 }]],
  ['fails inside', [{ say: 200, body: graphQl('INTERNAL_SERVER_ERROR') }, { say: 502 }]],
  [
    'answers nothing of use',
    [
      { say: 200, body: '{}' },
      { say: 200, body: 'null' },
    ],
  ],
  ['redirects', [{ say: 301, headers: { location: 'https://example.com' } }]],
];

describe('Shopify', () => {
  let server: ProviderServer;
  beforeAll(async () => {
    server = await startProviderServer();
  });
  // A customer's credits are looked through to the last one when ours is not there.
  beforeEach(() => void server.shopify.credits.splice(0));
  afterAll(() => server.stop());

  const providerFor = (timeoutMs = PATIENT_MS, accessToken = 'shpat_award') =>
    createShopifyProvider({ shopUrl: server.url, accessToken }, { timeoutMs });
  const grant = (request: GrantRequest) => providerFor().grant(request, AbortSignal.timeout(PATIENT_MS));
  const refundsFor = ({ awardId }: GrantRequest) =>
    server.shopify.refunds.filter(({ note }) => note === `makegood award ${awardId}`);
  const creditsFor = ({ awardId }: GrantRequest) =>
    server.shopify.credits.filter(({ note }) => note === `makegood award ${awardId}`);

  test('a refund goes back to the payments of the order, as much to each as it holds, and no mail is sent', async () => {
    const request = grantRequest({ amount: usd(4_599) });
    expect(await grant(request)).toEqual({
      outcome: 'granted',
      receipt: { refund: expect.stringMatching(/^gid:\/\/shopify\/Refund\//) },
    });
    const common = { orderId: 'gid://shopify/Order/1', gateway: 'shopify_payments', kind: 'REFUND' };
    expect(refundsFor(request).map(({ input }) => input)).toEqual([
      {
        orderId: 'gid://shopify/Order/1',
        currency: 'USD',
        note: `makegood award ${request.awardId}`,
        notify: false,
        transactions: [
          { ...common, parentId: 'gid://shopify/OrderTransaction/1', amount: '40.00' },
          { ...common, parentId: 'gid://shopify/OrderTransaction/2', amount: '5.99' },
        ],
      },
    ]);
    const { path, body } = server.asked.at(-1) ?? { path: '', body: '{}' };
    expect(path).toBe('/admin/api/2026-10/graphql.json');
    expect(JSON.parse(body).variables.key).toBe(request.idempotencyKey);
  });

  test('shipping that comes back is booked as shipping', async () => {
    const request = grantRequest({ kind: 'shipping_refund', amount: usd(5) });
    await grant(request);
    expect(refundsFor(request)).toMatchObject([{ input: { shipping: { amount: '0.05' } } }]);
  });

  test('a credit ends when the award says, and bears its note', async () => {
    const expiresAt = new Date('2027-11-28T00:00:00Z');
    const request = grantRequest({ kind: 'store_credit', amount: usd(2_000), expiresAt });
    expect(await grant(request)).toMatchObject({ outcome: 'granted' });
    expect(creditsFor(request)).toMatchObject([
      { input: { creditAmount: { amount: '20.00', currencyCode: 'USD' }, expiresAt: '2027-11-28T00:00:00.000Z' } },
    ]);
  });

  describe.each(TROUBLE)('one of each when it %s', (_how, behaviours) => {
    const shape = [...behaviours.map(() => 'again'), 'granted'];

    test('refund, also when its key was forgotten meanwhile', async () => {
      const request = grantRequest();
      server.next(...behaviours);
      const outcomes = await grantUntilAnswered(providerFor, behaviours, request, () => server.shopify.forgetKeys());
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(shape);
      expect(refundsFor(request)).toHaveLength(1);
      expect(outcomes.at(-1)).toEqual({ outcome: 'granted', receipt: { refund: refundsFor(request)[0]?.id } });
    });

    test('credit, for which Shopify takes no key, also when others came in meanwhile', async () => {
      const request = grantRequest({ kind: 'store_credit', amount: usd(300) });
      server.next(...behaviours);
      const outcomes = await grantUntilAnswered(providerFor, behaviours, request, () => {
        for (let i = 0; i < 3; i++) {
          server.shopify.credits.push({ id: `other-${server.shopify.credits.length}`, note: null, input: {} });
        }
      });
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(shape);
      expect(creditsFor(request)).toHaveLength(1);
      expect(outcomes.at(-1)).toEqual({
        outcome: 'granted',
        receipt: { storeCreditTransaction: creditsFor(request)[0]?.id },
      });
    });
  });

  describe('is refused for good', () => {
    test.each([
      ['more than is left of the payments', { amount: usd(9_999) }, /less is left.*99\.99/],
      ['another currency than was paid', { amount: { amountMinor: 5, currency: 'EUR' } }, /paid in USD.*in EUR/],
      ['an order that is not there', { references: { shopify: { order: 'gid://shopify/Order/9' } } }, /knows no order/],
      ['a refund without an order', { references: {} }, /providerReferences\.shopify\.order/],
      [
        'a credit without a customer',
        { kind: 'store_credit', references: {} },
        /providerReferences\.shopify\.customer/,
      ],
      ['months', { kind: 'membership_extension', months: 1 }, /cannot carry out/],
    ] as [string, Partial<GrantRequest>, RegExp][])('%s', async (_what, changes, reason) => {
      const request = grantRequest(changes);
      expect(await grant(request)).toEqual({ outcome: 'refused', reason: expect.stringMatching(reason) });
      expect([...refundsFor(request), ...creditsFor(request)]).toEqual([]);
    });

    test.each(['refund', 'store_credit'] as const)('what Shopify says about a %s in userErrors', async (kind) => {
      server.shopify.refuseWith({ message: 'The amount is\ntoo large' }, { message: 'And it is late' });
      const request = grantRequest({ kind });
      expect(await grant(request)).toEqual({
        outcome: 'refused',
        reason: 'Shopify refused it: The amount is too large; And it is late',
      });
    });
  });

  describe('is asked again', () => {
    test('while an earlier request under the key is under way, by code and by word', async () => {
      for (const error of [
        { message: 'busy', code: 'IDEMPOTENCY_CONCURRENT_REQUEST' },
        { message: 'This request is currently in progress, please try again.' },
      ]) {
        server.shopify.refuseWith(error);
        expect(await grant(grantRequest({ attempt: 2 }))).toMatchObject({ outcome: 'again' });
      }
    });

    test('when nobody listens', async () => {
      const shopUrl = `http://127.0.0.1:${await freePort()}`;
      const down = createShopifyProvider({ shopUrl, accessToken: 'x' });
      expect(await down.grant(grantRequest(), AbortSignal.timeout(PATIENT_MS))).toMatchObject({ outcome: 'again' });
    });

    test('when our token is no good or lacks a scope: people mend that', async () => {
      const outcome = await providerFor(PATIENT_MS, 'shpat_wrong').grant(
        grantRequest(),
        AbortSignal.timeout(PATIENT_MS),
      );
      expect(outcome).toEqual({ outcome: 'again', reason: expect.stringContaining('SHOPIFY_ACCESS_TOKEN') });
      server.next({ say: 200, body: graphQl('ACCESS_DENIED') });
      expect(await grant(grantRequest())).toEqual({
        outcome: 'again',
        reason: expect.stringContaining('SHOPIFY_ACCESS_TOKEN'),
      });
    });
  });
});
