import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { readOrderMapping } from '../../src/imports/order-mapping.js';
import { type Row, readRow } from '../../src/imports/read-row.js';
import { openShopifyRows, shopifyPreset } from '../../src/imports/shopify-export.js';

const HEADER = [
  ...['Name', 'Email', 'Financial Status', 'Currency', 'Shipping', 'Total', 'Created at', 'Lineitem name'],
  ...['Billing Name', 'Shipping Zip', 'Shipping Province', 'Shipping Country', 'Note Attributes', 'Cancelled at'],
  ...['Id', 'Phone'],
];
const FIRST = {
  Name: '#2001',
  Email: 'Mia.Berg@Example.com',
  'Financial Status': 'paid',
  Currency: 'USD',
  Shipping: '4.90',
  Total: '54.90',
  'Created at': '2026-11-01 09:30:00 -0500',
  'Lineitem name': 'Teapot',
  'Billing Name': 'Mia Berg',
  'Shipping Zip': "'02139",
  'Shipping Province': 'MA',
  'Shipping Country': 'US',
  'Note Attributes': 'Gift: yes\nDelivery-Date: 2026-11-05\nDelivery-Date-Note: 2026-12-24',
  Id: '6001002003004',
  Phone: "'+16175550101",
};
/** A row that carries no order but an item of the one above. */
const ITEM = {
  Name: '#2001',
  Email: 'Mia.Berg@Example.com',
  'Created at': '2026-11-01 09:30:00 -0500',
  'Lineitem name': 'Cup',
};
const MAP = {
  'promise.on': { column: 'Note Attributes', attribute: 'Delivery-Date' },
  'promise.timeZone': { const: 'America/New_York' },
};

function read(rows: readonly Record<string, string>[], map: object = MAP, orderAbove: string | null = ''): Row[] {
  const fields = readOrderMapping(map, HEADER, shopifyPreset(HEADER));
  const shopify = openShopifyRows(HEADER, orderAbove);
  return rows.map((row, index) => {
    const extent = { line: index + 2, nextLine: index + 3, end: 0 };
    const cells = HEADER.map((name) => row[name] ?? '');
    return readRow({ outcome: 'read', ...extent, cells }, HEADER, { fields, timeZone: null, shopify });
  });
}
// biome-ignore lint/suspicious/noExplicitAny: whatever was read, the test says what it must be.
function orderOf(changes: Record<string, string>, map: object = MAP): any {
  const [row] = read([{ ...FIRST, ...changes }], map);
  if (row?.outcome !== 'read') throw new Error(JSON.stringify(row));
  return { id: row.row.id, ...row.row.order };
}
const errorsOf = (changes: Record<string, string>, map: object = MAP): [string | null, string][] => {
  const [row] = read([{ ...FIRST, ...changes }], map);
  return row?.outcome === 'rejected' ? row.errors.map(({ column, message }) => [column, message]) : [];
};
const kinds = (rows: readonly Row[]): string[] =>
  rows.map((row) => (row.outcome === 'passed over' ? row.as : row.outcome));

test('the first row of an order has all that is known of it', () => {
  expect(orderOf({})).toEqual({
    id: '#2001',
    customer: {
      id: 'mia.berg@example.com',
      email: 'Mia.Berg@Example.com',
      name: 'Mia Berg',
      phone: '+16175550101',
    },
    placedAt: new Date('2026-11-01T14:30:00Z'),
    total: { amountMinor: 5_490, currency: 'USD' },
    shippingPaid: { amountMinor: 490, currency: 'USD' },
    promise: { on: '2026-11-05', timeZone: 'America/New_York' },
    destination: { country: 'US', region: 'MA', postalCode: '02139' },
    providerReferences: { shopify: { order: 'gid://shopify/Order/6001002003004' } },
    shipments: [],
  });
});

test.each<[string, string, number]>([
  ['USD', '54.90', 5_490],
  ['USD', '54.9', 5_490],
  ['JPY', '5490', 5_490],
  ['JPY', '5490.00', 5_490],
  ['KWD', '54.905', 54_905],
  ['KWD', '54.90', 54_900],
])('of %s, %s are %i minor units', (currency, amount, wanted) => {
  const order = orderOf({ Currency: currency, Total: amount, Shipping: amount });
  expect(order.total).toEqual({ amountMinor: wanted, currency });
  expect(order.shippingPaid).toEqual({ amountMinor: wanted, currency });
});

