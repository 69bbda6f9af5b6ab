import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { type ShopifyStandIn, shopifyStandIn } from './shopify-stand-in.js';
import { type StripeStandIn, stripeStandIn } from './stripe-stand-in.js';

/** What the server does with the next request that would move money. Without one it pays and says so. */
export type Behaviour =
  /** Says this and pays nothing. */
  | { readonly say: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Never answers, and pays nothing. */
  | 'hang'
  /** Drops the connection, and pays nothing. */
  | 'close'
  /** Pays, and drops the connection before it answers. */
  | 'pay-and-close'
  /** Pays, and drops the connection in the middle of its answer. */
  | 'pay-and-cut'
  /** Pays, and answers 500. */
  | 'pay-and-fail'
  /** Pays, and answers after so many milliseconds. */
  | { readonly payAndWaitMs: number };

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}
/** A request as a stand-in sees it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Record<string, string>;
  readonly body: string;
}
/** One provider: says whether a request moves money, and answers it. */
export interface StandIn {
  readonly prefix: string;
  moves(asked: Asked): boolean;
  answer(asked: Asked): Answer;
}

export const WEBHOOK_SECRET = `whsec_${Buffer.from('a secret of thirty-two characters').toString('base64')}`;

/** A shop's own system, Stripe and Shopify on one port, which misbehave when they are told to. */
export interface ProviderServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** The shop's own system: what it was told and paid, by key, each time that it really paid. */
  readonly webhook: {
    readonly paid: readonly { readonly key: string; readonly body: Record<string, unknown> }[];
    /** What it answers to who is paid; by default a document with a number. */
    answerWith(body: string): void;
  };
  readonly stripe: StripeStandIn;
  readonly shopify: ShopifyStandIn;
  /** For the next requests that would move money, in this order. */
  next(...behaviours: Behaviour[]): void;
  /** Calls back when it has paid and before it answers. */
  onPaid(callback: () => Promise<void>): void;
  stop(): Promise<void>;
}

/** @param secret what the shop's system knows the signature by */
export async function startProviderServer(secret = WEBHOOK_SECRET): Promise<ProviderServer> {
  const asked: Asked[] = [];
  const script: Behaviour[] = [];
  const shop = webhookStandIn(secret);
  const [stripe, shopify] = [stripeStandIn(), shopifyStandIn()];
  let paid = async () => {};

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      response.statusCode = 599;
      response.end(String(error));
    });
  });
  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const one: Asked = {
      method: request.method ?? '',
      path: pathname,
      query: searchParams,
      headers: request.headers as Record<string, string>,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    asked.push(one);
    const standIn = [shop, stripe, shopify].find(({ prefix }) => one.path.startsWith(prefix));
    if (!standIn) return say(response, { status: 404, body: { error: { message: 'nothing is here' } } });
    const behaviour = standIn.moves(one) ? script.shift() : undefined;
    if (behaviour === 'hang') return;
    if (behaviour === 'close') return void response.destroy();
    if (typeof behaviour === 'object' && 'say' in behaviour) {
      response.writeHead(behaviour.say, { 'content-type': 'application/json', ...behaviour.headers });
      return void response.end(behaviour.body ?? '');
    }
    const answer = standIn.answer(one);
    if (standIn.moves(one)) await paid();
    if (behaviour === 'pay-and-close') return void response.destroy();
    if (behaviour === 'pay-and-fail') return say(response, { status: 500, body: { error: { message: 'oh' } } });
    if (behaviour === 'pay-and-cut') {
      const text = JSON.stringify(answer.body);
      response.writeHead(answer.status, { 'content-type': 'application/json', 'content-length': text.length });
      return void response.write(text.slice(0, text.length / 2), () => response.destroy());
    }
    if (behaviour) await new Promise((resolve) => setTimeout(resolve, behaviour.payAndWaitMs));
    return say(response, answer);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    webhook: shop,
    stripe,
    shopify,
    next: (...behaviours) => void script.push(...behaviours),
    onPaid: (callback) => {
      paid = callback;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function say(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A shop's own system as a receiver of Standard Webhooks should be: it knows the signature, and each id once. */
function webhookStandIn(secret: string) {
  const paid: { key: string; body: Record<string, unknown> }[] = [];
  const answers = new Map<string, string>();
  let answer: string | null = null;
  return {
    prefix: '/awards',
    paid,
    answerWith(body: string) {
      answer = body;
    },
    moves: () => true,
    answer({ headers, body }: Asked): Answer {
      try {
        new Webhook(secret).verify(body, headers);
      } catch {
        return { status: 401, body: { error: 'not signed by the shop' } };
      }
      const key = headers['webhook-id'] ?? '';
      if (key !== headers['idempotency-key']) return { status: 400, body: { error: 'two keys' } };
      const known = answers.get(key);
      if (known !== undefined) return { status: 200, body: known };
      paid.push({ key, body: JSON.parse(body) });
      const receipt = answer ?? JSON.stringify({ payment: `pay-${paid.length}` });
      answers.set(key, receipt);
      return { status: 201, body: receipt };
    },
  };
}
