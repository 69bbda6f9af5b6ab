import type { ParcelReport, Scan } from '../carriers/adapter.js';
import { carrierKeyOf, deliveryKeyOf, scanKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { newId } from '../ids.js';

/** A webhook whose signature was right and whose content was understood. */
export interface VerifiedWebhook {
  readonly source: string;
  readonly body: Buffer;
  readonly deliveryId: string | null;
  readonly parcels: readonly ParcelReport[];
}

/** How many of its scans were new, and how many were known. */
export interface Receipt {
  readonly accepted: number;
  readonly duplicates: number;
}

/** Scans as columns, ready for unnest. */
interface ScanRow {
  readonly scanKey: string;
  readonly inboxId: string;
  readonly source: string;
  readonly carrier: string;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly scan: Scan;
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
  const inboxIds = webhooks.map(() => newId());
  await insertInbox(sql, webhooks, inboxIds);

  const rowsOfWebhooks = webhooks.map((webhook, index) => scanRowsOf(webhook, inboxIds[index] ?? ''));
  const newKeys = await insertScans(sql, rowsOfWebhooks.flat());
  const changed = new Set(await upsertEstimates(sql, webhooks));

  const receipts = rowsOfWebhooks.map((rows) => {
    let accepted = 0;
    for (const row of rows) {
      // Two webhooks of one batch may bring the same new scan: the first of them brought it.
      if (!newKeys.delete(row.scanKey)) continue;
      accepted++;
      changed.add(row.trackingKey);
    }
    return { accepted, duplicates: rows.length - accepted };
  });
  return { receipts, changedKeys: [...changed] };
}

async function insertInbox(sql: Sql, webhooks: readonly VerifiedWebhook[], ids: readonly string[]): Promise<void> {
  await sql.query(
    `INSERT INTO inbox (id, source, dedupe_key, delivery_id, body, received_at)
     SELECT id, source, dedupe_key, delivery_id, body, now()
     FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[]) AS n(id, source, dedupe_key, delivery_id, body)
     ORDER BY dedupe_key
     ON CONFLICT (dedupe_key) DO NOTHING`,
    [
      ids,
      webhooks.map((webhook) => webhook.source),
      // By the bytes, not by the provider's id: a delivery whose id was used before but says something new is kept.
      webhooks.map((webhook) => deliveryKeyOf(webhook.source, webhook.body)),
      webhooks.map((webhook) => webhook.deliveryId),
      webhooks.map((webhook) => webhook.body),
    ],
  );
}

function scanRowsOf({ source, parcels }: VerifiedWebhook, inboxId: string): ScanRow[] {
  return parcels.flatMap(({ carrier, trackingNumber, scans }) =>
    scans.map((scan) => ({
      scanKey: scanKeyOf({ source, carrier, trackingNumber, scan }),
      inboxId,
      source,
      carrier,
      carrierKey: carrierKeyOf(carrier),
      trackingKey: trackingKeyOf(trackingNumber),
      scan,
    })),
  );
}

/** @returns the keys of the scans that were new. Rows go in in the order of their keys, so that two batches never deadlock. */
async function insertScans(sql: Sql, rows: readonly ScanRow[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const result = await sql.query(
    `INSERT INTO tracking_events (scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, exception, disputed,
       occurred_at, occurred_local, occurred_on, time_zone, code, text, place, received_at)
     SELECT n.*, now()
     FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[],
       $10::timestamptz[], $11::text[], $12::date[], $13::text[], $14::text[], $15::text[], $16::text[])
       AS n(scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, exception, disputed,
       occurred_at, occurred_local, occurred_on, time_zone, code, text, place)
     ORDER BY n.scan_key
     ON CONFLICT (scan_key) DO NOTHING
     RETURNING scan_key`,
    [
      rows.map((row) => row.scanKey),
      rows.map((row) => row.inboxId),
      rows.map((row) => row.source),
      rows.map((row) => row.carrier),
      rows.map((row) => row.carrierKey),
      rows.map((row) => row.trackingKey),
      rows.map(({ scan }) => scan.status),
      rows.map(({ scan }) => scan.exception),
      rows.map(({ scan }) => scan.disputed),
      rows.map(({ scan }) => ('at' in scan.time ? scan.time.at : null)),
      rows.map(({ scan }) => ('local' in scan.time ? scan.time.local : null)),
      rows.map(({ scan }) => ('on' in scan.time ? scan.time.on : null)),
      rows.map(({ scan }) => ('at' in scan.time ? null : (scan.time.timeZone ?? null))),
      rows.map(({ scan }) => scan.code),
      rows.map(({ scan }) => scan.text),
      rows.map(({ scan }) => scan.place),
    ],
  );
  return new Set(result.rows.map((row) => row.scan_key));
}

/** Keeps the estimate of the newest report of each source. @returns the tracking keys whose estimate moved */
async function upsertEstimates(sql: Sql, webhooks: readonly VerifiedWebhook[]): Promise<string[]> {
  const newest = new Map<string, { source: string; parcel: ParcelReport; reportedAt: number }>();
  for (const { source, parcels } of webhooks) {
    for (const parcel of parcels) {
      if (!parcel.estimate) continue;
      const key = [trackingKeyOf(parcel.trackingNumber), carrierKeyOf(parcel.carrier), source].join('\n');
      const reportedAt = reportedAtOf(parcel);
      if ((newest.get(key)?.reportedAt ?? Number.NEGATIVE_INFINITY) <= reportedAt) {
        newest.set(key, { source, parcel, reportedAt });
      }
    }
  }
  const rows = [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  if (rows.length === 0) return [];
  const result = await sql.query(
    `INSERT INTO estimates AS e (tracking_key, carrier_key, source, estimated_on, estimated_at, reported_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::timestamptz[], $6::timestamptz[])
     ON CONFLICT (tracking_key, carrier_key, source) DO UPDATE
       SET estimated_on = excluded.estimated_on, estimated_at = excluded.estimated_at, reported_at = excluded.reported_at
       WHERE excluded.reported_at >= e.reported_at
         AND (excluded.estimated_on, excluded.estimated_at) IS DISTINCT FROM (e.estimated_on, e.estimated_at)
     RETURNING tracking_key`,
    [
      rows.map(({ parcel }) => trackingKeyOf(parcel.trackingNumber)),
      rows.map(({ parcel }) => carrierKeyOf(parcel.carrier)),
      rows.map(({ source }) => source),
      rows.map(({ parcel }) => (parcel.estimate && 'on' in parcel.estimate ? parcel.estimate.on : null)),
      rows.map(({ parcel }) => (parcel.estimate && 'at' in parcel.estimate ? parcel.estimate.at : null)),
      rows.map(({ reportedAt }) => new Date(reportedAt)),
    ],
  );
  return result.rows.map((row) => row.tracking_key);
}

/** The time of the newest scan that is an instant; the beginning of time for a report without one. */
function reportedAtOf({ scans }: ParcelReport): number {
  return Math.max(0, ...scans.map(({ time }) => ('at' in time ? time.at.getTime() : 0)));
}
