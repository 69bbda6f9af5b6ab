import { findCarrier } from '../carriers/registry.js';
import { systemClock } from '../clock.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, ERROR_CODES } from '../errors.js';
import { failpoint } from '../failpoint.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { type StoredWebhook, saveReports, withoutForeign } from './inbox-store.js';
import { parseBody } from './parse-body.js';
import {
  correctScans,
  countWebhooks,
  findOrdersOfNumbers,
  type InboxRow,
  loadWebhooks,
  withdrawMisread,
} from './replay-store.js';
import { forgetKnownCodes } from './unknown-code-store.js';

export interface ReplayReport {
  readonly webhooks: number;
  readonly scans: {
    /** As often as they were told: each snapshot tells again what those before it told. */
    readonly known: number;
    readonly added: number;
    /** Known, and with another status now than before. */
    readonly corrected: number;
    /** Misread then: another stands in the place of each. */
    readonly withdrawn: number;
  };
  /** Words that were unknown and are known now. */
  readonly wordsLearnt: number;
  /** Orders about which something is new. */
  readonly orders: number;
  /** The first of those that could not be read or stored; the rest of their batch was. */
  readonly failed: readonly FailedWebhook[];
  readonly moreFailed: number;
  readonly trace: string;
}

export interface FailedWebhook {
  readonly id: string;
  readonly source: string;
  readonly receivedAt: Date;
  readonly reason: string;
}

/** Webhooks in one transaction. More hold their parcels longer against those that come in at the door; fewer pay more commits. */
const CHUNK = 200;
/** Their bytes: a body can have a megabyte. */
const CHUNK_BYTES = 16 * 1024 * 1024;
/** Failures that are listed. More, and nobody reads them; what they have in common shows in the first. */
const LISTED = 100;
/** Unknown words that are remembered. With more the tables are not what is wrong: then none is taken for learnt. */
const MOST_WORDS = 50_000;

/**
 * replay: reads stored webhooks again with the code of today. What the code knows now and did not know then, or had read
 *         wrongly, is put right; what is right stays as it is, and nobody is bothered with it.
 * Reads:    inbox
 * Writes:   tracking events, histories, estimates, unknown codes, outbox(track-shipments)   one transaction a chunk
 * Twice:    a scan is known by its key, and read out of the webhook that brought it: the second run finds nothing to do.
 * If lost:  each chunk stands with its tickets, or nothing of it; another run does the rest.
 *
 * Nothing is verified again, and nothing needs to be: only receive-webhook writes to the inbox, after it has verified the very
 * bytes, and whoever could write there otherwise could write scans as well. It could not be verified either: a signature
 * is not kept, some are good for five minutes, and secrets change.
 *
 * Nothing looks newer than it is: a scan that is added bears the time at which its webhook came, and by which of two reports
 * an estimate or a lent status goes is told by their sources' own clocks.
 * @throws AppError `database_unavailable`: what was committed stands
 */
export async function replay(
  deps: Pick<Deps, 'db' | 'queues' | 'log'>,
  {
    source = null,
    since = null,
    onProgress = () => {},
  }: {
    source?: string | null;
    since?: Date | null;
    onProgress?: (done: number, total: number) => Promise<void> | void;
  } = {},
): Promise<ReplayReport> {
  const trace = newId();
  // Rows bear the time of PostgreSQL itself, whatever the clock of this product is set to.
  const until = await readNow(deps.db.pool, systemClock);
  const filter = { source, since, until };
  const total = await countWebhooks(deps.db.pool, filter);
  const sum = { webhooks: 0, known: 0, added: 0, corrected: 0, withdrawn: 0 };
  const orders = new Set<string>();
  const failed: FailedWebhook[] = [];
  let failures = 0;
  const words = new Words();

  await onProgress(0, total);
  for (let after: InboxRow | null = null; ; ) {
    const rows: InboxRow[] = await loadWebhooks(deps.db.pool, filter, after, { webhooks: CHUNK, bytes: CHUNK_BYTES });
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last;
    const readings = rows.map(read);
    const result = await store(
      deps,
      trace,
      readings.flatMap((reading) => (reading.outcome === 'read' ? [reading.webhook] : [])),
    );
    const chunkFailures = [
      ...readings.flatMap((reading) => (reading.outcome === 'failed' ? [reading.failure] : [])),
      ...result.failed,
    ];
    failures += chunkFailures.length;
    failed.push(...chunkFailures.slice(0, LISTED - failed.length));
    words.note(rows, readings, chunkFailures);
    for (const id of result.orders) orders.add(id);
    for (const key of ['known', 'added', 'corrected', 'withdrawn'] as const) sum[key] += result[key];
    sum.webhooks += rows.length;
    await onProgress(sum.webhooks, Math.max(total, sum.webhooks));
    failpoint('replay:chunk-done');
  }
  const { webhooks, ...scans } = sum;
  const report: ReplayReport = {
    webhooks,
    scans,
    wordsLearnt: await deps.db.transaction((sql) => forgetKnownCodes(sql, { ...words.known(), until })),
    orders: orders.size,
    failed,
    moreFailed: failures - failed.length,
    trace,
  };
  deps.log.info({ ...report, failed: failures }, 'replay');
  return report;
}

