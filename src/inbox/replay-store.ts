import type { Sql } from '../db/database.js';
import type { EventTime } from '../shipments/tracking-event.js';
import { isMisread } from './misread-scans.js';
import type { ReportRow, ScanOfParcel } from './scan-store.js';

/** A webhook as it lies in the inbox. */
export interface InboxRow {
  readonly id: string;
  readonly source: string;
  readonly deliveryId: string | null;
  readonly body: Buffer;
  readonly receivedAt: Date;
}

/** Which webhooks. `until` bounds the run: what comes while it runs is read with the code of today anyway. */
export interface InboxFilter {
  /** null: of every source. */
  readonly source: string | null;
  /** null: from the first on. */
  readonly since: Date | null;
  readonly until: Date;
}

export async function countWebhooks(sql: Sql, { source, since, until }: InboxFilter): Promise<number> {
  const { rows } = await sql.query(
    `SELECT count(*) AS count FROM inbox
     WHERE received_at <= $1 AND ($2::timestamptz IS NULL OR received_at >= $2) AND ($3::text IS NULL OR source = $3)`,
    [until, since, source],
  );
  return rows[0].count;
}

/** The next webhooks in the order in which they came, so many and together so heavy; one at least, however heavy it is. */
export async function loadWebhooks(
  sql: Sql,
  { source, since, until }: InboxFilter,
  after: Pick<InboxRow, 'id' | 'receivedAt'> | null,
  atMost: { readonly webhooks: number; readonly bytes: number },
): Promise<InboxRow[]> {
  const { rows } = await sql.query(
    `SELECT id, source, delivery_id AS "deliveryId", body, received_at AS "receivedAt" FROM (
       SELECT page.*, sum(octet_length(body)) OVER (ORDER BY received_at, id) - octet_length(body) AS bytes_before FROM (
         SELECT * FROM inbox
         WHERE received_at <= $1 AND ($2::timestamptz IS NULL OR received_at >= $2) AND ($3::text IS NULL OR source = $3)
           AND ($4::timestamptz IS NULL OR (received_at >= $4 AND (received_at, id) > ($4, $5::uuid)))
         ORDER BY received_at, id LIMIT $6
       ) page
     ) weighed WHERE bytes_before < $7 ORDER BY received_at, id`,
    [until, since, source, after?.receivedAt ?? null, after?.id ?? null, atMost.webhooks, atMost.bytes],
  );
  return rows;
}

/**
 * Gives scans the status that their own words have in today's tables. A scan is read again out of the webhook that brought it
 * and no other: what one says of the parcel as a whole can colour a scan, and which of two counts must not change from run
 * to run. What a report lends to a scan without words is not taken from it.
 *
 * The database lets the status of a scan change only where it is noted as of when its source said so, as with one that is
 * lent: so it is noted here too. No report lends a status to a scan that has words of its own.
 * @returns the scans that mean something else now
 */
export async function correctScans(sql: Sql, reports: readonly ReportRow[]): Promise<ScanOfParcel[]> {
  const rows = reports.flatMap(({ inboxId, report, scans }) =>
    scans.flatMap(({ scanKey, scan }) =>
      scan.isBorrowed ? [] : [{ scanKey, inboxId, scan, reportedAt: report.reportedAt }],
    ),
  );
  const read = [
    rows.map(({ scanKey }) => scanKey),
    rows.map(({ inboxId }) => inboxId),
    rows.map(({ scan }) => scan.status),
    rows.map(({ scan }) => scan.exception),
    rows.map(({ reportedAt }) => reportedAt),
  ];
  // Mostly there is nothing, and then no scan is locked.
  const { rows: wrong } = await sql.query(`SELECT e.scan_key ${WRONG_STATUS} ORDER BY e.scan_key`, read);
  if (wrong.length === 0) return [];
  await sql.query('SELECT 1 FROM tracking_events WHERE scan_key = ANY($1) ORDER BY scan_key FOR NO KEY UPDATE', [
    wrong.map((row) => row.scan_key),
  ]);
  const corrected = await sql.query(
    `UPDATE tracking_events t SET status = w.status, exception = w.exception, borrowed_at = w.reported_at
     FROM (SELECT e.scan_key, n.status, n.exception, n.reported_at ${WRONG_STATUS}) w WHERE t.scan_key = w.scan_key
     RETURNING t.scan_key, t.tracking_key`,
    read,
  );
  return corrected.rows.map(toScanOfParcel);
}

