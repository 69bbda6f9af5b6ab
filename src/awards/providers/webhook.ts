import { types } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { retryAfterS, tidyJson, tidyText } from './answer-text.js';
import {
  GRANT_TIMEOUT_MS,
  type GrantOutcome,
  type GrantRequest,
  type Provider,
  type ProviderOptions,
} from './provider.js';

/** A receipt is a few lines. More is not read, and not kept. */
const LARGEST_ANSWER = 64 * 1024;

/** Status codes by which a server says that it is busy, or that the request came at a bad time. */
const BUSY = [408, 425, 429];

/**
 * The shop's own system: a signed POST as Standard Webhooks has it. The id of the message is the award's key, so that whoever
 * has seen it before answers what it answered then.
 * @param config.secrets `whsec_…`; while keys rotate, several: each signs, and the receiver takes the one it knows
 */
export function createWebhookProvider(
  config: { readonly url: string; readonly secrets: readonly string[] },
  { timeoutMs = GRANT_TIMEOUT_MS }: ProviderOptions = {},
): Provider {
  const signers = config.secrets.map((secret) => new Webhook(secret));
  return {
    name: 'webhook',
    async grant(request, signal) {
      const body = JSON.stringify(webhookBodyOf(request));
      const id = request.idempotencyKey;
      // The wire's own time: the receiver compares it with its clock.
      const sentAt = new Date();
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'makegood',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
        'webhook-signature': signers.map((signer) => signer.sign(id, sentAt, body)).join(' '),
        'idempotency-key': id,
      };
      const until = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        // A redirect is not followed: the signature is for this address, and for no other machine.
        const response = await fetch(config.url, { method: 'POST', headers, body, redirect: 'manual', signal: until });
        return await outcomeOf(response, request);
      } catch (error) {
        return { outcome: 'again', reason: `the shop's system did not answer: ${faultOf(error)}` };
      }
    },
  };
}

/** What the shop is told: all that it needs to carry the award out. */
function webhookBodyOf(request: GrantRequest): Record<string, unknown> {
  const { awardId, orderId, customerId, customer, kind, amount, months, points, shipping } = request;
  return {
    type: 'award.granted',
    id: request.idempotencyKey,
    data: {
      award: awardId,
      order: orderId,
      customer: { id: customerId, ...customer },
      kind,
      ...(amount ? { amount } : {}),
      ...(months === null ? {} : { months }),
      ...(points === null ? {} : { points }),
      ...(shipping === null ? {} : { shipping, shipOn: request.shipOn, destination: request.destination }),
      ...(request.expiresAt ? { expiresAt: request.expiresAt.toISOString() } : {}),
      incident: request.incident,
      reason: request.reason,
    },
  };
}

async function outcomeOf(response: Response, { attempt }: GrantRequest): Promise<GrantOutcome> {
  const { status } = response;
  // An answer that breaks off throws here: it is lost, and asked for again.
  const { text, whole } = await readBounded(response);
  if (status >= 200 && status < 300) return { outcome: 'granted', receipt: receiptOf(status, whole ? text : '') };
  if (status >= 300 && status < 400) {
    return {
      outcome: 'again',
      reason: `the shop's system answered ${status}, a redirect, which is not followed: AWARD_WEBHOOK_URL must be the address itself`,
    };
  }
  // After an earlier try 409 says that this one is still being worked on; to the first it can only be a refusal.
  if (status >= 500 || BUSY.includes(status) || (status === 409 && attempt > 1)) {
    const afterS = retryAfterS(response.headers.get('retry-after'), new Date());
    const reason = `the shop's system answered ${status}`;
    return { outcome: 'again', reason, ...(afterS === undefined ? {} : { afterS }) };
  }
  const excerpt = tidyText(text);
  return { outcome: 'refused', reason: `the shop's system answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}` };
}

function receiptOf(status: number, text: string): Record<string, unknown> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return { status };
  }
  const tidy = tidyJson(answer);
  const isObject = typeof tidy === 'object' && tidy !== null && !Array.isArray(tidy);
  return isObject ? (tidy as Record<string, unknown>) : { status, answer: tidy };
}

/** Reads at most LARGEST_ANSWER bytes. @throws when the answer breaks off before its end */
async function readBounded(response: Response): Promise<{ text: string; whole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    length += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (length > LARGEST_ANSWER) break;
  }
  const text = Buffer.concat(chunks).subarray(0, LARGEST_ANSWER).toString('utf8');
  return { text, whole: length <= LARGEST_ANSWER };
}

/** Why there was no answer, in a word; never the address or the body. */
function faultOf(error: unknown): string {
  if (!types.isNativeError(error)) return 'it broke off';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'it took too long';
  const code = (error.cause as { code?: unknown } | undefined)?.code ?? (error as { code?: unknown }).code;
  return typeof code === 'string' ? code : 'the connection broke';
}
