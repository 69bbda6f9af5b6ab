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
  const ofText = (text: string) => byKey.get(text) as { key: HistoryKey; reports: ReportRow[] };
  const news = new Set<string>();

  // Whoever tells of a parcel for the first time is written at once: those are the most, and one row version instead of three.
  const texts = [...byKey.keys()].sort();
  const first = texts.map((text) => ({ key: ofText(text).key, ...addAll(new Map(), ofText(text).reports) }));
  const made = await insertHistories(sql, first);
  for (const { key, isNews } of first) if (isNews && made.has(textOf(key))) news.add(key.trackingKey);

  const known = texts.filter((text) => !made.has(text));
  const keys = known.map((text) => ofText(text).key);
  const told = known.length === 0 ? new Map<string, ToldScans>() : await lockHistories(sql, keys);
  const changed: ChangedHistory[] = [];
  for (const text of known) {
    const before = told.get(text) ?? new Map<string, ToldScan>();
    const { key, reports: added } = ofText(text);
    const after = addAll(before, added);
    // What was told before, told again, corrects nothing that it had not corrected.
    if (isSame(before, after.told)) continue;
    changed.push({ key, told: after.told });
    if (after.isNews) news.add(key.trackingKey);
  }
  await updateHistories(sql, changed);
  return [...news];
}

interface ChangedHistory {
  readonly key: HistoryKey;
  readonly told: ToldScans;
}

function addAll(before: ToldScans, reports: readonly ReportRow[]): { told: ToldScans; isNews: boolean } {
  let told = before;
  let isNews = false;
  for (const { report, scans } of reports) {
    const added = addSnapshot(told, {
      takenAt: report.reportedAt.getTime(),
      reachesBackTo: report.snapshot?.reachesBackTo.getTime() ?? report.reportedAt.getTime(),
      scanKeys: scans.map(({ scanKey }) => scanKey),
    });
    told = added.told;
    isNews ||= added.isNews;
  }
  return { told, isNews };
}

function textOf({ trackingKey, carrierKey, source }: HistoryKey): string {
  return `${trackingKey}\n${carrierKey}\n${source}`;
}

/** Makes the histories that are not there yet. @returns their keys as text; the others are there for `lockHistories` to see */
async function insertHistories(sql: Sql, histories: readonly ChangedHistory[]): Promise<Set<string>> {
  const { rows } = await sql.query({
    name: 'door-histories',
    text: `INSERT INTO histories (tracking_key, carrier_key, source, scan_keys, first_told_at, first_reaches_back_to, last_told_at)
     SELECT n.tracking_key, n.carrier_key, n.source, n.scan_keys::uuid[], n.first_told_at::timestamptz[],
       n.first_reaches_back_to::timestamptz[], n.last_told_at::timestamptz[]
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       AS n(tracking_key, carrier_key, source, scan_keys, first_told_at, first_reaches_back_to, last_told_at)
     ON CONFLICT DO NOTHING
     RETURNING tracking_key AS "trackingKey", carrier_key AS "carrierKey", source`,
    values: columnsOf(histories),
  });
  return new Set(rows.map(textOf));
}

/** Takes these histories, which are there. A statement of its own: it sees what whoever made or held them before has written. */
async function lockHistories(sql: Sql, keys: readonly HistoryKey[]): Promise<Map<string, ToldScans>> {
  const { rows } = await sql.query({
    name: 'door-histories-held',
    text: `SELECT h.tracking_key AS "trackingKey", h.carrier_key AS "carrierKey", h.source, h.scan_keys, h.first_told_at,
       h.first_reaches_back_to, h.last_told_at
     FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS n(tracking_key, carrier_key, source, place)
       JOIN histories h USING (tracking_key, carrier_key, source)
     ORDER BY n.place FOR NO KEY UPDATE OF h`,
    values: keyColumnsOf(keys),
  });
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

async function updateHistories(sql: Sql, changed: readonly ChangedHistory[]): Promise<void> {
  if (changed.length === 0) return;
  await sql.query({
    name: 'door-histories-told',
    text: `UPDATE histories h SET scan_keys = n.scan_keys::uuid[], first_told_at = n.first_told_at::timestamptz[],
       first_reaches_back_to = n.first_reaches_back_to::timestamptz[], last_told_at = n.last_told_at::timestamptz[]
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       AS n(tracking_key, carrier_key, source, scan_keys, first_told_at, first_reaches_back_to, last_told_at)
     WHERE (h.tracking_key, h.carrier_key, h.source) = (n.tracking_key, n.carrier_key, n.source)`,
    values: columnsOf(changed),
  });
}

function columnsOf(histories: readonly ChangedHistory[]): string[][] {
  const instants = (of: (scan: ToldScan) => number) =>
    histories.map(({ told }) => literalOf([...told.values()].map((scan) => new Date(of(scan)).toISOString())));
  return [
    ...keyColumnsOf(histories.map(({ key }) => key)),
    histories.map(({ told }) => literalOf([...told.keys()])),
    instants(({ firstToldAt }) => firstToldAt),
    instants(({ firstReachesBackTo }) => firstReachesBackTo),
    instants(({ lastToldAt }) => lastToldAt),
  ];
}

function keyColumnsOf(keys: readonly HistoryKey[]): string[][] {
  return [
    keys.map(({ trackingKey }) => trackingKey),
    keys.map(({ carrierKey }) => carrierKey),
    keys.map(({ source }) => source),
  ];
}

/** Arrays of different length cannot be unnested, so each travels as its literal. Keys and instants need no quotes. */
function literalOf(values: readonly string[]): string {
  return `{${values.join(',')}}`;
}
