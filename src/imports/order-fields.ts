/** What a field of an order holds, and so how a cell is read for it. */
export type FieldKind =
  | 'text'
  | 'flag'
  /** Minor units of money. */
  | 'amount'
  /** A day of the calendar: the date as it stands in the cell. */
  | 'date'
  /** A moment: a cell without offset is read in a zone. */
  | 'instant'
  /** As `instant`; a date alone is its beginning. */
  | 'instant-or-day'
  /** As `instant`; a time of day that came twice or never stays as it was read. */
  | 'event-instant'
  /** A time of day that a clock on the wall showed. */
  | 'wall-clock';

const PROMISE = { on: 'date', at: 'instant', timeZone: 'text', service: 'text' } as const;

/** The fields of `PUT /v1/orders/{id}` that a mapping may name, besides `id` and the events of a shipment. */
export const ORDER_FIELDS: Readonly<Record<string, FieldKind>> = {
  id: 'text',
  'customer.id': 'text',
  'customer.email': 'text',
  'customer.name': 'text',
  'customer.phone': 'text',
  'customer.locale': 'text',
  'customer.membership.tier': 'text',
  'customer.membership.renewsOn': 'date',
  'customer.membership.trial': 'flag',
  placedAt: 'instant-or-day',
  'total.amountMinor': 'amount',
  'total.currency': 'text',
  'shippingPaid.amountMinor': 'amount',
  'shippingPaid.currency': 'text',
  ...under('promise', PROMISE),
  shipBy: 'instant',
  digital: 'flag',
  'occasion.name': 'text',
  'occasion.on': 'date',
  'destination.country': 'text',
  'destination.region': 'text',
  'destination.postalCode': 'text',
  'providerReferences.stripe.paymentIntent': 'text',
  'providerReferences.stripe.customer': 'text',
  'providerReferences.stripe.subscription': 'text',
  'providerReferences.shopify.order': 'text',
  'providerReferences.shopify.customer': 'text',
  'shipments[n].carrier': 'text',
  'shipments[n].trackingNumber': 'text',
  'shipments[n].service': 'text',
  ...under('shipments[n].promise', PROMISE),
  'shipments[n].events[n].status': 'text',
  'shipments[n].events[n].at': 'event-instant',
  'shipments[n].events[n].local': 'wall-clock',
  'shipments[n].events[n].on': 'date',
  'shipments[n].events[n].exception': 'text',
};

/** Objects that say nothing without one of these: an empty cell there leaves the whole object out. */
export const LEADING_FIELDS: Readonly<Record<string, readonly string[]>> = {
  total: ['amountMinor'],
  shippingPaid: ['amountMinor'],
  occasion: ['on'],
  membership: ['tier'],
  promise: ['on', 'at', 'service'],
};

/** Places in the lists of one order. More is a mistake in the mapping. */
const MOST_PLACES = 200;

/** A step on the way to a field: a name, or a place in a list. */
export type Step = string | number;

/** Reads a path such as `shipments[0].events[1].at`; null when an order has no such field. */
export function parseFieldPath(path: string): { readonly kind: FieldKind; readonly steps: readonly Step[] } | null {
  const general = path.replace(/\[(?:0|[1-9]\d{0,2})\]/g, '[n]');
  const kind = Object.hasOwn(ORDER_FIELDS, general) ? ORDER_FIELDS[general] : undefined;
  if (kind === undefined || path.includes('[n]')) return null;
  const steps = [...path.matchAll(/([a-zA-Z]+)|(\d+)/g)].map(([text, name]) => name ?? Number(text));
  return steps.some((step) => typeof step === 'number' && step >= MOST_PLACES) ? null : { kind, steps };
}

function under(parent: string, fields: Readonly<Record<string, FieldKind>>): Record<string, FieldKind> {
  return Object.fromEntries(Object.entries(fields).map(([name, kind]) => [`${parent}.${name}`, kind]));
}
