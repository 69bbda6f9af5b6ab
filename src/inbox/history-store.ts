import type { Sql } from '../db/database.js';
import { addSnapshot, type ToldScan, type ToldScans } from '../shipments/told-scans.js';
import type { ReportRow } from './scan-store.js';

/** A parcel as one source tells of it. */
interface HistoryKey {
  readonly trackingKey: string;
  readonly carrierKey: string;
  readonly source: string;
}

/**
 * Adds snapshots to what their sources have told so far. Takes the histories in the order of their keys, so that two batches
 * never deadlock.
 * @returns the tracking keys of parcels of which a scan may be corrected by now, or no longer corrected
 */
export async function saveSnapshots(sql: Sql, reports: readonly ReportRow[]): Promise<string[]> {
  const byKey = new Map<string, { key: HistoryKey; reports: ReportRow[] }>();
  for (const report of reports) {
    if (report.report.snapshot === null) continue;
    const text = textOf(report);
    const known = byKey.get(text);
    if (known) known.reports.push(report);
    else byKey.set(text, { key: report, reports: [report] });
  }
  if (byKey.size === 0) return [];
  const texts = [...byKey.keys()].sort();
  const keys = texts.map((text) => byKey.get(text)?.key as HistoryKey);
  const told = await lockHistories(sql, keys);

  const changed: { key: HistoryKey; told: ToldScans }[] = [];
  const news = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const key = keys[index] as HistoryKey;
    const before = told.get(text) ?? new Map<string, ToldScan>();
    let after: ToldScans = before;
    let isNews = false;
    for (const { report, scans } of byKey.get(text)?.reports ?? []) {
      const added = addSnapshot(after, {
        takenAt: report.reportedAt.getTime(),
        reachesBackTo: report.snapshot?.reachesBackTo.getTime() ?? report.reportedAt.getTime(),
        scanKeys: scans.map(({ scanKey }) => scanKey),
      });
      after = added.told;
      isNews ||= added.isNews;
    }
    // What was told before, told again, corrects nothing that it had not corrected.
    if (isSame(before, after)) continue;
    changed.push({ key, told: after });
    if (isNews) news.add(key.trackingKey);
  }
  await updateHistories(sql, changed);
  return [...news];
}

function textOf({ trackingKey, carrierKey, source }: HistoryKey): string {
  return `${trackingKey}\n${carrierKey}\n${source}`;
}

/** Takes these histories, and makes those that are not there yet. */
async function lockHistories(sql: Sql, keys: readonly HistoryKey[]): Promise<Map<string, ToldScans>> {
  const columns = [
    keys.map(({ trackingKey }) => trackingKey),
    keys.map(({ carrierKey }) => carrierKey),
    keys.map(({ source }) => source),
  ];
  await sql.query(
    `INSERT INTO histories (tracking_key, carrier_key, source, scan_keys, first_told_at, first_reaches_back_to, last_told_at)
     SELECT n.*, '{}', '{}', '{}', '{}' FROM unnest($1::text[], $2::text[], $3::text[]) AS n(tracking_key, carrier_key, source)
     ON CONFLICT DO NOTHING`,
    columns,
  );
  // A statement of its own: it sees what whoever made or held them before us has written.
  const { rows } = await sql.query(
    `SELECT h.tracking_key AS "trackingKey", h.carrier_key AS "carrierKey", h.source, h.scan_keys, h.first_told_at,
       h.first_reaches_back_to, h.last_told_at
     FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS n(tracking_key, carrier_key, source, place)
       JOIN histories h USING (tracking_key, carrier_key, source)
     ORDER BY n.place FOR NO KEY UPDATE OF h`,
    columns,
  );
  return new Map(rows.map((row) => [textOf(row), toldOf(row)]));
}

interface HistoryRow extends HistoryKey {
  readonly scan_keys: string[];
  readonly first_told_at: Date[];
  readonly first_reaches_back_to: Date[];
  readonly last_told_at: Date[];
}

function toldOf(row: HistoryRow): ToldScans {
  return new Map(
    row.scan_keys.map((scanKey, index) => [
      scanKey,
      {
        firstToldAt: row.first_told_at[index]?.getTime() ?? 0,
        firstReachesBackTo: row.first_reaches_back_to[index]?.getTime() ?? 0,
        lastToldAt: row.last_told_at[index]?.getTime() ?? 0,
      },
    ]),
  );
}

function isSame(before: ToldScans, after: ToldScans): boolean {
  if (before.size !== after.size) return false;
  for (const [scanKey, one] of after) {
    const other = before.get(scanKey);
    if (
      other?.firstToldAt !== one.firstToldAt ||
      other.firstReachesBackTo !== one.firstReachesBackTo ||
      other.lastToldAt !== one.lastToldAt
    ) {
      return false;
    }
  }
  return true;
}

async function updateHistories(sql: Sql, changed: readonly { key: HistoryKey; told: ToldScans }[]): Promise<void> {
  if (changed.length === 0) return;
  const instants = (told: ToldScans, of: (scan: ToldScan) => number) =>
    literalOf([...told.values()].map((scan) => new Date(of(scan)).toISOString()));
  await sql.query(
    `UPDATE histories h SET scan_keys = n.scan_keys::uuid[], first_told_at = n.first_told_at::timestamptz[],
       first_reaches_back_to = n.first_reaches_back_to::timestamptz[], last_told_at = n.last_told_at::timestamptz[]
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       AS n(tracking_key, carrier_key, source, scan_keys, first_told_at, first_reaches_back_to, last_told_at)
     WHERE (h.tracking_key, h.carrier_key, h.source) = (n.tracking_key, n.carrier_key, n.source)`,
    [
      changed.map(({ key }) => key.trackingKey),
      changed.map(({ key }) => key.carrierKey),
      changed.map(({ key }) => key.source),
      changed.map(({ told }) => literalOf([...told.keys()])),
      changed.map(({ told }) => instants(told, ({ firstToldAt }) => firstToldAt)),
      changed.map(({ told }) => instants(told, ({ firstReachesBackTo }) => firstReachesBackTo)),
      changed.map(({ told }) => instants(told, ({ lastToldAt }) => lastToldAt)),
    ],
  );
}

/** Arrays of different length cannot be unnested, so each travels as its literal. Keys and instants need no quotes. */
function literalOf(values: readonly string[]): string {
  return `{${values.join(',')}}`;
}
