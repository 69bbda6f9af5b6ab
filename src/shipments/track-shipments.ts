import type { Sql } from '../db/database.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { TransactionStage } from '../queue/run-ticket.js';
import { applyEvents } from './apply-events.js';
import { lockShipmentsByNumber, type Shipment, saveAliases, saveStates, settleScans } from './shipment-store.js';

/**
 * track-shipments: finds the parcels that new scans belong to, marks scans that were corrected, and adds up the others
 *                  to a state.
 * Reads:    shipments, tracking events, histories, estimates
 * Writes:   marks of tracking events, shipment state, outbox(judge-promises)   one transaction
 * Twice:    a state is computed from all scans, so the second run writes the same again.
 * If lost:  the sweep finds shipments with scans newer than their state; a correction alone is seen with the next scan.
 */
export const trackShipments: TransactionStage['run'] = async (_deps, { sql, ticket }) => {
  const shipments = await addUpScans(sql, ticket.ids);
  // Numbers that no order has yet stay as they are: registering the order issues this ticket again.
  const orderIds = [...new Set(shipments.map((shipment) => shipment.orderId))];
  const { trigger, trace } = ticket;
  const next = await issueTickets(sql, { stage: 'judge-promises', ids: orderIds, trigger, trace });
  return { next, counts: { numbers: ticket.ids.length, shipments: shipments.length, orders: orderIds.length } };
};

/**
 * Adds up the scans of the parcels that bear these tracking keys, and records what they come to.
 * @returns the parcels, taken until the transaction ends
 */
export async function addUpScans(sql: Sql, trackingKeys: readonly string[]): Promise<Shipment[]> {
  const shipments = await lockShipmentsByNumber(sql, trackingKeys);
  const scans = await settleScans(sql, shipments);
  const states = shipments.map((shipment) => ({
    id: shipment.id,
    ...applyEvents(scans.get(shipment.id) ?? [], shipment.destinationZone),
  }));
  await saveStates(sql, states);
  const aliases = shipments.flatMap(({ id, carrierKey, aliasKeys }) =>
    (scans.get(id) ?? [])
      .filter((scan) => !scan.firstHand && scan.carrierKey !== carrierKey && !aliasKeys.includes(scan.carrierKey))
      .map((scan) => ({ id, carrierKey: scan.carrierKey })),
  );
  await saveAliases(sql, aliases);
  return shipments;
}