const WRONG_STATUS = `FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
    AS n(scan_key, inbox_id, status, exception, reported_at)
  JOIN tracking_events e ON e.scan_key = n.scan_key AND e.inbox_id = n.inbox_id
  WHERE (e.status, e.exception) IS DISTINCT FROM (n.status, n.exception) AND (n.status <> 'unknown' OR e.borrowed_at IS NULL)`;

/**
 * Takes away scans that these webhooks brought, and that were misread: none of them tells them any more, and in the place of each
 * its own webhook tells another. The webhook itself, which is what the carrier said, stays as it is.
 * @returns the scans that are there no more
 */
export async function withdrawMisread(sql: Sql, reports: readonly ReportRow[]): Promise<ScanOfParcel[]> {
  const { rows } = await sql.query(
    `SELECT e.scan_key, e.tracking_key, e.inbox_id, e.code, e.text, e.place, e.occurred_at, e.occurred_local, e.occurred_on, e.time_zone
     FROM tracking_events e WHERE e.tracking_key = ANY($1) AND e.inbox_id = ANY($2::uuid[])
       AND NOT EXISTS (SELECT 1 FROM unnest($3::uuid[]) AS n(scan_key) WHERE n.scan_key = e.scan_key)`,
    [
      [...new Set(reports.map(({ trackingKey }) => trackingKey))],
      [...new Set(reports.map(({ inboxId }) => inboxId))],
      reports.flatMap(({ scans }) => scans.map(({ scanKey }) => scanKey)),
    ],
  );
  const misread = rows.filter((row) => {
    const readToday = reports
      .filter(({ inboxId, trackingKey }) => inboxId === row.inbox_id && trackingKey === row.tracking_key)
      .flatMap(({ scans }) => scans.map(({ scan }) => scan));
    return isMisread({ time: timeOf(row), code: row.code, text: row.text, place: row.place }, readToday);
  });
  if (misread.length === 0) return [];
  const scanKeys = misread.map((row) => row.scan_key);
  await sql.query(
    `DELETE FROM tracking_events WHERE scan_key IN
       (SELECT scan_key FROM tracking_events WHERE scan_key = ANY($1) ORDER BY scan_key FOR UPDATE)`,
    [scanKeys],
  );
  // What no snapshot ever told cannot be left out by one.
  await sql.query(
    `UPDATE histories h SET (scan_keys, first_told_at, first_reaches_back_to, last_told_at) = (
       SELECT coalesce(array_agg(t.scan_key ORDER BY t.place), '{}'), coalesce(array_agg(t.first_told_at ORDER BY t.place), '{}'),
         coalesce(array_agg(t.reaches_back_to ORDER BY t.place), '{}'), coalesce(array_agg(t.last_told_at ORDER BY t.place), '{}')
       FROM unnest(h.scan_keys, h.first_told_at, h.first_reaches_back_to, h.last_told_at) WITH ORDINALITY
         AS t(scan_key, first_told_at, reaches_back_to, last_told_at, place)
       WHERE t.scan_key <> ALL($1::uuid[]))
     WHERE h.tracking_key = ANY($2) AND h.scan_keys && $1::uuid[]`,
    [scanKeys, misread.map((row) => row.tracking_key)],
  );
  return misread.map(toScanOfParcel);
}

const toScanOfParcel = (row: { scan_key: string; tracking_key: string }): ScanOfParcel => ({
  scanKey: row.scan_key,
  trackingKey: row.tracking_key,
});

function timeOf(row: {
  occurred_at: Date | null;
  occurred_local: string | null;
  occurred_on: string | null;
  time_zone: string | null;
}): EventTime {
  const zone = row.time_zone === null ? {} : { timeZone: row.time_zone };
  if (row.occurred_at !== null) return { at: row.occurred_at };
  return row.occurred_local === null ? { on: row.occurred_on ?? '', ...zone } : { local: row.occurred_local, ...zone };
}

/** The orders that have parcels with these numbers. */
export async function findOrdersOfNumbers(sql: Sql, trackingKeys: readonly string[]): Promise<string[]> {
  if (trackingKeys.length === 0) return [];
  const { rows } = await sql.query('SELECT DISTINCT order_id FROM shipments WHERE tracking_key = ANY($1)', [
    trackingKeys,
  ]);
  return rows.map((row) => row.order_id);
}
