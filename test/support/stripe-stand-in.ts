import { createHash } from 'node:crypto';
import type { Answer, Asked, StandIn } from './provider-server.js';

type Fields = Record<string, unknown>;

/** As much of Stripe as carries out awards: form-encoded requests, keys with their answers, lists, newest first. */
export interface StripeStandIn extends StandIn {
  readonly refunds: Fields[];
  readonly credits: Fields[];
  readonly subscriptions: Record<string, Fields>;
  readonly payments: Record<string, { currency: string; amount: number; refunded: number }>;
  /** A day has passed: no key is known any more. */
  forgetKeys(): void;
}

/** The months in the stand-in are those of the package's API version. */
const PERIOD_END = Math.floor(Date.parse('2027-01-31T10:00:00Z') / 1_000);

export function stripeStandIn(): StripeStandIn {
  const refunds: Fields[] = [];
  const credits: Fields[] = [];
  const keys = new Map<string, { hash: string; answer: Answer }>();
  const payments: StripeStandIn['payments'] = {
    pi_usd: { currency: 'usd', amount: 5_990, refunded: 0 },
    pi_eur: { currency: 'eur', amount: 5_990, refunded: 0 },
    pi_isk: { currency: 'isk', amount: 599_000, refunded: 0 },
  };
  const subscription = {
    id: 'sub_1',
    object: 'subscription',
    status: 'active',
    trial_end: null,
    metadata: {},
    items: { object: 'list', data: [{ id: 'si_1', object: 'subscription_item', current_period_end: PERIOD_END }] },
  };
  const subscriptions: Record<string, Fields> = { sub_1: subscription };

  function listed(all: readonly Fields[], path: string, query: URLSearchParams): Answer {
    // Two a page, whatever is asked for: whoever reads one page alone misses what is on the second.
    const newest = [...all].reverse();
    const start = newest.findIndex(({ id }) => id === query.get('starting_after')) + 1;
    const data = newest.slice(start, start + 2);
    return { status: 200, body: { object: 'list', url: path, data, has_more: start + 2 < newest.length } };
  }

  function execute({ method, path, query, body }: Asked): Answer {
    const form = new URLSearchParams(body);
    const metadata = Object.fromEntries(
      [...form].flatMap(([name, value]) => {
        const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
        return key === undefined ? [] : [[key, value] as const];
      }),
    );
    const [, , kind, id = '', below] = path.split('/');
    if (kind === 'refunds' && method === 'GET') {
      return listed(
        refunds.filter(({ payment_intent }) => payment_intent === query.get('payment_intent')),
        path,
        query,
      );
    }
    if (kind === 'refunds') {
      const payment = payments[form.get('payment_intent') ?? ''];
      const amount = Number(form.get('amount'));
      if (!payment) return error(404, 'invalid_request_error', 'No such payment_intent', 'resource_missing');
      if (payment.refunded + amount > payment.amount) {
        return error(400, 'invalid_request_error', 'Charge has already been refunded.', 'charge_already_refunded');
      }
      payment.refunded += amount;
      const made = {
        id: `re_${refunds.length + 1}`,
        object: 'refund',
        amount,
        currency: payment.currency,
        status: 'succeeded',
        payment_intent: form.get('payment_intent'),
        metadata,
      };
      refunds.push(made);
      return { status: 200, body: made };
    }
    if (kind === 'payment_intents') {
      const payment = payments[id];
      if (!payment) return error(404, 'invalid_request_error', `No such payment_intent: '${id}'`, 'resource_missing');
      return { status: 200, body: { id, object: 'payment_intent', currency: payment.currency } };
    }
    if (kind === 'customers' && below === 'balance_transactions') {
      if (method === 'GET') return listed(credits, path, query);
      const made = {
        id: `cbtxn_${credits.length + 1}`,
        object: 'customer_balance_transaction',
        amount: Number(form.get('amount')),
        currency: form.get('currency'),
        ending_balance: Number(form.get('amount')),
        customer: id,
        metadata,
      };
      credits.push(made);
      return { status: 200, body: made };
    }
    const found = kind === 'subscriptions' ? subscriptions[id] : undefined;
    if (!found) return error(404, 'invalid_request_error', `No such ${kind}: '${id}'`, 'resource_missing');
    if (method === 'POST') {
      found.trial_end = Number(form.get('trial_end'));
      const pairs = Object.entries({ ...(found.metadata as Fields), ...metadata });
      found.metadata = Object.fromEntries(pairs.filter(([, value]) => value !== ''));
    }
    return { status: 200, body: found };
  }

  return {
    prefix: '/v1/',
    refunds,
    credits,
    subscriptions,
    payments,
    forgetKeys: () => keys.clear(),
    moves: ({ method }) => method === 'POST',
    answer(asked) {
      if (asked.headers.authorization !== 'Bearer sk_test_award') {
        return error(401, 'invalid_request_error', 'Invalid API Key provided: sk_****');
      }
      const key = asked.headers['idempotency-key'];
      if (asked.method !== 'POST' || key === undefined) return execute(asked);
      const hash = createHash('sha256').update(`${asked.path} ${asked.body}`).digest('hex');
      const known = keys.get(key);
      if (known && known.hash !== hash) {
        return error(
          400,
          'idempotency_error',
          'Keys for idempotent requests can only be used with the same parameters',
        );
      }
      if (known) return { ...known.answer, headers: { 'idempotent-replayed': 'true' } };
      const answer = execute(asked);
      keys.set(key, { hash, answer: structuredClone(answer) });
      return answer;
    },
  };
}

function error(status: number, type: string, message: string, code?: string): Answer {
  return { status, body: { error: { type, message, code } } };
}
