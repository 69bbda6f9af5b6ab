import { trackingKeyOf } from '../carriers/matching.js';
import { recordNotices, tellingIds } from '../compensation/notice-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, type FieldError } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { addCustomers, saveCustomers } from './customer-store.js';
import { confirmedNotice } from './notices.js';
import type { OrderDocument } from './order-document.js';
import {
  completeOrders,
  insertOrders,
  insertShipments,
  lockRegisteredPromises,
  type OrderParcel,
  type OrderToRegister,
  type RegisteredPromises,
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
 * @throws AppError `promise_changed`, `customer_changed`, or `invalid_request` for a second currency, two promises of one
 *   parcel or a parcel of a digital order, with the fields; nothing is written then
 */
export async function registerOrder(deps: Deps, id: string, order: OrderDocument): Promise<Registration> {
  refuseTwoPromisesOfOneParcel(order);
  const { promisedUntil } = boundOf(order.promise, 0);
  const trace = newId();
  const { outcome, tickets } = await deps.db.transaction(async (sql) => {
    const registeredAt = await readNow(sql, deps.clock);
    const registered = await registerOrders(
      sql,
      [{ id, order, promisedUntil, dueAt: promisedUntil, backfill: false }],
      registeredAt,
    );
    const refusal = registered.refused.get(id);
    if (refusal) throw refusal;
    const created = registered.created.has(id);
    if (!created && !registered.changed.has(id)) return { outcome: 'unchanged' as const, tickets: [] };
    const notices = created ? await noticeConfirmed(deps, sql, { id, order, promisedUntil, registeredAt }) : [];
    return {
      outcome: created ? ('created' as const) : ('completed' as const),
      tickets: [
        ...(await issueFor(sql, id, order, trace)),
        ...(await issueTickets(sql, { stage: 'send-messages', ids: notices, trigger: 'registration', trace })),
      ],
    };
  });
  // The answer does not wait for the queue: what is committed gets there in any case.
  void deps.queues.announce(tickets);
  deps.log.debug({ trace, outcome }, 'register-order');
  return { outcome, promisedUntil };
}

/** Orders placed longer ago are brought over from elsewhere: their customers know what was promised. */
const NEW_FOR_MS = 3 * 86_400_000;

/**
 * A shop that wants so has its customers told what was promised, as long as that is to come, of orders placed just now and by
 * a policy that is in force. @returns ids of notices
 */
async function noticeConfirmed(
  deps: Pick<Deps, 'config' | 'policies'>,
  sql: Sql,
  {
    id,
    order,
    promisedUntil,
    registeredAt,
  }: { id: string; order: OrderDocument; promisedUntil: Date; registeredAt: Date },
): Promise<string[]> {
  if (!deps.config.serviceLetters.has('order-confirmed') || registeredAt >= promisedUntil) return [];
  if (order.placedAt && registeredAt.getTime() - order.placedAt.getTime() > NEW_FOR_MS) return [];
  const { policy } = await deps.policies.active(sql);
  if (policy.mode !== 'active') return [];
  return tellingIds(await recordNotices(sql, [confirmedNotice(id, order, policy, registeredAt)], registeredAt));
}

/** Through track-shipments where there are numbers, as their scans may have come before; else straight to the judge. */
function issueFor(sql: Sql, id: string, order: OrderDocument, trace: string) {
  const keys = [...new Set(order.shipments.map((shipment) => trackingKeyOf(shipment.trackingNumber)))];
  return keys.length > 0
    ? issueTickets(sql, { stage: 'track-shipments', ids: keys, trigger: 'registration', trace })
    : issueTickets(sql, { stage: 'judge-promises', ids: [id], trigger: 'registration', trace });
}

/** What became of orders, by their ids. */
export interface Registered {
  readonly refused: ReadonlyMap<string, AppError>;
  readonly created: ReadonlySet<string>;
  /** Those that something was new in. */
  readonly changed: ReadonlySet<string>;
  /** The parcels that are new. */
  readonly parcels: readonly OrderParcel[];
}

/**
 * Registers orders, each once, or completes those that are known, in the caller's transaction. Nothing is written of what is
 * refused. A number of statements that does not depend on how many there are; those taken stay locked.
 * @param orders no id twice
 */
export async function registerOrders(
  sql: Sql,
  orders: readonly OrderToRegister[],
  registeredAt: Date,
): Promise<Registered> {
  const known = new Map<string, RegisteredPromises>();
  const refused = new Map<string, AppError>();
  // Orders before customers before parcels, as everywhere.
  const compare = async (some: readonly OrderToRegister[]) => {
    const ids = some.map(({ id }) => id);
    for (const [id, promises] of await lockRegisteredPromises(sql, ids)) known.set(id, promises);
    for (const { id, order } of some) {
      const refusal = refusalOf(known.get(id), order);
      if (refusal) refused.set(id, refusal);
    }
  };
  await compare(orders);
  const fresh = orders.filter(({ id }) => !known.has(id));
  const newCustomers = await addCustomers(sql, fresh);
  const created = await insertOrders(sql, fresh, registeredAt);
  // Somebody registered these between our look and our insert: now they are there to compare with.
  const theirs = fresh.filter(({ id }) => !created.has(id));
  if (theirs.length > 0) await compare(theirs);

  const accepted = orders.filter(({ id }) => !refused.has(id));
  const changed = await saveCustomers(sql, accepted, newCustomers);
  const older = accepted.filter(({ id }) => !created.has(id));
  for (const id of await completeOrders(sql, older)) changed.add(id);
  const parcels = await insertShipments(sql, accepted, known);
  for (const { orderId } of parcels) changed.add(orderId);
  return { refused, created, changed, parcels };
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

/** Why a document cannot complete what is registered: `promise_changed`, `customer_changed`, or `invalid_request` for a second currency or a parcel of a digital order. */
function refusalOf(known: RegisteredPromises | undefined, order: OrderDocument): AppError | null {
  if (!known) return null;
  if (known.customerId !== order.customer.id) {
    return new AppError('customer_changed', 'This order is registered for another customer.', {
      errors: [{ field: 'customer.id', message: 'differs from the customer that the order was registered for' }],
    });
  }
  const digital = digitalRefusalOf(known, order);
  if (digital) return digital;
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
    return new AppError('promise_changed', 'The first promise made is kept for ever; an estimate never replaces it.', {
      errors,
    });
  }
  return secondCurrencyOf(known.money, order);
}

/** A parcel does not become a download, nor the other way round: it would be judged otherwise. */
function digitalRefusalOf({ digital }: RegisteredPromises, order: OrderDocument): AppError | null {
  if ((order.digital ?? digital) !== digital) {
    return new AppError('promise_changed', 'Whether an order is digital never changes.', {
      errors: [{ field: 'digital', message: `is ${digital} and never changes` }],
    });
  }
  if (!digital || order.shipments.length === 0) return null;
  return new AppError('invalid_request', 'A digital order has no parcel.', {
    errors: [{ field: 'shipments', message: 'must be empty: the order is digital' }],
  });
}

/** An amount that was said in one currency must not become one in another because a later document names only the other. */
function secondCurrencyOf(known: RegisteredPromises['money'], order: OrderDocument): AppError | null {
  for (const [given, other] of [
    ['total', 'shippingPaid'],
    ['shippingPaid', 'total'],
  ] as const) {
    const money = order[given];
    if (!money || order[other] || !known[other] || money.currency === known.currency) continue;
    return new AppError('invalid_request', 'All money of an order is in one currency.', {
      errors: [{ field: `${given}.currency`, message: `must be ${known.currency}, the currency of its other amount` }],
    });
  }
  return null;
}

function isSame(a: DeliveryPromise, b: DeliveryPromise): boolean {
  if (a.timeZone !== b.timeZone) return false;
  if ('on' in a) return 'on' in b && a.on === b.on;
  return 'at' in b && a.at.getTime() === b.at.getTime();
}

function describe(promise: DeliveryPromise): string {
  return `${'on' in promise ? promise.on : promise.at.toISOString()} (${promise.timeZone})`;
}
