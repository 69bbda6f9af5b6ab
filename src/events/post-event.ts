import { lookup } from 'node:dns';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { performance } from 'node:perf_hooks';
import { types } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { retryAfterS } from '../awards/providers/answer-text.js';
import type { ClaimedDelivery } from './delivery-store.js';
import { addressIn, isPrivateAddress } from './private-address.js';

/** What one try came to. A status is all that counts of an answer. */
export type PostOutcome = { readonly tookMs: number } & (
  | { readonly outcome: 'delivered'; readonly status: number }
  | {
      readonly outcome: 'failed';
      /** null: there was no answer. */
      readonly status: number | null;
      readonly reason: string;
      readonly retryAfterS?: number | undefined;
    }
);

/** A receiver that does more than to put the event away takes longer, and must not. */
const TIMEOUT_MS = 15_000;
/** Nothing in an answer is of use: so much is read for the connection to end in order, and then it is cut. */
const LARGEST_ANSWER = 16 * 1024;

/**
 * Sends an event as Standard Webhooks has it, over a connection of its own. Every secret signs; no redirect is followed, as the
 * signature is for this address alone. The address is looked at when it is known, by whoever connects, so that a name cannot
 * mean one when it is checked and another when it is used.
 */
export async function postEvent(
  { url, secrets, event }: Pick<ClaimedDelivery, 'url' | 'secrets' | 'event'>,
  { allowsPrivate, timeoutMs = TIMEOUT_MS }: { readonly allowsPrivate: boolean; readonly timeoutMs?: number },
): Promise<PostOutcome> {
  const { id, type, createdAt, data } = event;
  const body = JSON.stringify({ type, timestamp: createdAt.toISOString(), data });
  // The wire's own time: the receiver compares it with its clock.
  const sentAt = new Date();
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'makegood',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, sentAt, body)).join(' '),
  };
  const startedAt = performance.now();
  try {
    const target = new URL(url);
    const literal = addressIn(target);
    if (!allowsPrivate && literal !== null && isPrivateAddress(literal)) throw new PrivateAddress();
    const answer = await exchange(target, { headers, body, allowsPrivate, timeoutMs });
    return { ...judgeAnswer(answer), tookMs: performance.now() - startedAt };
  } catch (error) {
    return { outcome: 'failed', status: null, reason: faultOf(error), tookMs: performance.now() - startedAt };
  }
}

type Answer = Pick<IncomingMessage, 'headers'> & { readonly status: number };

function judgeAnswer({ status, headers }: Answer) {
  if (status >= 200 && status < 300) return { outcome: 'delivered', status } as const;
  const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
  const afterS = retryAfterS(headers['retry-after'], new Date());
  return { outcome: 'failed', status, reason: `answered ${status}${redirect}`, retryAfterS: afterS } as const;
}

/** @throws when no answer has begun in time. One that breaks off later, or never ends, is one all the same. */
function exchange(
  target: URL,
  options: {
    readonly headers: Record<string, string>;
    readonly body: string;
    readonly allowsPrivate: boolean;
    readonly timeoutMs: number;
  },
): Promise<Answer> {
  const { headers, body, allowsPrivate, timeoutMs } = options;
  const start = target.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request: ClientRequest = start(target, {
      method: 'POST',
      headers,
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      ...(allowsPrivate ? {} : { lookup: lookupPublic }),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const answer = { status: response.statusCode ?? 0, headers: response.headers };
      // From here on it has answered, however that ends.
      request.off('error', reject).on('error', () => {});
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > LARGEST_ANSWER) request.destroy();
      });
      response.on('error', () => {});
      response.on('close', () => resolve(answer));
    });
    request.end(body);
  });
}

class PrivateAddress extends Error {}

/** As Node looks names up, without the addresses that are private. */
const lookupPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, '');
    const found = addresses.filter(({ address }) => !isPrivateAddress(address));
    const [first] = found;
    if (!first) return callback(new PrivateAddress(), '');
    return options.all ? callback(null, found) : callback(null, first.address, first.family);
  });
};

/** Why there was no answer, in a word. */
function faultOf(error: unknown): string {
  if (error instanceof PrivateAddress)
    return 'the address is private, and OUTBOUND_PRIVATE_ADDRESSES does not allow that';
  if (!types.isNativeError(error)) return 'the connection broke';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `no answer: ${code}` : 'the connection broke';
}
