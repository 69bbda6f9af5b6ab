import { trackingKeyOf } from '../carriers/matching.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, type FieldError } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { OrderDocument } from './order-document.js';
import {
  addCustomer,
  addShipments,
  completeOrder,
  insertOrder,
  lockRegisteredPromises,
  type RegisteredPromises,
  saveCustomer,
  shipmentKeyOf,
} from './order-store.js';
import type { DeliveryPromise } from './promise.js';
import { boundOf } from './verdict.js';

export interface Registration {
  readonly outcome: 'created' | 'completed' | 'unchanged';
  readonly promisedUntil: Date;
}

/**
 * Registers an order, or completes one that is known: what the document gives replaces what was known, what it leaves out
 * stays, shipments are added. Scans that came before the order are found by its tracking numbers.
 * @throws AppError `promise_changed`, `customer_changed`, or `invalid_request` for a second currency or two promises of
 *   one parcel, with the fields; nothing is written then
 */
export async function registerOrder(deps: Deps, id: string, order: OrderDocument): Promise<Registration> {
  refuseTwoPromisesOfOneParcel(order);
  const { promisedUntil } = boundOf(order.promise, 0);
  const trace = newId();
  const { outcome, tickets } = await deps.db.transaction(async (sql) => {
    const registeredAt = await readNow(sql, deps.clock);
    const known = await lockRegisteredPromises(sql, id);
    if (known) refuseChanges(known, order);
    // Orders before customers, as everywhere: a new customer is only made here, and written when the order is ours.
    const newCustomer = await addCustomer(sql, order.customer.id);
    const created = !known && (await insertOrder(sql, id, order, { promisedUntil, registeredAt }));
    if (!known && !created) {
      // Somebody registered it between our look and our insert: now it is there to compare with.
      const theirs = await lockRegisteredPromises(sql, id);
      if (theirs) refuseChanges(theirs, order);
    }
    const customerChanged = (await saveCustomer(sql, order)) || newCustomer;
    const factsChanged = !created && (await completeOrder(sql, id, order));
    const added = await addShipments(sql, id, order);
    if (!created && !customerChanged && !factsChanged && added === 0)
      return { outcome: 'unchanged' as const, tickets: [] };
    return {
      outcome: created ? ('created' as const) : ('completed' as const),
      tickets: await issueFor(sql, id, order, trace),
    };
  });
  // The answer does not wait for the queue: what is committed gets there in any case.
  void deps.queues.announce(tickets);
  deps.log.debug({ trace, outcome }, 'register-order');
  return { outcome, promisedUntil };
}

/** Through track-shipments where there are numbers, as their scans may have come before; else straight to the judge. */
function issueFor(sql: Parameters<typeof issueTickets>[0], id: string, order: OrderDocument, trace: string) {
  const keys = [...new Set(order.shipments.map((shipment) => trackingKeyOf(shipment.trackingNumber)))];
  return keys.length > 0
    ? issueTickets(sql, { stage: 'track-shipments', ids: keys, trigger: 'registration', trace })
    : issueTickets(sql, { stage: 'judge-promises', ids: [id], trigger: 'registration', trace });
}

/** A parcel may be named twice, as shops list it by item. Promised twice, the second would be taken for a change next time. */
export function refuseTwoPromisesOfOneParcel(order: OrderDocument): void {
  const promises = new Map<string, DeliveryPromise>();
  const errors: FieldError[] = [];
  order.shipments.forEach((shipment, index) => {
    const key = shipmentKeyOf(shipment);
    const promise = shipment.promise ?? order.promise;
    const first = promises.get(key);
    if (!first) promises.set(key, promise);
    else if (!isSame(first, promise)) {
      const message = `differs from ${describe(first)}, promised for the same parcel above`;
      errors.push({ field: `shipments[${index}].promise`, message });
    }
  });
  if (errors.length > 0) {
    throw new AppError('invalid_request', 'One parcel is named twice, with two promises.', { errors });
  }
}

/** @throws AppError `promise_changed`, `customer_changed`, or `invalid_request` for a second currency */
export function refuseChanges(known: RegisteredPromises, order: OrderDocument): void {
  if (known.customerId !== order.customer.id) {
    throw new AppError('customer_changed', 'This order is registered for another customer.', {
      errors: [{ field: 'customer.id', message: 'differs from the customer that the order was registered for' }],
    });
  }
  const errors: FieldError[] = [];
  const differs = (field: string, promise: DeliveryPromise) =>
    errors.push({ field, message: `was promised as ${describe(promise)} and never changes` });
  if (!isSame(known.promise, order.promise)) differs('promise', known.promise);
  order.shipments.forEach((shipment, index) => {
    const own = known.shipments.get(shipmentKeyOf(shipment));
    if (own === undefined || !shipment.promise) return;
    if (!isSame(own ?? known.promise, shipment.promise)) differs(`shipments[${index}].promise`, own ?? known.promise);
  });
  if (errors.length > 0) {
    throw new AppError('promise_changed', 'The first promise made is kept for ever; an estimate never replaces it.', {
      errors,
    });
  }
  refuseSecondCurrency(known.money, order);
}

/** An amount that was said in one currency must not become one in another because a later document names only the other. */
function refuseSecondCurrency(known: RegisteredPromises['money'], order: OrderDocument): void {
  for (const [given, other] of [
    ['total', 'shippingPaid'],
    ['shippingPaid', 'total'],
  ] as const) {
    const money = order[given];
    if (!money || order[other] || !known[other] || money.currency === known.currency) continue;
    throw new AppError('invalid_request', 'All money of an order is in one currency.', {
      errors: [{ field: `${given}.currency`, message: `must be ${known.currency}, the currency of its other amount` }],
    });
  }
}

function isSame(a: DeliveryPromise, b: DeliveryPromise): boolean {
  if (a.timeZone !== b.timeZone) return false;
  if ('on' in a) return 'on' in b && a.on === b.on;
  return 'at' in b && a.at.getTime() === b.at.getTime();
}

function describe(promise: DeliveryPromise): string {
  return `${'on' in promise ? promise.on : promise.at.toISOString()} (${promise.timeZone})`;
}
