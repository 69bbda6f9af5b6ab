import { AppError } from '../errors.js';
import type { MappingPreset, Refine } from './order-mapping.js';

/*
 * The file of orders that the admin of Shopify exports (Orders, Export, "Plain CSV file"). A row is a line item, and the first
 * row of an order carries the order: of the rows below it only the name of the order, its mail address, its date and the item
 * are filled. The file has no customer ids, no tracking numbers and no delivery date.
 */

/** Without these, it is another file. */
const NEEDED = ['Name', 'Email', 'Created at', 'Currency', 'Total'];
/** What the first row of an order has and those of its further line items have not. */
const OF_THE_ORDER = ['Currency', 'Total', 'Id'];

/**
 * Which column is which field. The id is the name (`#1001`): customers and agents say it, and spreadsheets round the long number
 * in `Id`, which may be missing besides. The customer is the mail address, as the file has no other id.
 */
const MAPPING: Readonly<Record<string, string | { readonly column: string; readonly [option: string]: string }>> = {
  id: 'Name',
  'customer.id': 'Email',
  'customer.email': 'Email',
  'customer.name': 'Billing Name',
  'customer.phone': 'Phone',
  placedAt: { column: 'Created at', format: 'yyyy-MM-dd HH:mm:ss XXX' },
  'total.amountMinor': { column: 'Total', decimal: 'currency' },
  'total.currency': 'Currency',
  'shippingPaid.amountMinor': { column: 'Shipping', decimal: 'currency' },
  'shippingPaid.currency': 'Currency',
  'destination.country': 'Shipping Country',
  'destination.region': 'Shipping Province',
  'destination.postalCode': 'Shipping Zip',
  'providerReferences.shopify.order': 'Id',
};

const REFINE: Readonly<Record<string, Refine>> = {
  // One customer writes it in several ways.
  'customer.id': (text) => text.toLowerCase(),
  'providerReferences.shopify.order': (text) =>
    /^\d{1,20}$/.test(text)
      ? `gid://shopify/Order/${text}`
      : {
          fault: `expected digits, got ${JSON.stringify(text.slice(0, 40))}: a spreadsheet rounds them, so export again`,
        },
};

const ADVICE = `the export does not say when orders were promised. Add it with --map, such as ${JSON.stringify({
  'promise.on': { column: 'Note Attributes', attribute: 'Delivery-Date', format: 'yyyy-MM-dd' },
  'promise.timeZone': { const: 'America/New_York' },
})}`;

/**
 * What is known of such a file.
 * @throws AppError `invalid_request` when the header is another one, with each column that is not there
 */
export function shopifyPreset(header: readonly string[]): MappingPreset {
  const missing = NEEDED.filter((name) => !header.includes(name));
  if (missing.length > 0) {
    const names = missing.map((name) => JSON.stringify(name)).join(', ');
    throw new AppError(
      'invalid_request',
      `This is not the file of orders that Shopify exports: it has no column ${names}. Nothing was imported.`,
    );
  }
  // Older exports have fewer columns.
  const known = Object.entries(MAPPING).filter(([, value]) =>
    header.includes(typeof value === 'string' ? value : value.column),
  );
  return { mapping: Object.fromEntries(known), refine: REFINE, promiseAdvice: ADVICE };
}

/** What a row of such a file is. */
export type ShopifyRow =
  | { readonly is: 'order'; readonly cells: readonly string[] }
  /** A further line item of the order above. */
  | { readonly is: 'line item' }
  | { readonly is: 'cancelled' }
  | { readonly is: 'stray'; readonly column: string; readonly message: string };

export interface ShopifyRows {
  /** The name of the last order, which the next row may be a further line item of; null: it cannot be told. */
  readonly orderAbove: string | null;
  look(cells: readonly string[]): ShopifyRow;
  /** A row could not be read: the line items below it may be of any order. */
  lost(): void;
}

/** Tells the rows of such a file apart, in their order. @param orderAbove of what was read before; '' at the beginning */
export function openShopifyRows(header: readonly string[], orderAbove: string | null): ShopifyRows {
  const clean = header.map(cleanerOf);
  const placeOf = (name: string): number => header.indexOf(name);
  const [name, cancelledAt] = [placeOf('Name'), placeOf('Cancelled at')];
  const ofTheOrder = OF_THE_ORDER.map(placeOf);
  let above = orderAbove;
  return {
    get orderAbove() {
      return above;
    },
    lost() {
      above = null;
    },
    look(raw) {
      const cells = raw.map((cell, place) => clean[place]?.(cell) ?? cell);
      const own = cells[name] ?? '';
      if (ofTheOrder.every((place) => (cells[place] ?? '') === '')) {
        if (above === null || (above !== '' && (own === '' || own === above))) return { is: 'line item' };
        const message = 'has no Currency, Total and Id, and the order whose line item it would be is not above it';
        return { is: 'stray', column: 'Name', message };
      }
      above = own;
      return (cells[cancelledAt] ?? '') === '' ? { is: 'order', cells } : { is: 'cancelled' };
    },
  };
}

/** Before what a spreadsheet would take for a number or a formula, an apostrophe stands that is no part of it. */
function cleanerOf(column: string): (cell: string) => string {
  const apostrophe = /\bZip$/.test(column) ? /^'/ : /^'(?=[\d+=@-])/;
  return (cell) => cell.trim().replace(apostrophe, '');
}
