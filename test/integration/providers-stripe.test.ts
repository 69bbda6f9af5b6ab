import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GrantRequest } from '../../src/awards/providers/provider.js';
import { createStripeProvider } from '../../src/awards/providers/stripe.js';
import { grantRequest, grantUntilAnswered, HASTY_MS, PATIENT_MS } from '../support/grant-request.js';
import { type Behaviour, type ProviderServer, startProviderServer } from '../support/provider-server.js';
import { freePort } from '../support/redis.js';

const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });

/** The ways in which the first request that moves money can go wrong. */
const TROUBLE: [string, Behaviour[]][] = [
  ['hangs', ['hang']],
  ['drops the connection', ['close']],
  ['does it, and drops the connection', ['pay-and-close']],
  ['does it, and drops the connection in its answer', ['pay-and-cut']],
  ['does it, and answers 500', ['pay-and-fail']],
  ['does it, and is too slow', [{ payAndWaitMs: 2 * HASTY_MS }]],
  [
    'fails, is busy, is locked',
    [
      { say: 500, body: '{"error":{}}' },
      { say: 429, body: '{"error":{"code":"lock_timeout"}}' },
    ],
  ],
  ['is still at it', [{ say: 409, body: '{"error":{"type":"idempotency_error","code":"idempotency_key_in_use"}}' }]],
  ['answers 500 with JSON that names no error', [{ say: 500, body: '{}' }]],
  ['answers 200 with something else', [{ say: 200, body: '{"object":"list","data":[]}' }]],
  ['redirects', [{ say: 302, headers: { location: 'https://example.com' }, body: '{}' }]],
];

