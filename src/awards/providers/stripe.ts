import { tz } from '@date-fns/tz';
import { addMonths } from 'date-fns';
import Stripe from 'stripe';
import type { Money } from '../../money.js';
import { retryAfterS, tidyText } from './answer-text.js';
import {
  GRANT_TIMEOUT_MS,
  type GrantOutcome,
  type GrantRequest,
  type Provider,
  type ProviderOptions,
} from './provider.js';

/** The version whose answers this file was written for; it is the one of the package, whose types say so. */
const API_VERSION = '2026-10-28.endive';

/** How many of the newest objects are looked through for one that an earlier attempt left. No customer has as many. */
const MOST_LOOKED_AT = 1_000;

/** Subscriptions hold 50 pairs in all. So many of ours are two years of the most that the default policy gives. */
const MOST_MARKS = 24;

/**
 * Stripe: refunds of the payment, credit on the customer's balance, and months as a longer trial of the subscription.
 * Every request bears the award's key; as Stripe forgets keys after a day, each thing also bears the award's id, and is
 * looked for before a second attempt.
 */
export function createStripeProvider(
  config: { readonly apiKey: string; readonly apiUrl: string },
  { timeoutMs = GRANT_TIMEOUT_MS }: ProviderOptions = {},
): Provider {
  const { hostname, port, protocol } = new URL(config.apiUrl);
  const connect = (until: AbortSignal) =>
    new Stripe(config.apiKey, {
      apiVersion: API_VERSION,
      host: hostname,
      port: port === '' ? (protocol === 'http:' ? 80 : 443) : port,
      protocol: protocol === 'http:' ? 'http' : 'https',
      // Trying again is the stage's, which writes down that it does.
      maxNetworkRetries: 0,
      timeout: timeoutMs,
      telemetry: false,
      httpClient: Stripe.createFetchHttpClient(((url: string, init: RequestInit) => {
        const signals = init.signal ? [init.signal, until] : [until];
        return fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.any(signals) });
      }) as typeof fetch),
    });
  return {
    name: 'stripe',
    async grant(request, signal) {
      const stripe = connect(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      try {
        switch (request.kind) {
          case 'refund':
          case 'shipping_refund':
            return await refund(stripe, request);
          case 'store_credit':
            return await credit(stripe, request);
          case 'membership_extension':
            return await extend(stripe, request);
          default:
            return { outcome: 'refused', reason: `Stripe cannot carry out a ${request.kind}` };
        }
      } catch (error) {
        return outcomeOfError(error);
      }
    },
  };
}

async function refund(stripe: Stripe, request: GrantRequest): Promise<GrantOutcome> {
  const { amount, references, attempt, idempotencyKey } = request;
  const payment = references.stripe?.paymentIntent;
  if (!payment) return missing('paymentIntent', 'the payment to refund');
  if (!amount) return { outcome: 'refused', reason: 'a refund without an amount' };
  if (attempt > 1) {
    const done = await findMarked(stripe.refunds.list({ payment_intent: payment, limit: 100 }), request, isAlive);
    if (done) return granted(receiptOfRefund(done));
  }
  // Stripe takes the amount for one in the currency of the payment, whichever was meant.
  const { currency } = sound(await stripe.paymentIntents.retrieve(payment), 'payment_intent');
  if (currency.toUpperCase() !== amount.currency) {
    return {
      outcome: 'refused',
      reason: `the payment was made in ${currency.toUpperCase()}, and the award is in ${amount.currency}`,
    };
  }
  const made = sound(
    await stripe.refunds.create(
      { payment_intent: payment, amount: toStripe(amount), metadata: marksOf(request) },
      { idempotencyKey },
    ),
    'refund',
  );
  if (isAlive(made)) return granted(receiptOfRefund(made));
  return { outcome: 'refused', reason: tidyText(`the refund ${made.id} is ${made.status}: ${made.failure_reason}`) };
}

/** A refund that failed or was cancelled gave nothing back. */
function isAlive({ status }: Stripe.Refund): boolean {
  return status !== 'failed' && status !== 'canceled';
}

async function credit(stripe: Stripe, request: GrantRequest): Promise<GrantOutcome> {
  const { amount, references, attempt, idempotencyKey } = request;
  const customer = references.stripe?.customer;
  if (!customer) return missing('customer', 'the customer to credit');
  if (!amount) return { outcome: 'refused', reason: 'a credit without an amount' };
  if (attempt > 1) {
    const done = await findMarked(stripe.customers.listBalanceTransactions(customer, { limit: 100 }), request);
    if (done) return granted(receiptOfCredit(done));
  }
  const made = await stripe.customers.createBalanceTransaction(
    customer,
    {
      // What is below nothing on a balance is owed to the customer.
      amount: -toStripe(amount),
      currency: amount.currency.toLowerCase(),
      metadata: marksOf(request),
    },
    { idempotencyKey },
  );
  return granted(receiptOfCredit(sound(made, 'customer_balance_transaction')));
}

/**
 * The end of the trial and the mark that says so change in one request: where the mark is, the months were given, and it
 * holds until when. So the target is computed once, whatever has moved since.
 */
