import type { ParcelReport } from '../carriers/adapter.js';
import { deliveryKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';
import { isOfCarrier } from '../shipments/carrier-family.js';
import { insertScans, lendStatuses, type ReportRow, reportRowsOf, upsertSnapshots } from './scan-store.js';
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

/**
 * Stores webhooks and their scans. A webhook sent again is not stored again; a scan known already, from whatever webhook,
 * stays as it is.
 * @returns a receipt for each webhook, in order, and the tracking keys about which something is new
 */
export async function saveWebhooks(
  sql: Sql,
  webhooks: readonly VerifiedWebhook[],
): Promise<{ receipts: Receipt[]; changedKeys: string[] }> {
  const foreign = await findForeignKeys(sql, webhooks);
  const stored = webhooks.map((webhook): StoredWebhook | null => {
    const own = withoutForeign(webhook, foreign);
    if (own === null) return null;
    const withId = { ...own, inboxId: newId() };
    return { ...withId, reports: reportRowsOf(withId) };
  });
  const accepted = stored.filter((webhook) => webhook !== null);
  await insertInbox(sql, accepted);
  const reports = accepted.flatMap((webhook) => webhook.reports);
  const newKeys = await insertScans(sql, reports);
  const changed = new Set([
    ...(await lendStatuses(sql, reports, newKeys)),
    ...(await upsertEstimates(sql, reports)),
    ...(await upsertSnapshots(sql, reports)),
  ]);

  const unknown: { source: string; code: string }[] = [];
  const receipts = stored.map((webhook): Receipt => {
    if (webhook === null) return { outcome: 'refused' };
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
    unknown.push(...unrecognised.map((code) => ({ source: webhook.source, code })));
    return { outcome: 'stored', accepted, duplicates, unrecognised: unrecognised.length };
  });
  await countUnknownCodes(sql, unknown);
  return { receipts, changedKeys: [...changed] };
}

interface StoredWebhook extends VerifiedWebhook {
  readonly inboxId: string;
  readonly reports: readonly ReportRow[];
}

/**
 * The numbers, of those that carriers themselves speak of, that are registered for other carriers alone. A number that
 * nobody has registered yet is nobody's.
 * @returns by carrier
 */
async function findForeignKeys(sql: Sql, webhooks: readonly VerifiedWebhook[]): Promise<Map<string, Set<string>>> {
  const foreign = new Map<string, Set<string>>();
  const spoken = webhooks.filter(({ carrier }) => carrier !== null);
  const keys = spoken.flatMap(({ parcels }) => parcels.map(({ trackingNumber }) => trackingKeyOf(trackingNumber)));
  if (keys.length === 0) return foreign;
  const { rows } = await sql.query(
    `SELECT tracking_key, array_agg(DISTINCT carrier_key) AS carrier_keys FROM shipments
     WHERE tracking_key = ANY($1) GROUP BY tracking_key`,
    [[...new Set(keys)]],
  );
  for (const carrier of new Set(spoken.flatMap((webhook) => webhook.carrier ?? []))) {
    const others = rows.filter(({ carrier_keys }) => !carrier_keys.some((key: string) => isOfCarrier(key, carrier)));
    foreign.set(carrier, new Set(others.map(({ tracking_key }) => tracking_key)));
  }
  return foreign;
}

/** The webhook without parcels of other carriers; null when nothing is left of it. */
function withoutForeign(
  webhook: VerifiedWebhook,
  foreign: ReadonlyMap<string, ReadonlySet<string>>,
): VerifiedWebhook | null {
  const theirs = webhook.carrier === null ? undefined : foreign.get(webhook.carrier);
  if (!theirs || theirs.size === 0) return webhook;
  const parcels = webhook.parcels.filter(({ trackingNumber }) => !theirs.has(trackingKeyOf(trackingNumber)));
  return parcels.length === 0 && webhook.parcels.length > 0 ? null : { ...webhook, parcels };
}

async function insertInbox(sql: Sql, webhooks: readonly StoredWebhook[]): Promise<void> {
  if (webhooks.length === 0) return;
  await sql.query(
    `INSERT INTO inbox (id, source, dedupe_key, delivery_id, body, received_at)
     SELECT id, source, dedupe_key, delivery_id, body, now()
     FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[]) AS n(id, source, dedupe_key, delivery_id, body)
     ORDER BY dedupe_key
     ON CONFLICT (dedupe_key) DO NOTHING`,
    [
      webhooks.map((webhook) => webhook.inboxId),
      webhooks.map((webhook) => webhook.source),
      // By the bytes, not by the provider's id: a delivery whose id was used before but says something new is kept.
      webhooks.map((webhook) => deliveryKeyOf(webhook.source, webhook.body)),
      webhooks.map((webhook) => webhook.deliveryId),
      webhooks.map((webhook) => webhook.body),
    ],
  );
}

/** Keeps the estimate of the newest report of each source. @returns the tracking keys with a newer one */
async function upsertEstimates(sql: Sql, reports: readonly ReportRow[]): Promise<string[]> {
  const newest = new Map<string, ReportRow>();
  for (const row of reports) {
    if (row.report.estimate === null) continue;
    const key = [row.trackingKey, row.carrierKey, row.source].join('\n');
    const known = newest.get(key);
    if (!known || known.report.reportedAt <= row.report.reportedAt) newest.set(key, row);
  }
  const rows = [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return [];
  const result = await sql.query(
    `INSERT INTO estimates AS e (tracking_key, carrier_key, source, estimated_on, estimated_at, reported_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::timestamptz[], $6::timestamptz[])
     ON CONFLICT (tracking_key, carrier_key, source) DO UPDATE
       SET estimated_on = excluded.estimated_on, estimated_at = excluded.estimated_at, reported_at = excluded.reported_at
       WHERE excluded.reported_at > e.reported_at OR (excluded.reported_at = e.reported_at
         AND (excluded.estimated_on, excluded.estimated_at) IS DISTINCT FROM (e.estimated_on, e.estimated_at))
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