describe('Stripe', () => {
  let server: ProviderServer;
  beforeAll(async () => {
    server = await startProviderServer();
  });
  afterAll(() => server.stop());

  const providerFor = (timeoutMs = PATIENT_MS, apiKey = 'sk_test_award') =>
    createStripeProvider({ apiKey, apiUrl: server.url }, { timeoutMs });
  const grant = (request: GrantRequest) => providerFor().grant(request, AbortSignal.timeout(PATIENT_MS));
  const refundsFor = ({ awardId }: GrantRequest) =>
    server.stripe.refunds.filter(({ metadata }) => (metadata as { award?: string }).award === awardId);
  const creditsFor = ({ awardId }: GrantRequest) =>
    server.stripe.credits.filter(({ metadata }) => (metadata as { award?: string }).award === awardId);
  /** Others that came in meanwhile, so that ours is on a later page. */
  const others = (list: Record<string, unknown>[], fields: object) => {
    for (let i = 0; i < 3; i++) list.push({ id: `other_${list.length}`, metadata: {}, ...fields });
  };

  describe.each<[GrantRequest['kind']]>([['refund'], ['shipping_refund']])('%s', (kind) => {
    test('gives the payment back, with the key, the award and the order on it', async () => {
      const request = grantRequest({ kind, amount: usd(10) });
      expect(await grant(request)).toEqual({
        outcome: 'granted',
        receipt: { refund: expect.any(String), amount: 10, currency: 'usd', status: 'succeeded' },
      });
      expect(refundsFor(request)).toMatchObject([
        { amount: 10, payment_intent: 'pi_usd', metadata: { award: request.awardId, order: 'o-1' } },
      ]);
      expect(server.asked.at(-1)?.headers).toMatchObject({
        'idempotency-key': request.idempotencyKey,
        'stripe-version': '2026-10-28.endive',
      });
      expect(server.asked.at(-1)?.headers).not.toHaveProperty('x-stripe-client-telemetry');
    });
  });

  describe.each(TROUBLE)('one of each when it %s', (_how, behaviours) => {
    const shape = [...behaviours.map(() => 'again'), 'granted'];

    test('refund, also when its key was forgotten meanwhile', async () => {
      const request = grantRequest({ amount: usd(10) });
      server.next(...behaviours);
      const outcomes = await grantUntilAnswered(providerFor, behaviours, request, () => {
        others(server.stripe.refunds, { payment_intent: 'pi_usd', object: 'refund' });
        server.stripe.forgetKeys();
      });
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(shape);
      expect(refundsFor(request)).toHaveLength(1);
      expect(outcomes.at(-1)).toMatchObject({ receipt: { refund: refundsFor(request)[0]?.id } });
    });

    test('credit, also when its key was forgotten meanwhile', async () => {
      const request = grantRequest({ kind: 'store_credit', amount: usd(2_000) });
      server.next(...behaviours);
      const outcomes = await grantUntilAnswered(providerFor, behaviours, request, () => {
        others(server.stripe.credits, { object: 'customer_balance_transaction' });
        server.stripe.forgetKeys();
      });
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(shape);
      expect(creditsFor(request)).toMatchObject([{ amount: -2_000, currency: 'usd', customer: 'cus_1' }]);
    });

    test('month of membership, also when its key was forgotten meanwhile', async () => {
      const before = endOf(server.stripe.subscriptions.sub_1 ?? {});
      const request = grantRequest({ kind: 'membership_extension', amount: null, months: 1 });
      server.next(...behaviours);
      const outcomes = await grantUntilAnswered(providerFor, behaviours, request, () => server.stripe.forgetKeys());
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(shape);
      const after = endOf(server.stripe.subscriptions.sub_1 ?? {});
      expect(monthsBetween(before, after)).toBe(1);
      expect(outcomes.at(-1)).toEqual({ outcome: 'granted', receipt: { subscription: 'sub_1', trialEnd: after } });
    });
  });

  describe('membership', () => {
    test('the end of January moves to the end of February, and no further when it is asked again', async () => {
      server.stripe.subscriptions.sub_feb = subscription('sub_feb', Date.parse('2027-01-31T10:00:00Z') / 1_000);
      const references = { stripe: { subscription: 'sub_feb' } };
      const request = grantRequest({ kind: 'membership_extension', amount: null, months: 1, references });
      const first = await grant(request);
      const again = await grant({ ...request, attempt: 2 });
      const until = Date.parse('2027-02-28T10:00:00Z') / 1_000;
      expect(first).toEqual({ outcome: 'granted', receipt: { subscription: 'sub_feb', trialEnd: until } });
      expect(again).toEqual(first);
      expect(server.stripe.subscriptions.sub_feb).toMatchObject({ trial_end: until });
    });

    test('a period that is over counts from now, not from its end', async () => {
      server.stripe.subscriptions.sub_old = subscription('sub_old', Date.parse('2020-01-01T00:00:00Z') / 1_000);
      const references = { stripe: { subscription: 'sub_old' } };
      await grant(grantRequest({ kind: 'membership_extension', amount: null, months: 1, references }));
      const days = (Number(server.stripe.subscriptions.sub_old?.trial_end) * 1_000 - Date.now()) / 86_400_000;
      expect(days).toBeGreaterThan(27);
      expect(days).toBeLessThan(32);
    });

    test('marks of old extensions make room, and what the shop keeps on the subscription stays', async () => {
      server.stripe.subscriptions.sub_many = {
        ...subscription('sub_many', Date.parse('2027-01-01T00:00:00Z') / 1_000),
        metadata: {
          plan: 'gold',
          ...Object.fromEntries(
            Array.from({ length: 30 }, (_, i) => [`award_${String(i).padStart(32, '0')}`, String(1_000 + i)]),
          ),
        },
      };
      const references = { stripe: { subscription: 'sub_many' } };
      await grant(grantRequest({ kind: 'membership_extension', amount: null, months: 1, references }));
      const kept = Object.keys(server.stripe.subscriptions.sub_many?.metadata as object);
      expect(kept).toContain('plan');
      expect(kept.filter((key) => key.startsWith('award_'))).toHaveLength(24);
      expect(kept).toContain(`award_${'29'.padStart(32, '0')}`);
      expect(kept).not.toContain(`award_${'0'.padStart(32, '0')}`);
    });
  });

  describe('is refused for good', () => {
    test.each([
      ['what is paid back already', { amount: usd(999_999) }, /already been refunded.*charge_already_refunded/],
      [
        'a payment that is not there',
        { references: { stripe: { paymentIntent: 'pi_nobody' } } },
        /No such payment_intent/,
      ],
      ['another currency than the payment', { references: { stripe: { paymentIntent: 'pi_eur' } } }, /EUR.*USD/],
      ['a refund without a payment', { references: {} }, /providerReferences\.stripe\.paymentIntent/],
      [
        'a credit without a customer',
        { kind: 'store_credit', references: { stripe: {} } },
        /providerReferences\.stripe\.customer/,
      ],
      [
        'months without a subscription',
        { kind: 'membership_extension', months: 1, references: { stripe: null } },
        /providerReferences\.stripe\.subscription/,
      ],
      ['a parcel', { kind: 'replacement' }, /cannot carry out/],
    ] as [string, Partial<GrantRequest>, RegExp][])('%s', async (_what, changes, reason) => {
      const request = grantRequest(changes);
      const outcome = await grant(request);
      expect(outcome).toEqual({ outcome: 'refused', reason: expect.stringMatching(reason) });
      expect(refundsFor(request)).toEqual([]);
    });

    test('a refund that Stripe made and that failed', async () => {
      server.next({
        say: 200,
        body: '{"id":"re_x","object":"refund","status":"failed","failure_reason":"lost_or_stolen_card"}',
      });
      expect(await grant(grantRequest())).toEqual({
        outcome: 'refused',
        reason: 'the refund re_x is failed: lost_or_stolen_card',
      });
    });
  });

  describe('is asked again', () => {
    test('when nobody listens', async () => {
      const apiUrl = `http://127.0.0.1:${await freePort()}`;
      const down = createStripeProvider({ apiKey: 'sk_test_award', apiUrl });
      expect(await down.grant(grantRequest(), AbortSignal.timeout(PATIENT_MS))).toMatchObject({ outcome: 'again' });
    });

    test('when our key is no good: people mend that, and the reason says what', async () => {
      const outcome = await providerFor(PATIENT_MS, 'sk_test_wrong').grant(
        grantRequest(),
        AbortSignal.timeout(PATIENT_MS),
      );
      expect(outcome).toEqual({ outcome: 'again', reason: expect.stringContaining('STRIPE_API_KEY') });
    });

    test('not before Retry-After', async () => {
      server.next({ say: 429, headers: { 'retry-after': '9' }, body: '{"error":{}}' });
      expect(await grant(grantRequest())).toMatchObject({ outcome: 'again', afterS: 9 });
    });

    test('while Stripe remembers another request under the key; once it forgot, it is carried out once', async () => {
      const request = grantRequest({ amount: usd(11) });
      // An attempt that came to nothing under this key, with another payment.
      await grant({ ...request, references: { stripe: { paymentIntent: 'pi_usd' } }, amount: usd(999_999) });
      const inTheWay = await grant({ ...request, attempt: 2 });
      expect(inTheWay).toEqual({ outcome: 'again', reason: expect.stringContaining('remembers another request') });
      server.stripe.forgetKeys();
      expect(await grant({ ...request, attempt: 3 })).toMatchObject({ outcome: 'granted' });
      expect(refundsFor(request)).toHaveLength(1);
    });
  });

  test('krónur, which Stripe counts in hundredths, are given back as they were paid', async () => {
    const references = { stripe: { paymentIntent: 'pi_isk' } };
    const request = grantRequest({ amount: { amountMinor: 500, currency: 'ISK' }, references });
    await grant(request);
    expect(refundsFor(request)).toMatchObject([{ amount: 50_000, currency: 'isk' }]);
  });
});

function subscription(id: string, periodEnd: number): Record<string, unknown> {
  return {
    id,
    object: 'subscription',
    status: 'active',
    trial_end: null,
    metadata: {},
    items: { object: 'list', data: [{ id: 'si_1', object: 'subscription_item', current_period_end: periodEnd }] },
  };
}
function endOf(one: Record<string, unknown>): number {
  const items = one.items as { data: { current_period_end: number }[] };
  return (one.trial_end as number | null) ?? items.data[0]?.current_period_end ?? 0;
}
function monthsBetween(from: number, until: number): number {
  const [one, other] = [new Date(from * 1_000), new Date(until * 1_000)];
  return (other.getUTCFullYear() - one.getUTCFullYear()) * 12 + other.getUTCMonth() - one.getUTCMonth();
}
