import type { ParcelReport } from '../carriers/adapter.js';
import { deliveryKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { isOfCarrier } from '../shipments/carrier-family.js';
import { saveSnapshots } from './history-store.js';
import { insertScans, lendStatuses, type ReportRow, reportRowsOf } from './scan-store.js';
import { countUnknownCodes } from './unknown-code-store.js';

/** A webhook whose signature was right and whose content was understood. */
export interface VerifiedWebhook {
  readonly source: string;
  /** The carrier that the source is; null: an aggregator, which speaks for many. */
  readonly carrier: string | null;
  readonly body: Buffer;
  readonly deliveryId: string | null;
  readonly parcels: readonly ParcelReport[];
}

export type Receipt =
  /** How many of its scans were new, how many were known, and how many of the new ones bore a word that no table has. */
  | {
      readonly outcome: 'stored';
      readonly accepted: number;
      readonly duplicates: number;
      readonly unrecognised: number;
    }
  /** Nothing of it was stored: all its parcels are registered, and none with the carrier that speaks. */
  | { readonly outcome: 'refused' };

/** A webhook with its row in the inbox. */
export interface StoredWebhook extends VerifiedWebhook {
  readonly inboxId: string;
  /** null: now. */
  readonly receivedAt: Date | null;
}

/**
 * Stores webhooks and their scans. A webhook sent again is not stored again; a scan known already, from whatever webhook,
 * stays as it is.
 * @returns a receipt for each webhook, in order, and the tracking keys about which something is new
 */
export async function saveWebhooks(
  sql: Sql,
  webhooks: readonly VerifiedWebhook[],
): Promise<{ receipts: Receipt[]; changedKeys: string[] }> {
  const ids = new Map<string, string>();
  const stored = (await withoutForeign(sql, webhooks)).map((webhook) => {
    if (webhook === null) return null;
    const dedupeKey = deliveryKeyOf(webhook.source, webhook.body);
    // Of the same webhook twice in a batch one row is kept, and the scans of both lead to it.
    const inboxId = ids.get(dedupeKey) ?? newId();
    ids.set(dedupeKey, inboxId);
    return { ...webhook, inboxId, dedupeKey, receivedAt: null };
  });
  await insertInbox(
    sql,
    stored.filter((webhook) => webhook !== null),
  );
  const { receipts, changedKeys } = await saveReports(sql, stored);
  return { receipts, changedKeys };
}

/** What the scans of webhooks came to. */
export interface SavedReports {
  /** One for each webhook, in order. */
  readonly receipts: Receipt[];
  /** Tracking keys about which something is new. */
  readonly changedKeys: string[];
  readonly reports: readonly ReportRow[];
  /** Scans that mean something else now, because a newer report lends them its status. */
  readonly lentKeys: readonly string[];
}

/**
 * Stores what webhooks report, whose rows are in the inbox: scans, lent statuses, estimates, snapshots and unknown words.
 * @param webhooks null: all its parcels are another carrier's
 */
export async function saveReports(sql: Sql, webhooks: readonly (StoredWebhook | null)[]): Promise<SavedReports> {
  const withReports = webhooks.map((webhook) => webhook && { ...webhook, reports: reportRowsOf(webhook) });
  const reports = withReports.flatMap((webhook) => webhook?.reports ?? []);
  const newKeys = await insertScans(sql, reports);
  const isNew = new Set(newKeys);
  const lent = await lendStatuses(sql, reports);
  const changed = new Set([
    ...lent.map(({ trackingKey }) => trackingKey),
    ...(await upsertEstimates(sql, reports)),
    ...(await saveSnapshots(sql, reports)),
  ]);

  const unknown: { source: string; code: string; seenAt: Date | null }[] = [];
  const receipts = withReports.map((webhook): Receipt => {
    if (webhook === null) return { outcome: 'refused' };
    const { source, receivedAt } = webhook;
    let accepted = 0;
    let duplicates = 0;
    const unrecognised: string[] = [];
    for (const { trackingKey, scans } of webhook.reports) {
      for (const { scanKey, scan } of scans) {
        // Two webhooks of one batch may bring the same new scan: the first of them brought it.
        if (!newKeys.delete(scanKey)) {
          duplicates++;
          continue;
        }
        accepted++;
        changed.add(trackingKey);
        if (scan.unrecognised !== null) unrecognised.push(scan.unrecognised);
      }
    }
    unknown.push(...unrecognised.map((code) => ({ source, code, seenAt: receivedAt })));
    return { outcome: 'stored', accepted, duplicates, unrecognised: unrecognised.length };
  });
  await countUnknownCodes(sql, unknown);
  const lentKeys = lent.map(({ scanKey }) => scanKey).filter((scanKey) => !isNew.has(scanKey));
  return { receipts, changedKeys: [...changed], reports, lentKeys };
}

/** An order so far in time from what is said is of another parcel that bore the number. */
const SAME_PARCEL_DAYS = 120;

/**
 * The numbers, of those that carriers themselves speak of, that are registered at that time for other carriers alone. A number
 * that nobody has registered yet is nobody's.
 * @returns by carrier
 */
async function findForeignKeys(sql: Sql, webhooks: readonly VerifiedWebhook[]): Promise<Map<string, Set<string>>> {
  const foreign = new Map<string, Set<string>>();
  const spoken = webhooks.flatMap(({ carrier, parcels }) =>
    carrier === null ? [] : parcels.map((parcel) => ({ carrier, parcel, key: trackingKeyOf(parcel.trackingNumber) })),
  );
  if (spoken.length === 0) return foreign;
  const { rows } = await sql.query(
    `SELECT s.tracking_key, n.carrier, array_agg(DISTINCT s.carrier_key) AS carrier_keys
     FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n(tracking_key, carrier, reported_at)
       JOIN shipments s USING (tracking_key) JOIN orders o ON o.id = s.order_id
     WHERE coalesce(o.placed_at, o.promised_until) BETWEEN n.reported_at - make_interval(days => $4)
       AND n.reported_at + make_interval(days => $4)
     GROUP BY s.tracking_key, n.carrier`,
    [
      spoken.map(({ key }) => key),
      spoken.map(({ carrier }) => carrier),
      spoken.map(({ parcel }) => parcel.reportedAt),
      SAME_PARCEL_DAYS,
    ],
  );
  for (const { tracking_key, carrier, carrier_keys } of rows) {
    if (carrier_keys.some((key: string) => isOfCarrier(key, carrier))) continue;
    const keys = foreign.get(carrier);
    if (keys) keys.add(tracking_key);
    else foreign.set(carrier, new Set([tracking_key]));
  }
  return foreign;
}

/** Webhooks without the parcels that are another carrier's; null when nothing is left of one. */
export async function withoutForeign<W extends VerifiedWebhook>(
  sql: Sql,
  webhooks: readonly W[],
): Promise<(W | null)[]> {
  const foreign = await findForeignKeys(sql, webhooks);
  return webhooks.map((webhook) => {
    const theirs = webhook.carrier === null ? undefined : foreign.get(webhook.carrier);
    if (!theirs || theirs.size === 0) return webhook;
    const parcels = webhook.parcels.filter(({ trackingNumber }) => !theirs.has(trackingKeyOf(trackingNumber)));
    return parcels.length === 0 && webhook.parcels.length > 0 ? null : { ...webhook, parcels };
  });
}

/**
 * One row for each webhook that is not there yet. Like each statement that every batch needs, it has a name: it is planned
 * once a session and not once a batch.
 */
export async function insertInbox(
  sql: Sql,
  webhooks: readonly (StoredWebhook & { readonly dedupeKey: string })[],
): Promise<void> {
  if (webhooks.length === 0) return;
  await sql.query({
    name: 'door-inbox',
    text: `INSERT INTO inbox (id, source, dedupe_key, delivery_id, body, received_at)
     SELECT id, source, dedupe_key, delivery_id, substring($5::bytea FROM starts FOR bytes), now()
     FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $6::int[], $7::int[])
       AS n(id, source, dedupe_key, delivery_id, starts, bytes)
     ORDER BY dedupe_key
     ON CONFLICT DO NOTHING`,
    values: [
      webhooks.map((webhook) => webhook.inboxId),
      webhooks.map((webhook) => webhook.source),
      // By the bytes, not by the provider's id: a delivery whose id was used before but says something new is kept.
      webhooks.map((webhook) => webhook.dedupeKey),
      webhooks.map((webhook) => webhook.deliveryId),
      // All in one, which travels as it is; in an array each byte would be two digits, written here and read there.
      Buffer.concat(webhooks.map(({ body }) => body)),
      startsOf(webhooks.map(({ body }) => body.length)),
      webhooks.map(({ body }) => body.length),
    ],
  });
}

/** Where each begins, when they stand one after the other; counted from 1. */
function startsOf(lengths: readonly number[]): number[] {
  let next = 1;
  return lengths.map((length) => {
    next += length;
    return next - length;
  });
}

/** Keeps the estimate of the newest report of each source. @returns the tracking keys with a newer one */
async function upsertEstimates(sql: Sql, reports: readonly ReportRow[]): Promise<string[]> {
  const newest = new Map<string, ReportRow>();
  for (const row of reports) {
    if (row.report.estimate === null) continue;
    const key = [row.trackingKey, row.carrierKey, row.source].join('\n');
    const known = newest.get(key);
    if (!known || isNewerEstimate(row.report, known.report)) newest.set(key, row);
  }
  const rows = [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return [];
  const result = await sql.query(
    `INSERT INTO estimates AS e (tracking_key, carrier_key, source, estimated_on, estimated_at, reported_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::timestamptz[], $6::timestamptz[])
     ON CONFLICT (tracking_key, carrier_key, source) DO UPDATE
       SET estimated_on = excluded.estimated_on, estimated_at = excluded.estimated_at, reported_at = excluded.reported_at
       WHERE excluded.reported_at > e.reported_at OR (excluded.reported_at = e.reported_at
         AND coalesce(excluded.estimated_at, excluded.estimated_on::timestamptz) > coalesce(e.estimated_at, e.estimated_on::timestamptz))
     RETURNING tracking_key`,
    [
      rows.map((row) => row.trackingKey),
      rows.map((row) => row.carrierKey),
      rows.map((row) => row.source),
      rows.map(({ report: { estimate } }) => (estimate && 'on' in estimate ? estimate.on : null)),
      rows.map(({ report: { estimate } }) => (estimate && 'at' in estimate ? estimate.at : null)),
      rows.map(({ report }) => report.reportedAt),
    ],
  );
  return result.rows.map((row) => row.tracking_key);
}

/** Of two of one instant the later day: what is worse news must not depend on which came first. */
function isNewerEstimate(one: ParcelReport, other: ParcelReport): boolean {
  const dayOf = ({ estimate }: ParcelReport): number =>
    estimate === null ? 0 : 'on' in estimate ? Date.parse(estimate.on) : estimate.at.getTime();
  const later = one.reportedAt.getTime() - other.reportedAt.getTime();
  return later > 0 || (later === 0 && dayOf(one) > dayOf(other));
}
