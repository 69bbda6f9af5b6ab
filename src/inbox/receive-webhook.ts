import type { IncomingHttpHeaders } from 'node:http';
import type { CarrierAdapter, Verification } from '../carriers/adapter.js';
import { findCarrier } from '../carriers/registry.js';
import type { Deps } from '../deps.js';
import { AppError, unreachable } from '../errors.js';
import { failpoint } from '../failpoint.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { GroupCommit, type GroupCommitLimits } from './group-commit.js';
import { saveHandshake } from './handshake-store.js';
import { type Receipt, saveWebhooks, type VerifiedWebhook } from './inbox-store.js';
import { KeySets } from './key-sets.js';
import { parseBody } from './parse-body.js';

/** Webhooks in one transaction. More than one ticket's worth of parcels would only wait for each other. */
const MAX_BATCH = 500;
/** Their bytes: PostgreSQL takes a batch as one message, and each byte of it as two. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Webhooks that may wait, and their bytes. Beyond either the sender hears 503, and sends again. */
const MAX_WAITING = 4_000;
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Two: one commits while the other is built. */
const LANES = 2;

/** How webhooks become batches. */
export const DOOR_LIMITS: GroupCommitLimits<{ readonly body: Buffer }> = {
  maxBatch: MAX_BATCH,
  maxWaiting: MAX_WAITING,
  weightOf: ({ body }) => body.length,
  maxBatchWeight: MAX_BATCH_BYTES,
  maxWaitingWeight: MAX_WAITING_BYTES,
  lanes: LANES,
};

/** Scans that are new, and scans that were known. */
export interface WebhookAnswer {
  readonly accepted: number;
  readonly duplicates: number;
}

export type ReceiveWebhook = (
  source: string,
  request: { rawBody: Buffer; headers: IncomingHttpHeaders },
) => Promise<WebhookAnswer>;

const NOTHING: WebhookAnswer = { accepted: 0, duplicates: 0 };

/**
 * receive-webhook: takes what a carrier says, once it is proven to be theirs, and answers when it is durable.
 * Reads:    -
 * Writes:   inbox, tracking events, histories, estimates, unknown codes, outbox(track-shipments)   one transaction for all
 *           that came meanwhile
 * Twice:    a webhook is unique by its bytes, a scan by its key: the second time accepts nothing.
 * If lost:  before COMMIT there is no 200, and the carrier sends it again.
 */
export function createReceiveWebhook(deps: Deps): ReceiveWebhook {
  const keySets = new KeySets(deps.config.webhookSecrets, deps.log);
  const door = new GroupCommit<VerifiedWebhook, Receipt>((webhooks) => commit(deps, webhooks), DOOR_LIMITS);

  return async (source, request) => {
    const carrier = findCarrier(source);
    if (!carrier || !deps.config.webhookSecrets.has(source)) {
      throw new AppError('not_found', 'There is no webhook for this source, or its secret is not configured.');
    }
    try {
      const document = await authenticate(carrier, keySets, { ...request, now: deps.clock.read(new Date()) });
      return await take(deps, door, carrier, { document, rawBody: request.rawBody });
    } catch (error) {
      const outcome = OUTCOMES_OF_ERRORS[error instanceof AppError ? error.code : ''] ?? 'unavailable';
      deps.metrics.webhooks.inc({ source, outcome });
      // Nothing of the request itself: it is a stranger's, or holds a customer.
      deps.log.warn({ source, reason: outcome }, 'receive-webhook: refused');
      throw error;
    }
  };
}

const OUTCOMES_OF_ERRORS: Readonly<Record<string, 'bad_signature' | 'malformed' | 'another_carriers'>> = {
  bad_signature: 'bad_signature',
  malformed_webhook: 'malformed',
  another_carriers_parcel: 'another_carriers',
};

/**
 * Who sent it, before what it says: a stranger learns nothing of what is read. Only where the signature is over values in
 * the document is it parsed first, and then only if there is a signature at all.
 * @returns the document
 * @throws AppError `bad_signature`, `malformed_webhook`, `keys_unavailable`
 */
async function authenticate(
  carrier: CarrierAdapter,
  keySets: KeySets,
  request: { rawBody: Buffer; headers: IncomingHttpHeaders; now: Date },
): Promise<unknown> {
  const { verifier } = carrier;
  if (verifier.over === 'document' && !verifier.hasSignature(request.headers)) throw badSignature();
  const parsedBefore = verifier.over === 'document' ? parseBody(request.rawBody) : undefined;
  const verify = (secrets: readonly string[]): Verification =>
    verifier.over === 'bytes'
      ? verifier.verify({ ...request, secrets })
      : verifier.verify({ ...request, secrets, document: parsedBefore });

  // Keys may have to be fetched: not for a stranger who did not even try.
  if (carrier.secretKind === 'key_set' && verify([]) === 'refused') throw badSignature();
  let verification = verify((await keySets.secretsOf(carrier)) ?? []);
  if (verification === 'unknown_key') {
    const secrets = await keySets.secretsAfterUnknownKey(carrier);
    if (secrets !== null) verification = verify(secrets);
  }
  if (verification !== 'verified') throw badSignature();
  return verifier.over === 'document' ? parsedBefore : parseBody(request.rawBody);
}

async function take(
  deps: Deps,
  door: GroupCommit<VerifiedWebhook, Receipt>,
  carrier: CarrierAdapter,
  { document, rawBody }: { document: unknown; rawBody: Buffer },
): Promise<WebhookAnswer> {
  const { source } = carrier;
  const { webhooks, scans, unknownCodes } = deps.metrics;
  const parsed = carrier.parse(document);
  switch (parsed.outcome) {
    case 'malformed':
      throw new AppError('malformed_webhook', 'The webhook lacks what its event needs.', { errors: parsed.errors });
    case 'ignored':
      deps.log.debug({ source, reason: parsed.reason }, 'receive-webhook: ignored');
      webhooks.inc({ source, outcome: 'ignored' });
      return NOTHING;
    case 'handshake':
      await deps.db.transaction((sql) => saveHandshake(sql, source, parsed.handshake));
      deps.log.info({ source, state: parsed.handshake.state }, 'receive-webhook: subscription');
      webhooks.inc({ source, outcome: 'handshake' });
      return NOTHING;
    case 'parsed': {
      const receipt = await door.submit({
        source,
        carrier: carrier.carrier,
        body: rawBody,
        deliveryId: parsed.deliveryId,
        parcels: parsed.parcels,
      });
      if (receipt.outcome === 'refused') {
        throw new AppError('another_carriers_parcel', 'The parcel is registered with another carrier than the sender.');
      }
      webhooks.inc({ source, outcome: 'stored' });
      scans.inc({ source, news: 'new' }, receipt.accepted);
      scans.inc({ source, news: 'known' }, receipt.duplicates);
      if (receipt.unrecognised > 0) unknownCodes.inc({ source }, receipt.unrecognised);
      return { accepted: receipt.accepted, duplicates: receipt.duplicates };
    }
    default:
      return unreachable(parsed);
  }
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

function badSignature(): AppError {
  return new AppError('bad_signature', 'The signature is missing or does not match the body.');
}
