import type { ParcelReport, Scan } from '../carriers/adapter.js';
import { carrierKeyOf, scanKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';

/** What a webhook says about one parcel, with the keys that the database knows it by. */
export interface ReportRow {
  readonly inboxId: string;
  readonly source: string;
  readonly firstHand: boolean;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly report: ParcelReport;
  readonly scans: readonly { readonly scanKey: string; readonly scan: Scan }[];
}

export function reportRowsOf(webhook: {
  readonly inboxId: string;
  readonly source: string;
  readonly carrier: string | null;
  readonly parcels: readonly ParcelReport[];
}): ReportRow[] {
  const { inboxId, source } = webhook;
  return webhook.parcels.map((report) => {
    const { carrier, trackingNumber } = report;
    return {
      inboxId,
      source,
      firstHand: webhook.carrier !== null,
      carrierKey: carrierKeyOf(carrier),
      trackingKey: trackingKeyOf(trackingNumber),
      report,
      scans: report.scans.map((scan) => ({ scanKey: scanKeyOf({ source, carrier, trackingNumber, scan }), scan })),
    };
  });
}

/** @returns the keys of the scans that were new. Rows go in in the order of their keys, so that two batches never deadlock. */
export async function insertScans(sql: Sql, reports: readonly ReportRow[]): Promise<Set<string>> {
  const rows = reports.flatMap((row) => row.scans.map(({ scanKey, scan }) => ({ ...row, scanKey, scan })));
  if (rows.length === 0) return new Set();
  const result = await sql.query(
    `INSERT INTO tracking_events (scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, exception, disputed,
       occurred_at, occurred_local, occurred_on, time_zone, code, text, place, first_hand, history_id, borrowed_at, received_at)
     SELECT n.*, now()
     FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[],
       $10::timestamptz[], $11::text[], $12::date[], $13::text[], $14::text[], $15::text[], $16::text[], $17::boolean[], $18::text[],
       $19::timestamptz[])
       AS n(scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, exception, disputed,
       occurred_at, occurred_local, occurred_on, time_zone, code, text, place, first_hand, history_id, borrowed_at)
     ORDER BY n.scan_key
     ON CONFLICT (scan_key) DO NOTHING
     RETURNING scan_key`,
    [
      rows.map((row) => row.scanKey),
      rows.map((row) => row.inboxId),
      rows.map((row) => row.source),
      rows.map((row) => row.report.carrier),
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
      rows.map((row) => row.firstHand),
      rows.map((row) => row.report.snapshot?.historyId ?? ''),
      rows.map(({ scan, report }) => (scan.isBorrowed ? report.reportedAt : null)),
    ],
  );
  return new Set(result.rows.map((row) => row.scan_key));
}

/**
 * Gives scans that are known already, and have no words of their own, the status that a newer report lends them. The newest
 * report that lends one counts, in whatever order they arrive.
 * @returns their tracking keys
 */
export async function lendStatuses(
  sql: Sql,
  reports: readonly ReportRow[],
  newKeys: ReadonlySet<string>,
): Promise<string[]> {
  const newest = new Map<string, { scan: Scan; reportedAt: Date }>();
  for (const { scans, report } of reports) {
    for (const { scanKey, scan } of scans) {
      // Also of a new one there may be a newer report in the same batch than the one it was stored from.
      if (!scan.isBorrowed || (newKeys.has(scanKey) && reports.length === 1)) continue;
      const known = newest.get(scanKey);
      if (!known || known.reportedAt < report.reportedAt) newest.set(scanKey, { scan, reportedAt: report.reportedAt });
    }
  }
  if (newest.size === 0) return [];
  const rows = [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const result = await sql.query(
    `UPDATE tracking_events e SET status = n.status, exception = n.exception, borrowed_at = n.borrowed_at
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS n(scan_key, status, exception, borrowed_at)
     WHERE e.scan_key = n.scan_key AND (e.borrowed_at IS NULL OR e.borrowed_at < n.borrowed_at)
     RETURNING e.tracking_key`,
    [
      rows.map(([scanKey]) => scanKey),
      rows.map(([, { scan }]) => scan.status),
      rows.map(([, { scan }]) => scan.exception),
      rows.map(([, { reportedAt }]) => reportedAt),
    ],
  );
  return result.rows.map((row) => row.tracking_key);
}

/** A snapshot on its way into the table. */
interface SnapshotRow {
  readonly row: ReportRow;
  readonly historyId: string;
  readonly takenAt: number;
  readonly reachesBackTo: number;
  readonly scanKeys: ReadonlySet<string>;
}

/**
 * Keeps the newest snapshot of each parcel and source, by the source's clock. Two that were taken at one instant and differ
 * count as one that holds what either holds: neither corrects the other, and the order of arrival does not matter.
 * @returns the tracking keys of parcels whose newest snapshot holds other scans than before
 */
export async function upsertSnapshots(sql: Sql, reports: readonly ReportRow[]): Promise<string[]> {
  const newest = new Map<string, SnapshotRow>();
  for (const row of reports) {
    const { snapshot, reportedAt } = row.report;
    if (snapshot === null) continue;
    const next: SnapshotRow = {
      row,
      historyId: snapshot.historyId,
      takenAt: reportedAt.getTime(),
      reachesBackTo: snapshot.reachesBackTo.getTime(),
      scanKeys: new Set(row.scans.map(({ scanKey }) => scanKey)),
    };
    const key = [row.trackingKey, row.carrierKey, row.source, snapshot.historyId].join('\n');
    const known = newest.get(key);
    if (!known || known.takenAt <= next.takenAt) newest.set(key, known ? newerOf(known, next) : next);
  }
  const rows = [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, snapshot]) => snapshot);
  if (rows.length === 0) return [];
  const result = await sql.query(
    `INSERT INTO snapshots AS s (tracking_key, carrier_key, source, history_id, taken_at, reaches_back_to, scan_keys)
     SELECT tracking_key, carrier_key, source, history_id, taken_at, reaches_back_to, scan_keys::uuid[]
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[])
       AS n(tracking_key, carrier_key, source, history_id, taken_at, reaches_back_to, scan_keys)
     ON CONFLICT (tracking_key, carrier_key, source, history_id) DO UPDATE
       SET taken_at = excluded.taken_at,
         reaches_back_to = CASE WHEN excluded.taken_at = s.taken_at THEN greatest(excluded.reaches_back_to, s.reaches_back_to)
           ELSE excluded.reaches_back_to END,
         scan_keys = CASE WHEN excluded.taken_at = s.taken_at
           THEN ARRAY(SELECT DISTINCT key FROM unnest(excluded.scan_keys || s.scan_keys) AS key ORDER BY key)
           ELSE excluded.scan_keys END,
         is_news = excluded.scan_keys <> s.scan_keys
       WHERE excluded.taken_at > s.taken_at OR (excluded.taken_at = s.taken_at AND NOT excluded.scan_keys <@ s.scan_keys)
     RETURNING tracking_key, is_news`,
    [
      rows.map(({ row }) => row.trackingKey),
      rows.map(({ row }) => row.carrierKey),
      rows.map(({ row }) => row.source),
      rows.map(({ historyId }) => historyId),
      rows.map(({ takenAt }) => new Date(takenAt)),
      rows.map(({ reachesBackTo }) => new Date(reachesBackTo)),
      // Arrays of different length cannot be unnested, so each travels as its literal. Sorted, so that equal sets are equal.
      rows.map(({ scanKeys }) => `{${[...scanKeys].sort().join(',')}}`),
    ],
  );
  return result.rows.filter((row) => row.is_news).map((row) => row.tracking_key);
}

/** `next` was taken at the same instant, or later. */
function newerOf(known: SnapshotRow, next: SnapshotRow): SnapshotRow {
  if (next.takenAt > known.takenAt) return next;
  return {
    ...next,
    reachesBackTo: Math.max(known.reachesBackTo, next.reachesBackTo),
    scanKeys: new Set([...known.scanKeys, ...next.scanKeys]),
  };
}
