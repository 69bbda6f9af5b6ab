import { type AdminApiClient, createAdminApiClient } from '@shopify/admin-api-client';
import { digitsOf, type Money } from '../../money.js';
import { retryAfterS, tidyText } from './answer-text.js';
import {
  GRANT_TIMEOUT_MS,
  type GrantOutcome,
  type GrantRequest,
  type Provider,
  type ProviderOptions,
} from './provider.js';

/** Stable since 2026-10-01. Since 2026-04 `refundCreate` is refused without `@idempotent`; Shopify keeps its keys for 24 hours. */
const API_VERSION = '2026-10';
/**
 * The first version in which a store credit bears a note (a release candidate since October 2026, stable on 2027-01-01).
 * `storeCreditAccountCredit` takes no key, so without a note a credit whose answer was lost could not be told from another.
 */
const API_VERSION_WITH_NOTES = '2027-01';

/** Pages of 100 transactions that are looked through for a credit. No customer has as many. */
const MOST_PAGES = 20;

/**
 * Shopify, through its GraphQL Admin API: refunds of the order, and store credit of the customer. Whatever is made bears
 * the note `makegood award <id>`, and is looked for before a second attempt.
 */
export function createShopifyProvider(
  config: { readonly shopUrl: string; readonly accessToken: string },
  { timeoutMs = GRANT_TIMEOUT_MS }: ProviderOptions = {},
): Provider {
  const connect = (until: AbortSignal): AdminApiClient =>
    createAdminApiClient({
      storeDomain: config.shopUrl,
      apiVersion: API_VERSION,
      accessToken: config.accessToken,
      // Trying again is the stage's, which writes down that it does.
      retries: 0,
      customFetchApi: (url, init) => {
        // The client knows https alone; a stand-in for Shopify speaks http.
        const { pathname } = new URL(url);
        const { method, headers, body } = init ?? {};
        return fetch(new URL(pathname, config.shopUrl), {
          ...(method === undefined ? {} : { method }),
          ...(headers === undefined ? {} : { headers: headers as Record<string, string> }),
          ...(body === undefined ? {} : { body }),
          redirect: 'manual',
          signal: until,
        });
      },
    });
  return {
    name: 'shopify',
    async grant(request, signal) {
      const client = connect(AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
      try {
        switch (request.kind) {
          case 'refund':
          case 'shipping_refund':
            return await refund(client, request);
          case 'store_credit':
            return await credit(client, request);
          default:
            return { outcome: 'refused', reason: `Shopify cannot carry out a ${request.kind}` };
        }
      } catch (error) {
        if (error instanceof Again) return error.outcome;
        return { outcome: 'again', reason: 'Shopify answered something that could not be read' };
      }
    },
  };
}

const ORDER_TO_REFUND = `query OrderToRefund($order: ID!) {
  order(id: $order) {
    presentmentCurrencyCode
    refunds(first: 250) { id note }
    suggestedRefund(suggestFullRefund: true) {
      suggestedTransactions {
        gateway
        parentTransaction { id }
        maximumRefundableSet { presentmentMoney { amount } }
      }
    }
  }
}`;

interface OrderToRefund {
  readonly order: {
    readonly presentmentCurrencyCode: string;
    readonly refunds: readonly { readonly id: string; readonly note: string | null }[];
    readonly suggestedRefund: { readonly suggestedTransactions: readonly SuggestedTransaction[] } | null;
  } | null;
}
interface SuggestedTransaction {
  readonly gateway: string | null;
  readonly parentTransaction: { readonly id: string } | null;
  readonly maximumRefundableSet: { readonly presentmentMoney: { readonly amount: string } } | null;
}

const REFUND = `mutation RefundAward($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id note totalRefundedSet { presentmentMoney { amount currencyCode } } }
    userErrors { field message }
  }
}`;

interface UserError {
  readonly field: readonly string[] | null;
  readonly message: string;
  readonly code?: string | null;
}
interface RefundAnswer {
  readonly refundCreate: {
    readonly refund: { readonly id: string } | null;
    readonly userErrors: readonly UserError[];
  } | null;
}

async function refund(client: AdminApiClient, request: GrantRequest): Promise<GrantOutcome> {
  const { amount, references, attempt, kind } = request;
  const order = references.shopify?.order;
  if (!order) return missing('order', 'the order to refund');
  if (!amount) return { outcome: 'refused', reason: 'a refund without an amount' };
  const { order: found } = await ask<OrderToRefund>(client, ORDER_TO_REFUND, { order });
  if (!found) return { outcome: 'refused', reason: `Shopify knows no order ${tidyText(order)}` };
  const done = attempt > 1 ? found.refunds.find(({ note }) => note === noteOf(request)) : undefined;
  if (done) return { outcome: 'granted', receipt: { refund: done.id } };
  if (found.presentmentCurrencyCode !== amount.currency) {
    return {
      outcome: 'refused',
      reason: `the order was paid in ${found.presentmentCurrencyCode}, and the award is in ${amount.currency}`,
    };
  }
  const transactions = spread(order, amount, found.suggestedRefund?.suggestedTransactions ?? []);
  if (!transactions) {
    return { outcome: 'refused', reason: `of the order less is left to refund than ${toDecimal(amount)}` };
  }
  const input = {
    orderId: order,
    currency: amount.currency,
    note: noteOf(request),
    // Our letter tells it.
    notify: false,
    transactions,
    ...(kind === 'shipping_refund' ? { shipping: { amount: toDecimal(amount) } } : {}),
  };
  const { refundCreate } = await ask<RefundAnswer>(client, REFUND, { input, key: request.idempotencyKey });
  return settle(refundCreate?.userErrors, refundCreate?.refund?.id, 'refund');
}

/** What goes back to which payment, the first ones first; null when they hold less than the amount. */
function spread(
  orderId: string,
  { amountMinor, currency }: Money,
  suggested: readonly SuggestedTransaction[],
): Record<string, string>[] | null {
  let left = amountMinor;
  const transactions: Record<string, string>[] = [];
  for (const { gateway, parentTransaction, maximumRefundableSet } of suggested) {
    const most = Math.round(Number(maximumRefundableSet?.presentmentMoney.amount ?? 0) * 10 ** digitsOf(currency));
    const part = Math.min(left, most);
    if (part <= 0 || !parentTransaction || !gateway) continue;
    left -= part;
    const decimal = toDecimal({ amountMinor: part, currency });
    transactions.push({ orderId, gateway, kind: 'REFUND', parentId: parentTransaction.id, amount: decimal });
  }
  return left === 0 ? transactions : null;
}

const CREDITS_OF_CUSTOMER = `query CreditsOfCustomer($customer: ID!, $after: String) {
  customer(id: $customer) {
    storeCreditAccounts(first: 50) {
      nodes {
        balance { currencyCode }
        transactions(first: 100, after: $after, reverse: true) {
          nodes { ... on StoreCreditAccountCreditTransaction { id note } }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
}`;

interface CreditsOfCustomer {
  readonly customer: {
    readonly storeCreditAccounts: {
      readonly nodes: readonly {
        readonly balance: { readonly currencyCode: string };
        readonly transactions: {
          readonly nodes: readonly { readonly id?: string; readonly note?: string | null }[];
          readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
        };
      }[];
    };
  } | null;
}

const CREDIT = `mutation CreditAward($customer: ID!, $input: StoreCreditAccountCreditInput!) {
  storeCreditAccountCredit(id: $customer, creditInput: $input) {
    storeCreditAccountTransaction { id }
    userErrors { field message code }
  }
}`;

interface CreditAnswer {
  readonly storeCreditAccountCredit: {
    readonly storeCreditAccountTransaction: { readonly id: string } | null;
    readonly userErrors: readonly UserError[];
  } | null;
}

async function credit(client: AdminApiClient, request: GrantRequest): Promise<GrantOutcome> {
  const { amount, references, attempt, expiresAt } = request;
  const customer = references.shopify?.customer;
  if (!customer) return missing('customer', 'the customer to credit');
  if (!amount) return { outcome: 'refused', reason: 'a credit without an amount' };
  const done = attempt > 1 ? await findCredit(client, customer, amount.currency, noteOf(request)) : null;
  if (done) return { outcome: 'granted', receipt: { storeCreditTransaction: done } };
  const input = {
    creditAmount: { amount: toDecimal(amount), currencyCode: amount.currency },
    note: noteOf(request),
    ...(expiresAt ? { expiresAt: expiresAt.toISOString() } : {}),
  };
  const variables = { customer, input };
  const { storeCreditAccountCredit: answer } = await ask<CreditAnswer>(
    client,
    CREDIT,
    variables,
    API_VERSION_WITH_NOTES,
  );
  return settle(answer?.userErrors, answer?.storeCreditAccountTransaction?.id, 'storeCreditTransaction');
}

/** The credit that an earlier attempt made, newest first. There is one account a currency. */
async function findCredit(
  client: AdminApiClient,
  customer: string,
  currency: string,
  note: string,
): Promise<string | null> {
  let after: string | null = null;
  for (let page = 0; page < MOST_PAGES; page++) {
    const variables: Record<string, unknown> = { customer, after };
    const answer: CreditsOfCustomer = await ask(client, CREDITS_OF_CUSTOMER, variables, API_VERSION_WITH_NOTES);
    const accounts = answer.customer?.storeCreditAccounts.nodes ?? [];
    const account = accounts.find(({ balance }) => balance.currencyCode === currency);
    const found = account?.transactions.nodes.find((one) => one.note === note);
    if (found?.id) return found.id;
    if (!account?.transactions.pageInfo.hasNextPage) return null;
    after = account.transactions.pageInfo.endCursor;
  }
  throw new Again('there is too much to look through for an earlier attempt');
}

/** Codes by which Shopify says that an earlier request under the key is still under way, or came to nothing. */
const KEY_IS_BUSY = ['IDEMPOTENCY_CONCURRENT_REQUEST', 'IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED'];
/** The same where the mutation's errors bear no codes. */
const BUSY_MESSAGE = 'currently in progress';

function settle(errors: readonly UserError[] | undefined, id: string | undefined, what: string): GrantOutcome {
  const [first] = errors ?? [];
  if (!first) {
    if (id) return { outcome: 'granted', receipt: { [what]: id } };
    return { outcome: 'again', reason: 'Shopify answered with neither a result nor an error' };
  }
  if (KEY_IS_BUSY.includes(first.code ?? '') || first.message.includes(BUSY_MESSAGE)) {
    return { outcome: 'again', reason: `Shopify is still at an earlier request: ${tidyText(first.message)}` };
  }
  const said = (errors ?? []).map(({ field, message }) => (field ? `${field.join('.')}: ${message}` : message));
  return { outcome: 'refused', reason: tidyText(`Shopify refused it: ${said.join('; ')}`) };
}

/** What ends an attempt without an answer. */
class Again extends Error {
  readonly outcome: GrantOutcome;
  constructor(reason: string, afterS?: number) {
    super(reason);
    this.outcome = { outcome: 'again', reason, ...(afterS === undefined ? {} : { afterS }) };
  }
}

/** @throws Again when there is no answer: Shopify refuses by `userErrors` alone, everything else is no word on the award */
async function ask<T>(
  client: AdminApiClient,
  operation: string,
  variables: Record<string, unknown>,
  apiVersion = API_VERSION,
): Promise<T> {
  const { data, errors } = await client.request<T>(operation, { variables, apiVersion });
  if (!errors) {
    if (!data) throw new Again('Shopify answered nothing');
    return data as T;
  }
  const { networkStatusCode: status, graphQLErrors, response } = errors;
  const [first] = graphQLErrors ?? [];
  const code = (first as { extensions?: { code?: unknown } } | undefined)?.extensions?.code;
  const afterS = retryAfterS(response?.headers.get('retry-after'), new Date());
  if (status === undefined) throw new Again('Shopify did not answer');
  if (status === 401 || status === 403 || code === 'ACCESS_DENIED') {
    throw new Again(
      'Shopify does not let us: SHOPIFY_ACCESS_TOKEN needs the scopes for orders and store credit; it is tried again until then',
    );
  }
  if (code === 'THROTTLED') throw new Again('Shopify is asked too often', afterS);
  const said = first ? `: ${tidyText(String(first.message ?? ''))}` : '';
  throw new Again(`Shopify answered ${status}${said}`, afterS);
}

function noteOf({ awardId }: GrantRequest): string {
  return `makegood award ${awardId}`;
}

function missing(field: string, what: string): GrantOutcome {
  return {
    outcome: 'refused',
    reason: `the order does not say which is ${what} at Shopify: give providerReferences.shopify.${field} with PUT /v1/orders/{id}`,
  };
}

/** Minor units as the decimal number that Shopify takes: 599 cents are 5.99, 500 yen are 500. */
function toDecimal({ amountMinor, currency }: Money): string {
  const digits = digitsOf(currency);
  if (digits === 0) return String(amountMinor);
  const padded = String(amountMinor).padStart(digits + 1, '0');
  return `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}
