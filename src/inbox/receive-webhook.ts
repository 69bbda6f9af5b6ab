import type { IncomingHttpHeaders } from 'node:http';
import { findCarrier } from '../carriers/registry.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { failpoint } from '../failpoint.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { GroupCommit } from './group-commit.js';
import { type Receipt, saveWebhooks, type VerifiedWebhook } from './inbox-store.js';

/** Webhooks in one transaction. More than one ticket's worth of parcels would only wait for each other. */
const MAX_BATCH = 500;
/** Webhooks that may wait: at 10 KB each about 40 MB. Beyond it the sender hears 503, and sends again. */
const MAX_WAITING = 4_000;
/** Two: one commits while the other is built. */
const LANES = 2;

export type ReceiveWebhook = (
  source: string,
  request: { rawBody: Buffer; headers: IncomingHttpHeaders },
) => Promise<Receipt>;

/**
 * receive-webhook: takes what a carrier says, once it is proven to be theirs, and answers when it is durable.
 * Reads:    -
 * Writes:   inbox, tracking events, estimates, outbox(track-shipments)   one transaction for all that came meanwhile
 * Twice:    a webhook is unique by its bytes, a scan by its key: the second time accepts nothing.
 * If lost:  before COMMIT there is no 200, and the carrier sends it again.
 */
export function createReceiveWebhook(deps: Deps): ReceiveWebhook {
  const door = new GroupCommit<VerifiedWebhook, Receipt>((webhooks) => commit(deps, webhooks), {
    maxBatch: MAX_BATCH,
    maxWaiting: MAX_WAITING,
    lanes: LANES,
  });

  return async (source, { rawBody, headers }) => {
    const carrier = findCarrier(source);
    const secrets = deps.config.webhookSecrets.get(source);
    if (!carrier || !secrets) {
      throw new AppError('not_found', `There is no webhook for this source, or its secret is not configured.`);
    }
    const request = { rawBody, headers, secrets, now: new Date() };
    if (carrier.verifier.over !== 'bytes' || carrier.verifier.verify(request) !== 'verified') {
      throw new AppError('bad_signature', 'The signature is missing or does not match the body.');
    }
    const parsed = carrier.parse(parseBody(rawBody));
    switch (parsed.outcome) {
      case 'malformed':
        throw new AppError('malformed_webhook', 'The webhook lacks what its event needs.', { errors: parsed.errors });
      case 'handshake':
        return { accepted: 0, duplicates: 0 };
      case 'ignored':
        deps.log.debug({ source, reason: parsed.reason }, 'receive-webhook: ignored');
        return { accepted: 0, duplicates: 0 };
      case 'parsed':
        return door.submit({ source, body: rawBody, deliveryId: parsed.deliveryId, parcels: parsed.parcels });
    }
  };
}

async function commit(deps: Deps, webhooks: readonly VerifiedWebhook[]): Promise<readonly Receipt[]> {
  const trace = newId();
  const { receipts, tickets } = await deps.db.transaction(async (sql) => {
    const saved = await saveWebhooks(sql, webhooks);
    const issued = await issueTickets(sql, {
      stage: 'track-shipments',
      ids: saved.changedKeys,
      trigger: 'webhook',
      trace,
    });
    failpoint('receive-webhook:before-commit');
    return { receipts: saved.receipts, tickets: issued };
  });
  failpoint('receive-webhook:after-commit');
  deps.log.debug({ trace, webhooks: webhooks.length, tickets: tickets.length }, 'receive-webhook');
  // The answer does not wait for the queue: what is committed gets there in any case.
  void deps.queues.announce(tickets).then(() => failpoint('receive-webhook:announced'));
  return receipts;
}

/** Bytes to a document. JSON.parse decodes lazily nothing: invalid UTF-8 must be refused before it turns into U+FFFD. */
function parseBody(rawBody: Buffer): unknown {
  const fail = (message: string) => new AppError('malformed_webhook', message, { errors: [{ field: '', message }] });
  if (rawBody.length === 0) throw fail('The body is empty.');
  let text: string;
  try {
    text = utf8.decode(rawBody);
  } catch {
    throw fail('The body is not UTF-8.');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw fail('The body is not JSON.');
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