type Reading =
  | { readonly outcome: 'read'; readonly webhook: StoredWebhook }
  /** Of no use today, and stored when it was of some: there is nothing to put right. */
  | { readonly outcome: 'ignored' }
  | { readonly outcome: 'failed'; readonly failure: FailedWebhook };

function read({ id, source, deliveryId, body, receivedAt }: InboxRow): Reading {
  const failure = (reason: string): Reading => ({ outcome: 'failed', failure: { id, source, receivedAt, reason } });
  const carrier = findCarrier(source);
  if (!carrier) return failure('There is no source of this name any more.');
  try {
    const parsed = carrier.parse(parseBody(body));
    if (parsed.outcome === 'malformed')
      return failure(
        `It lacks what its event needs: ${parsed.errors.map(({ field, message }) => `${field} ${message}`).join('; ')}`,
      );
    if (parsed.outcome !== 'parsed') return { outcome: 'ignored' };
    const { parcels } = parsed;
    return {
      outcome: 'read',
      webhook: { source, carrier: carrier.carrier, body, deliveryId, parcels, inboxId: id, receivedAt },
    };
  } catch (error) {
    return failure(reasonOf(error));
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

interface StoredChunk {
  readonly known: number;
  readonly added: number;
  readonly corrected: number;
  readonly withdrawn: number;
  readonly orders: readonly string[];
  readonly failed: readonly FailedWebhook[];
}

/** One webhook that cannot be stored must not cost the others of its chunk: as with any batch, halves find it. */
async function store(
  deps: Pick<Deps, 'db' | 'queues'>,
  trace: string,
  webhooks: readonly StoredWebhook[],
): Promise<StoredChunk> {
  try {
    return await storeTogether(deps, trace, webhooks);
  } catch (error) {
    if (error instanceof AppError && ERROR_CODES[error.code].retry) throw error;
    const [first] = webhooks;
    if (first === undefined) throw error;
    if (webhooks.length === 1) {
      const { inboxId, source, receivedAt } = first;
      const failure = { id: inboxId, source, receivedAt: receivedAt ?? new Date(0), reason: reasonOf(error) };
      return { known: 0, added: 0, corrected: 0, withdrawn: 0, orders: [], failed: [failure] };
    }
    const middle = Math.ceil(webhooks.length / 2);
    const one = await store(deps, trace, webhooks.slice(0, middle));
    const other = await store(deps, trace, webhooks.slice(middle));
    return {
      known: one.known + other.known,
      added: one.added + other.added,
      corrected: one.corrected + other.corrected,
      withdrawn: one.withdrawn + other.withdrawn,
      orders: [...one.orders, ...other.orders],
      failed: [...one.failed, ...other.failed],
    };
  }
}

async function storeTogether(
  deps: Pick<Deps, 'db' | 'queues'>,
  trace: string,
  webhooks: readonly StoredWebhook[],
): Promise<StoredChunk> {
  const { tickets, ...chunk } = await deps.db.transaction(async (sql) => {
    const { receipts, changedKeys, reports, lentKeys } = await saveReports(sql, await withoutForeign(sql, webhooks));
    const corrected = await correctScans(sql, reports);
    const withdrawn = await withdrawMisread(sql, reports);
    const keys = [...new Set([...changedKeys, ...[...corrected, ...withdrawn].map(({ trackingKey }) => trackingKey)])];
    const stored = receipts.filter((receipt) => receipt.outcome === 'stored');
    return {
      known: stored.reduce((count, { duplicates }) => count + duplicates, 0),
      added: stored.reduce((count, { accepted }) => count + accepted, 0),
      corrected: new Set([...lentKeys, ...corrected.map(({ scanKey }) => scanKey)]).size,
      withdrawn: withdrawn.length,
      orders: await findOrdersOfNumbers(sql, keys),
      failed: [],
      tickets: await issueTickets(sql, { stage: 'track-shipments', ids: keys, trigger: 'replay', trace }),
    };
  });
  await deps.queues.announce(tickets);
  return chunk;
}

/** Which words are still unknown, of the sources of which every webhook could be read. */
class Words {
  readonly #since = new Map<string, Date>();
  readonly #incomplete = new Set<string>();
  readonly #unknown = new Map<string, { readonly source: string; readonly code: string }>();

  note(rows: readonly InboxRow[], readings: readonly Reading[], failures: readonly FailedWebhook[]): void {
    for (const { source, receivedAt } of rows) {
      if (!this.#since.has(source)) this.#since.set(source, receivedAt);
    }
    for (const { source } of failures) this.#incomplete.add(source);
    for (const reading of readings) {
      if (reading.outcome !== 'read') continue;
      const { source, parcels } = reading.webhook;
      for (const { unrecognised: code } of parcels.flatMap(({ scans }) => scans)) {
        if (code !== null && this.#unknown.size < MOST_WORDS) this.#unknown.set(`${source}\n${code}`, { source, code });
      }
    }
  }

  known(): { since: Map<string, Date>; unknown: { source: string; code: string }[] } {
    const isFull = this.#unknown.size >= MOST_WORDS;
    const since = new Map([...this.#since].filter(([source]) => !isFull && !this.#incomplete.has(source)));
    return { since, unknown: [...this.#unknown.values()] };
  }
}