test.each<[string, Record<string, string>, string, RegExp]>([
  ['more decimals than the currency has', { Currency: 'JPY', Total: '54.90' }, 'Total', /more than 0 decimals/],
  ['a total without currency', { Currency: '' }, 'Total', /no currency/],
  ['an order of nobody', { Email: '' }, 'Email', /customer/],
  ['a number that a spreadsheet rounded', { Id: '6.001E+12' }, 'Id', /digits.*export again/],
  ['a date that a spreadsheet wrote', { 'Created at': '11/1/2026 9:30' }, 'Created at', /yyyy-MM-dd HH:mm:ss XXX/],
  ['no line with the date', { 'Note Attributes': 'Gift: yes' }, 'Note Attributes', /line "Delivery-Date:"/],
  [
    'a line with another date',
    { 'Note Attributes': 'Delivery-Date: soon' },
    'Note Attributes',
    /ISO 8601.*"soon".*line "Delivery-Date:"/,
  ],
])('%s is refused with its column', (_name, changes, column, saying) => {
  const errors = errorsOf(changes);
  expect(errors).toContainEqual([column, expect.stringMatching(saying)]);
});

test.each<[string, string, string | undefined]>([
  ['an apostrophe before a zip of letters', "'SW1A 1AA", 'SW1A 1AA'],
  ['a zip without one', '75008', '75008'],
  ['no zip', '', undefined],
])('%s', (_name, zip, wanted) => {
  expect(orderOf({ 'Shipping Zip': zip }).destination.postalCode).toBe(wanted);
});
test('an apostrophe that belongs to a name stays', () => {
  expect(orderOf({ 'Billing Name': "'t Hooft" }).customer.name).toBe("'t Hooft");
});

describe('a row that is no first row', () => {
  test.each<[string, Record<string, string>[], string[]]>([
    ['further items are part of the order above', [FIRST, ITEM, ITEM], ['read', 'lineItems', 'lineItems']],
    ['also without its name', [FIRST, { 'Lineitem name': 'Cup' }], ['read', 'lineItems']],
    ['also of a rejected order', [{ ...FIRST, Email: '' }, ITEM], ['rejected', 'lineItems']],
    [
      'a cancelled order is left out, and its items',
      [{ ...FIRST, 'Cancelled at': '2026-11-02 08:00:00 -0500' }, ITEM, { ...FIRST, Name: '#2002' }],
      ['cancelled', 'lineItems', 'read'],
    ],
    ['below another order, it is one that lacks everything', [FIRST, { ...ITEM, Name: '#2002' }], ['read', 'rejected']],
    ['so it is at the beginning', [ITEM], ['rejected']],
    ['an order for nothing is an order', [{ ...FIRST, Total: '0.00', Shipping: '0.00' }], ['read']],
  ])('%s', (_name, rows, wanted) => {
    expect(kinds(read(rows))).toEqual(wanted);
  });

  test('an import that goes on knows the order above; where a row above was lost, it may be of any', () => {
    expect(kinds(read([ITEM], MAP, '#2001'))).toEqual(['lineItems']);
    expect(kinds(read([ITEM], MAP, '#1999'))).toEqual(['rejected']);
    const fields = readOrderMapping(MAP, HEADER, shopifyPreset(HEADER));
    const options = { fields, timeZone: null, shopify: openShopifyRows(HEADER, '#1999') };
    const broken = { outcome: 'broken', line: 2, nextLine: 3, end: 0, problem: 'x', cell: null, cells: [] } as const;
    readRow(broken, HEADER, options);
    const cells = HEADER.map((name) => ITEM[name as keyof typeof ITEM] ?? '');
    expect(readRow({ outcome: 'read', line: 3, nextLine: 4, end: 0, cells }, HEADER, options)).toMatchObject({
      as: 'lineItems',
    });
  });
});

describe('the mapping beside it', () => {
  const faultsOf = (map: object, header: readonly string[] = HEADER): string => {
    try {
      readOrderMapping(map, header, shopifyPreset(header));
    } catch (error) {
      if (error instanceof AppError) return [error.message, ...error.errors.map(({ message }) => message)].join('\n');
    }
    return '';
  };

  test('without a promise it says what to add, and what it says works', () => {
    const faults = faultsOf({});
    expect(faults).toMatch(/does not say when orders were promised.*--map/s);
    const example = JSON.parse(/\{.*\}/.exec(faults)?.[0] ?? '');
    expect(orderOf({}, example).promise).toEqual({ on: '2026-11-05', timeZone: 'America/New_York' });
  });

  test('it replaces what is known, as it stands', () => {
    const map = { ...MAP, id: 'Id', 'customer.id': 'Phone', 'total.amountMinor': { column: 'Total', decimal: 2 } };
    expect(orderOf({}, map)).toMatchObject({ id: '6001002003004', customer: { id: '+16175550101' } });
  });

  test('another file is told apart by its columns; columns that older exports lack are left out', () => {
    expect(faultsOf(MAP, ['order', 'Email', 'Total'])).toMatch(/no column "Name", "Created at", "Currency"/);
    const older = HEADER.filter((name) => !['Id', 'Phone', 'Billing Name'].includes(name));
    const keys = readOrderMapping(MAP, older, shopifyPreset(older)).map(({ key }) => key);
    expect(keys).not.toContain('customer.phone');
    expect(keys).toContain('total.amountMinor');
  });
});
