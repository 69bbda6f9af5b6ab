import type { Answer, Asked, StandIn } from './provider-server.js';

// biome-ignore lint/suspicious/noExplicitAny: the variables of a GraphQL request, whatever they are.
type Variables = any;

/** As much of Shopify's Admin API as carries out awards: `@idempotent` on refunds, no keys and notes on store credit. */
export interface ShopifyStandIn extends StandIn {
  readonly refunds: { id: string; note: string; input: Variables }[];
  readonly credits: { id: string; note: string | null; input: Variables }[];
  /** A day has passed: no key is known any more. */
  forgetKeys(): void;
  /** The next mutation answers these in place of doing anything. */
  refuseWith(...errors: { message: string; code?: string }[]): void;
}

export function shopifyStandIn(): ShopifyStandIn {
  const refunds: ShopifyStandIn['refunds'] = [];
  const credits: ShopifyStandIn['credits'] = [];
  const keys = new Map<string, string>();
  /** What is left to refund of each payment of the order, in its currency. */
  const refundable = ['40.00', '19.90'];
  let userErrors: { message: string; code?: string }[] = [];

  const operations: Record<string, (variables: Variables, version: string) => unknown> = {
    OrderToRefund: ({ order }) => ({
      order:
        order === 'gid://shopify/Order/1'
          ? {
              presentmentCurrencyCode: 'USD',
              refunds: refunds.map(({ id, note }) => ({ id, note })),
              suggestedRefund: {
                suggestedTransactions: refundable.map((amount, index) => ({
                  gateway: 'shopify_payments',
                  parentTransaction: { id: `gid://shopify/OrderTransaction/${index + 1}` },
                  maximumRefundableSet: { presentmentMoney: { amount } },
                })),
              },
            }
          : null,
    }),
    RefundAward: ({ input, key }) => {
      const refused = takeErrors();
      if (refused.length > 0) return { refundCreate: { refund: null, userErrors: refused } };
      const known = keys.get(key);
      const id = known ?? `gid://shopify/Refund/${refunds.length + 1}`;
      keys.set(key, id);
      if (!known) refunds.push({ id, note: input.note, input });
      return { refundCreate: { refund: { id }, userErrors: [] } };
    },
    CreditsOfCustomer: ({ after }) => {
      // Two a page, whatever is asked for.
      const start = Number(after ?? 0);
      const newest = [...credits].reverse();
      const transactions = {
        nodes: newest.slice(start, start + 2).map(({ id, note }) => ({ id, note })),
        pageInfo: { hasNextPage: start + 2 < newest.length, endCursor: String(start + 2) },
      };
      return { customer: { storeCreditAccounts: { nodes: [{ balance: { currencyCode: 'USD' }, transactions }] } } };
    },
    CreditAward: ({ input }, version) => {
      if (version < '2027-01' && 'note' in input)
        throw new Error('note is not defined on StoreCreditAccountCreditInput');
      const refused = takeErrors();
      if (refused.length > 0) {
        return { storeCreditAccountCredit: { storeCreditAccountTransaction: null, userErrors: refused } };
      }
      const id = `gid://shopify/StoreCreditAccountCreditTransaction/${credits.length + 1}`;
      credits.push({ id, note: input.note ?? null, input });
      return { storeCreditAccountCredit: { storeCreditAccountTransaction: { id }, userErrors: [] } };
    },
  };
  function takeErrors() {
    const taken = userErrors;
    userErrors = [];
    return taken.map((error) => ({ field: null, ...error }));
  }

  return {
    prefix: '/admin/api/',
    refunds,
    credits,
    forgetKeys: () => keys.clear(),
    refuseWith: (...errors) => {
      userErrors = errors;
    },
    moves: ({ body }) => body.includes('mutation '),
    answer({ headers, path, body }: Asked): Answer {
      if (headers['x-shopify-access-token'] !== 'shpat_award') return { status: 401, body: { errors: 'no' } };
      const { query, variables } = JSON.parse(body) as { query: string; variables: Variables };
      const version = path.split('/')[3] ?? '';
      const name = /^(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';
      // As since 2026-04: refused without a key.
      if (name === 'RefundAward' && !query.includes('@idempotent(key: $key)')) {
        return { status: 200, body: { errors: [{ message: 'an idempotency key is required' }] } };
      }
      try {
        return { status: 200, body: { data: operations[name]?.(variables, version) } };
      } catch (error) {
        return { status: 200, body: { errors: [{ message: (error as Error).message }] } };
      }
    },
  };
}
