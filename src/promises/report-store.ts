import type { ReportedService } from '../compensation/decision-input.js';
import type { Sql } from '../db/database.js';

export interface NewReport {
  readonly id: string;
  readonly orderId: string;
  readonly kind: string;
  readonly title: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly at: Date;
  readonly recordedAt: Date;
  readonly recordedBy: string;
}

/** Stores a report, unless the order has one of its kind. @returns false: it has */
export async function insertReport(sql: Sql, report: NewReport): Promise<boolean> {
  const { id, orderId, kind, title, evidence, at, recordedAt, recordedBy } = report;
  const { rowCount } = await sql.query(
    `INSERT INTO reported_incidents (id, order_id, kind, title, evidence, at, recorded_at, recorded_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (order_id, kind) DO NOTHING`,
    [id, orderId, kind, title, JSON.stringify(evidence), at, recordedAt, recordedBy],
  );
  return rowCount === 1;
}

/** The report of this kind that the order has. */
export async function loadReport(
  sql: Sql,
  orderId: string,
  kind: string,
): Promise<Pick<NewReport, 'id' | 'title' | 'at'> | null> {
  const { rows } = await sql.query('SELECT id, title, at FROM reported_incidents WHERE order_id = $1 AND kind = $2', [
    orderId,
    kind,
  ]);
  return rows[0] ?? null;
}

/** What was reported of these orders for up to an instant, oldest first, by order. */
export async function loadReports(
  sql: Sql,
  orderIds: readonly string[],
  asOf: Date,
): Promise<Map<string, ReportedService[]>> {
  const { rows } = await sql.query(
    'SELECT order_id, kind, title, at FROM reported_incidents WHERE order_id = ANY($1) AND at <= $2 ORDER BY at, id',
    [orderIds, asOf],
  );
  const byOrder = new Map<string, ReportedService[]>();
  for (const { order_id, ...report } of rows) byOrder.set(order_id, [...(byOrder.get(order_id) ?? []), report]);
  return byOrder;
}
