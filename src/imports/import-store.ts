import type { ParcelReport, Scan } from '../carriers/adapter.js';
import type { Sql } from '../db/database.js';
import type { AppError } from '../errors.js';
import { insertScans, type ReportRow, reportRowsOf } from '../inbox/scan-store.js';
import type { OrderParcel } from '../promises/order-store.js';
import { registerOrders } from '../promises/register-order.js';
import { addUpScans } from '../shipments/track-shipments.js';
import type { TrackingEvent } from '../shipments/tracking-event.js';
import type { ImportedOrder } from './imported-order.js';

/** The source of imported scans. No webhook has this name. */
const SOURCE = 'import';

export type RegistrationOutcome =
  | { readonly outcome: 'registered' | 'completed' | 'unchanged' }
  | { readonly outcome: 'rejected'; readonly error: AppError };

/**
 * Registers many orders, each once, or completes those that are known, by the rules of a registration over HTTP; adds their
 * scans and adds them up. A number of statements that does not depend on how many there are.
 *
 * No order is judged here. What is new is due when its promise ends, and what was judged before and has changed is due now: the
 * deadline watch or the sweep finds both.
 * @param orders no id twice
 * @returns an outcome for each order, in their order, and other orders that share a changed parcel: they are to be judged
 */
export async function registerWithScans(
  sql: Sql,
  orders: readonly ImportedOrder[],
  registeredAt: Date,
): Promise<{ outcomes: RegistrationOutcome[]; sharers: string[] }> {
  const { refused, created, changed, parcels } = await registerOrders(sql, orders, registeredAt);
  const accepted = orders.filter(({ id }) => !refused.has(id));
  const scans = await insertEvents(sql, accepted);
  const isNew = new Set([...changed, ...scans.map(({ orderId }) => orderId)]);
  const touched = await addUpScans(sql, [...new Set([...parcels, ...scans].map(({ trackingKey }) => trackingKey))]);
  await makeDue(
    sql,
    accepted.filter(({ id }) => isNew.has(id) && !created.has(id)).map(({ id }) => id),
    registeredAt,
  );

  const ours = new Set(orders.map(({ id }) => id));
  const outcomes = orders.map(({ id }): RegistrationOutcome => {
    const error = refused.get(id);
    if (error) return { outcome: 'rejected', error };
    if (created.has(id)) return { outcome: 'registered' };
    return { outcome: isNew.has(id) ? 'completed' : 'unchanged' };
  });
  return { outcomes, sharers: [...new Set(touched.map(({ orderId }) => orderId))].filter((id) => !ours.has(id)) };
}

/** Stores the scans as those of a carrier are. @returns the parcels of those that are new */
async function insertEvents(sql: Sql, orders: readonly ImportedOrder[]): Promise<OrderParcel[]> {
  const reports: { orderId: string; row: ReportRow }[] = [];
  for (const { id: orderId, order, events } of orders) {
    const parcels = order.shipments.flatMap((shipment, index) => {
      const ofShipment = events[index] ?? [];
      return ofShipment.length === 0 ? [] : [toReport(shipment, ofShipment)];
    });
    const rows = reportRowsOf({ inboxId: null, source: SOURCE, carrier: null, parcels });
    reports.push(...rows.map((row) => ({ orderId, row })));
  }
  const inserted = await insertScans(
    sql,
    reports.map(({ row }) => row),
  );
  return reports
    .filter(({ row }) => row.scans.some(({ scanKey }) => inserted.has(scanKey)))
    .map(({ orderId, row }) => ({ orderId, trackingKey: row.trackingKey }));
}

function toReport(
  { carrier, trackingNumber }: { carrier: string; trackingNumber: string },
  events: readonly TrackingEvent[],
): ParcelReport {
  const scans = events.map((event): Scan => {
    // Files say our own words, so those are the words of the source.
    const code = event.exception === null ? event.status : `${event.status}/${event.exception}`;
    return { ...event, code, text: null, place: null, isBorrowed: false, unrecognised: null };
  });
  return { carrier, trackingNumber, estimate: null, reportedAt: new Date(0), scans, snapshot: null };
}

/** What was judged before and is otherwise now is judged again by whoever looks next. */
async function makeDue(sql: Sql, ids: readonly string[], at: Date): Promise<void> {
  if (ids.length === 0) return;
  await sql.query(
    'UPDATE orders SET due_at = $2 WHERE id = ANY($1) AND judged_at IS NOT NULL AND (due_at IS NULL OR due_at > $2)',
    [ids, at],
  );
}