async function extend(stripe: Stripe, request: GrantRequest): Promise<GrantOutcome> {
  const { months, references, idempotencyKey } = request;
  const id = references.stripe?.subscription;
  if (!id) return missing('subscription', 'the subscription to extend');
  if (months === null) return { outcome: 'refused', reason: 'an extension without months' };
  const subscription = sound(await stripe.subscriptions.retrieve(id), 'subscription');
  const mark = markOf(request);
  const target = subscription.metadata[mark];
  if (target !== undefined) return granted({ subscription: id, trialEnd: Number(target) });

  const now = Math.floor(Date.now() / 1_000);
  const periodEnds = subscription.items.data.map(({ current_period_end }) => current_period_end);
  const from = Math.max(now, subscription.trial_end ?? 0, ...periodEnds);
  const until = Math.floor(addMonths(from * 1_000, months, { in: tz('UTC') }).getTime() / 1_000);
  const changed = await stripe.subscriptions.update(
    id,
    {
      trial_end: until,
      proration_behavior: 'none',
      metadata: { ...staleMarks(subscription.metadata), [mark]: String(until) },
    },
    { idempotencyKey },
  );
  return granted({ subscription: sound(changed, 'subscription').id, trialEnd: until });
}

/** Named so that any award of ours on a subscription is told from what the shop keeps there; Stripe takes 40 characters. */
const MARK = /^award_[0-9a-f]{32}$/;
function markOf({ awardId }: GrantRequest): string {
  return `award_${awardId.replaceAll('-', '')}`;
}

/** The marks that go, so that there is room for one more: those that ended first. An empty value takes a pair away. */
function staleMarks(metadata: Stripe.Metadata): Record<string, ''> {
  const marks = Object.keys(metadata).filter((key) => MARK.test(key));
  marks.sort((one, other) => Number(metadata[other]) - Number(metadata[one]));
  return Object.fromEntries(marks.slice(MOST_MARKS - 1).map((key) => [key, '' as const]));
}

function marksOf({ awardId, orderId }: GrantRequest): Record<string, string> {
  return { award: awardId, order: orderId };
}

interface Marked {
  readonly metadata: Stripe.Metadata | null;
}

/** What an earlier attempt left, newest first. @throws when there is too much to tell */
async function findMarked<T extends Marked>(
  list: AsyncIterable<T>,
  { awardId }: GrantRequest,
  counts: (one: T) => boolean = () => true,
): Promise<T | null> {
  let seen = 0;
  for await (const one of list) {
    if (one.metadata?.award === awardId && counts(one)) return one;
    if (++seen === MOST_LOOKED_AT) throw new Unclear('there is too much to look through for an earlier attempt');
  }
  return null;
}

/** An answer that is none: it says neither yes nor no. */
class Unclear extends Error {}

/** The package takes any JSON without an `error` for a success, whatever the status was: what moves money is looked at. */
function sound<T extends { readonly object: string; readonly id: string }>(
  answer: Stripe.Response<T>,
  object: T['object'],
): T {
  const { statusCode } = answer.lastResponse;
  if (statusCode >= 300 || answer.object !== object || typeof answer.id !== 'string') {
    throw new Unclear(`Stripe answered ${statusCode} without a ${object}`);
  }
  return answer;
}

function receiptOfRefund({ id, amount, currency, status }: Stripe.Refund): Record<string, unknown> {
  return { refund: id, amount, currency, status };
}
function receiptOfCredit(made: Stripe.CustomerBalanceTransaction): Record<string, unknown> {
  const { id, amount, currency, ending_balance } = made;
  return { balanceTransaction: id, amount, currency, endingBalance: ending_balance };
}
function granted(receipt: Record<string, unknown>): GrantOutcome {
  return { outcome: 'granted', receipt };
}
function missing(field: string, what: string): GrantOutcome {
  return {
    outcome: 'refused',
    reason: `the order does not say which is ${what} at Stripe: give providerReferences.stripe.${field} with PUT /v1/orders/{id}`,
  };
}

/** Currencies without minor units that Stripe, for old times' sake, counts in hundredths (docs.stripe.com/currencies, 2026-11). */
const COUNTED_IN_HUNDREDTHS = ['ISK', 'UGX'];
function toStripe({ amountMinor, currency }: Money): number {
  return COUNTED_IN_HUNDREDTHS.includes(currency) ? amountMinor * 100 : amountMinor;
}

/** By the kind of the error, not by its words. What is not about the request itself may be otherwise the next time. */
function outcomeOfError(error: unknown): GrantOutcome {
  if (error instanceof Unclear) return { outcome: 'again', reason: error.message };
  if (!(error instanceof Stripe.errors.StripeError)) return { outcome: 'again', reason: 'Stripe could not be asked' };
  const said = tidyText(error.message);
  const { code, headers } = error;
  switch (error.type) {
    case 'StripeCardError':
    case 'StripeInvalidRequestError': {
      if (code === 'lock_timeout') break;
      const old = headers?.['idempotent-replayed'] === 'true';
      return {
        outcome: 'refused',
        reason: `Stripe refused it: ${said}${code ? ` (${code})` : ''}${old ? '. It repeats what it answered before, for a day' : ''}`,
      };
    }
    case 'StripeAuthenticationError':
    case 'StripePermissionError':
      return {
        outcome: 'again',
        reason: `Stripe does not let us: ${said}. STRIPE_API_KEY needs a key that may do this; it is tried again until then`,
      };
    case 'StripeIdempotencyError':
      return {
        outcome: 'again',
        reason: `Stripe remembers another request under the key of this award, for a day: ${said}`,
      };
    case 'StripeConnectionError':
      return { outcome: 'again', reason: `Stripe did not answer: ${said}` };
  }
  const afterS = retryAfterS(headers?.['retry-after'], new Date());
  return {
    outcome: 'again',
    reason: `Stripe answered ${error.statusCode ?? 'nothing of use'}${code ? ` (${code})` : ''}`,
    ...(afterS === undefined ? {} : { afterS }),
  };
}
