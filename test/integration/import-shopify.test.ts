import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { runProgram } from '../support/run-program.js';

/** The columns of the export, as the admin writes them. */
const HEADER = [
  'Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total',
  'Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price',
  'Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,Lineitem fulfillment status',
  'Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,Billing City,Billing Zip,Billing Province',
  'Billing Country,Billing Phone,Shipping Name,Shipping Street,Shipping Address1,Shipping Address2,Shipping Company',
  'Shipping City,Shipping Zip,Shipping Province,Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at',
  'Payment Method,Payment Reference,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level',
  'Source,Lineitem discount,Tax 1 Name,Tax 1 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name',
  'Payment ID,Payment Terms Name,Next Payment Due At,Payment References',
]
  .join(',')
  .split(',');
const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
const lineOf = (cells: Record<string, string>): string => HEADER.map((name) => quoted(cells[name] ?? '')).join(',');

const order = (number: number, cells: Record<string, string> = {}): string =>
  lineOf({
    Name: `#${number}`,
    Email: 'Rosa@Example.com',
    'Financial Status': 'paid',
    Currency: 'EUR',
    Subtotal: '40.00',
    Shipping: '4.50',
    Total: '44.50',
    'Created at': '2026-11-01 23:30:00 -0500',
    'Lineitem quantity': '1',
    'Lineitem name': 'Lamp "Moon", small',
    'Billing Name': 'Rosa Lind',
    'Shipping Zip': "'01067",
    'Shipping Country': 'DE',
    'Note Attributes': 'Wrapping: none\nDelivery-Date: 2026-11-05',
    Id: String(7_000_000_000_000 + number),
    ...cells,
  });
const item = (number: number): string =>
  lineOf({
    Name: `#${number}`,
    Email: 'Rosa@Example.com',
    'Created at': '2026-11-01 23:30:00 -0500',
    'Lineitem quantity': '2',
    'Lineitem name': 'Bulb',
  });
const MAP = {
  'promise.on': { column: 'Note Attributes', attribute: 'Delivery-Date', format: 'yyyy-MM-dd' },
  'promise.timeZone': { const: 'Europe/Berlin' },
};

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-shopify-'));
  database = await createTestDatabase();
  await writeFile(join(folder, 'map.json'), JSON.stringify(MAP));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});
async function importExport(lines: readonly string[], ...args: readonly string[]) {
  const file = join(folder, 'orders_export_1.csv');
  await writeFile(file, `${[HEADER.join(','), ...lines].join('\n')}\n`);
  return runProgram(['makegood', 'import', 'orders', file, '--format', 'shopify', ...args], {
    env: { DATABASE_URL: database.url },
  });
}
const map = () => ['--map', join(folder, 'map.json')];

test('an export is read as it is: each order once, its further items with it, what was cancelled left out', async () => {
  const rejects = join(folder, 'rejects.csv');
  const lines = [
    order(2001),
    item(2001),
    item(2001),
    order(2002, { Currency: 'JPY', Total: '4450', Shipping: '450', Email: 'ken@example.com' }),
    order(2003, { Currency: 'KWD', Total: '44.505', Shipping: '0.250', Email: 'noor@example.com' }),
    order(2004, { 'Cancelled at': '2026-11-02 10:00:00 -0500' }),
    item(2004),
    order(2005, { 'Note Attributes': '' }),
    order(2006, { Email: '' }),
    item(2006),
  ];
  const ended = await importExport(lines, ...map(), '--rejects', rejects, '--json');
  expect(ended).toMatchObject({ status: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toMatchObject({
    ...{ rows: 10, registered: 3, completed: 0, unchanged: 0, rejected: 2, lineItems: 4, cancelled: 1 },
    errors: [
      // Most orders have a cell of two lines.
      { line: 13, column: 'Note Attributes', message: expect.stringContaining('line "Delivery-Date:"') },
      { line: 14, column: 'Email' },
    ],
  });
  expect(
    await database.query(
      `SELECT o.id, customer_id, total_minor::int AS total, shipping_paid_minor::int AS shipping, currency, placed_at, destination_country,
         destination_postal_code, promise_on::text, provider_references #>> '{shopify,order}' AS gid, c.email, c.name
       FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.id`,
    ),
  ).toEqual([
    {
      ...{ id: '#2001', customer_id: 'rosa@example.com', total: 4_450, shipping: 450, currency: 'EUR' },
      ...{ placed_at: new Date('2026-11-02T04:30:00Z'), destination_country: 'DE', destination_postal_code: '01067' },
      ...{
        promise_on: '2026-11-05',
        gid: 'gid://shopify/Order/7000000002001',
        email: 'Rosa@Example.com',
        name: 'Rosa Lind',
      },
    },
    expect.objectContaining({ id: '#2002', total: 4_450, shipping: 450, currency: 'JPY' }),
    expect.objectContaining({ id: '#2003', total: 44_505, shipping: 250, currency: 'KWD' }),
  ]);
  const rejected = await readFile(rejects, 'utf8');
  expect(rejected).toMatch(/^line,message,Name,Email,/);
  expect(rejected.match(/#200\d/g)).toEqual(['#2005', '#2006']);

  const again = await importExport(lines, ...map());
  expect(again.stdout).toMatch(/10 rows: 0 registered, 0 completed, 3 unchanged, 2 rejected/);
  expect(again.stdout).toMatch(/further line items of the order above, 4; cancelled orders, 1\./);
});

test('what is missing is said before anything is read, with what to add', async () => {
  const without = await importExport([order(3001)]);
  expect(without).toMatchObject({ status: 1, stdout: '' });
  expect(without.stderr).toMatch(/--map.*"promise\.on".*"attribute":"Delivery-Date"/s);
  expect(await database.query("SELECT 1 FROM orders WHERE id = '#3001'")).toEqual([]);
});

test('the help says what is read, and a call without mapping and format is a wrong one', async () => {
  const help = await runProgram(['makegood', 'import', 'orders', '--help']);
  expect(help.status).toBe(0);
  for (const word of ['--format', 'shopify', 'Name (#1001)', '"attribute"', 'cancelled', 'goes', 'promise.on'])
    expect(help.stdout).toContain(word);
  const wrong = await runProgram(['makegood', 'import', 'orders', 'x.csv']);
  expect(wrong).toMatchObject({ status: 2, stdout: '' });
  expect(wrong.stderr).toContain('--map');
  expect((await runProgram(['makegood', 'import', 'orders', 'x.csv', '--format', 'etsy'])).status).toBe(2);
});
