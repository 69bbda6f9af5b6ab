import type { ParcelReport, Scan } from '../carriers/adapter.js';
import { carrierKeyOf, scanKeyOf, trackingKeyOf } from '../carriers/matching.js';
import type { Sql } from '../db/database.js';
import { PROGRESS } from '../shipments/apply-events.js';

/** What a webhook says about one parcel, with the keys that the database knows it by. */
export interface ReportRow {
  /** null: no webhook said so. */
  readonly inboxId: string | null;
  /** When it was told; null: now. */
  readonly receivedAt: Date | null;
  readonly source: string;
  readonly firstHand: boolean;
  readonly carrierKey: string;
  readonly trackingKey: string;
  readonly report: ParcelReport;
  readonly scans: readonly { readonly scanKey: string; readonly scan: Scan }[];
}

/** A scan, and the number of the parcel that it is of. */
export interface ScanOfParcel {
  readonly scanKey: string;
  readonly trackingKey: string;
}

export function reportRowsOf(webhook: {
  readonly inboxId: string | null;
  readonly receivedAt?: Date | null;
  readonly source: string;
  readonly carrier: string | null;
  readonly parcels: readonly ParcelReport[];
}): ReportRow[] {
  const { inboxId, receivedAt = null, source } = webhook;
  return webhook.parcels.map((report) => {
    const { carrier, trackingNumber } = report;
    return {
      inboxId,
      receivedAt,
      source,
      firstHand: webhook.carrier !== null,
      carrierKey: carrierKeyOf(carrier),
      trackingKey: trackingKeyOf(trackingNumber),
      report,
      scans: report.scans.map((scan) => ({ scanKey: scanKeyOf({ source, carrier, trackingNumber, scan }), scan })),
    };
  });
}

/**
 * Rows go in in the order of their keys, so that two batches never deadlock; a scan that is there twice is of the first report.
 * @returns the keys of the scans that were new
 */
export async function insertScans(sql: Sql, reports: readonly ReportRow[]): Promise<Set<string>> {
  const rows = reports.flatMap((row) => row.scans.map(({ scanKey, scan }) => ({ ...row, scanKey, scan })));
  if (rows.length === 0) return new Set();
  const result = await sql.query({
    name: 'door-scans',
    text: `INSERT INTO tracking_events (scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, exception, disputed,
       occurred_at, occurred_local, occurred_on, time_zone, code, text, place, first_hand, borrowed_at, received_at)
     SELECT n.scan_key, n.inbox_id, n.source, n.carrier, n.carrier_key, n.tracking_key, n.status, n.exception, n.disputed,
       n.occurred_at, n.occurred_local, n.occurred_on, n.time_zone, n.code, n.text, n.place, n.first_hand, n.borrowed_at,
       coalesce(n.received_at, now())
     FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[],
       $10::timestamptz[], $11::text[], $12::date[], $13::text[], $14::text[], $15::text[], $16::text[], $17::boolean[],
       $18::timestamptz[], $19::timestamptz[]) WITH ORDINALITY
       AS n(scan_key, inbox_id, source, carrier, carrier_key, tracking_key, status, exception, disputed,
       occurred_at, occurred_local, occurred_on, time_zone, code, text, place, first_hand, borrowed_at, received_at, nth)
     ORDER BY n.scan_key, n.nth
     ON CONFLICT (scan_key) DO NOTHING
     RETURNING scan_key`,
    values: [
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
      rows.map(({ scan, report }) => (scan.isBorrowed ? report.reportedAt : null)),
      rows.map((row) => row.receivedAt),
    ],
  });
  return new Set(result.rows.map((row) => row.scan_key));
}

/**
 * Gives scans without words of their own the status that a report lends them. The newest report that lends one counts, in
 * whatever order they arrive; of two reports of one instant, the status that is further along.
 * @returns the scans that mean something else now
 */
export async function lendStatuses(sql: Sql, reports: readonly ReportRow[]): Promise<ScanOfParcel[]> {
  const rows = reports.flatMap(({ scans, report }) =>
    scans.flatMap(({ scanKey, scan }) => (scan.isBorrowed ? [{ scanKey, scan, reportedAt: report.reportedAt }] : [])),
  );
  if (rows.length === 0) return [];
  const scanKeys = [...new Set(rows.map(({ scanKey }) => scanKey))];
  await sql.query('SELECT 1 FROM tracking_events WHERE scan_key = ANY($1) ORDER BY scan_key FOR NO KEY UPDATE', [
    scanKeys,
  ]);
  const result = await sql.query(
    `WITH lent AS (
       SELECT DISTINCT ON (scan_key) * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
         AS n(scan_key, status, exception, lent_at)
       ORDER BY scan_key, lent_at DESC, array_position($5::text[], status) DESC, exception DESC NULLS LAST
     ), before AS (SELECT scan_key, status, exception FROM tracking_events WHERE scan_key = ANY($1))
     UPDATE tracking_events e SET status = n.status, exception = n.exception, borrowed_at = n.lent_at
     FROM lent n JOIN before b USING (scan_key)
     WHERE e.scan_key = n.scan_key AND (e.borrowed_at IS NULL
       OR (e.borrowed_at, array_position($5::text[], e.status), coalesce(e.exception, ''))
         < (n.lent_at, array_position($5::text[], n.status), coalesce(n.exception, '')))
     RETURNING e.scan_key, e.tracking_key, (b.status, b.exception) IS DISTINCT FROM (n.status, n.exception) AS is_news`,
    [
      rows.map(({ scanKey }) => scanKey),
      rows.map(({ scan }) => scan.status),
      rows.map(({ scan }) => scan.exception),
      rows.map(({ reportedAt }) => reportedAt),
      PROGRESS,
    ],
  );
  return result.rows
    .filter((row) => row.is_news)
    .map((row) => ({ scanKey: row.scan_key, trackingKey: row.tracking_key }));
}
