import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AppError } from '../../src/errors.js';
import { ORDER_FIELDS } from '../../src/imports/order-fields.js';
import { readOrderMapping } from '../../src/imports/order-mapping.js';
import { orderOfRow } from '../../src/imports/order-of-row.js';
import { orderDocumentSchema } from '../../src/promises/order-document.js';

const BASE = {
  id: 'id',
  'customer.id': 'customer',
  'promise.on': 'promised',
  'promise.timeZone': { const: 'America/Sao_Paulo' },
};
const ROW = { id: 'o-1', customer: 'c-1', promised: '2017-11-05' };

/** The order of a row with these further fields and cells. */
function read(mapping: object, cells: Record<string, string> = {}, timeZone: string | null = null) {
  const row: Record<string, string> = { ...ROW, ...cells };
  const fields = readOrderMapping({ ...BASE, ...mapping }, Object.keys(row));
  return orderOfRow(Object.values(row), fields, { timeZone });
}
// biome-ignore lint/suspicious/noExplicitAny: whatever was read, the test says what it must be.
function orderOf(mapping: object, cells: Record<string, string> = {}, timeZone: string | null = null): any {
  const outcome = read(mapping, cells, timeZone);
  if (outcome.outcome === 'rejected') throw new Error(JSON.stringify(outcome.errors));
  return { ...outcome.row.order, id: outcome.row.id, events: outcome.row.events };
}
const errorsOf = (mapping: object, cells: Record<string, string> = {}) => {
  const outcome = read(mapping, cells);
  return outcome.outcome === 'rejected' ? outcome.errors.map(({ column, message }) => [column, message]) : [];
};
const SHIPMENT = { 'shipments[0].carrier': { const: 'correios' }, 'shipments[0].trackingNumber': 'id' };

describe('the mapping', () => {
  test('every field of an order can be named', () => {
    const leaves: string[] = [];
    type Node = { properties?: Record<string, Node>; items?: Node; anyOf?: Node[] };
    const walk = (node: Node, path: string): void => {
      const object = [node, ...(node.anyOf ?? [])].find(({ properties, items }) => properties ?? items);
      if (object?.items) walk(object.items, `${path}[n]`);
      else if (object?.properties)
        for (const [name, inner] of Object.entries(object.properties))
          walk(inner, path === '' ? name : `${path}.${name}`);
      else leaves.push(path);
    };
    walk(z.toJSONSchema(orderDocumentSchema, { io: 'input', unrepresentable: 'any' }) as Node, '');
    expect(leaves.length).toBeGreaterThan(20);
    expect(leaves.filter((leaf) => !(leaf in ORDER_FIELDS))).toEqual([]);
  });

  test('every fault is said at once, each at its key', () => {
    const mapping = {
      'promise.on': { column: 'promised', format: 'dd/MM' },
      'promise.timeZone': { const: 'Nowhere' },
      'customer.id': 'custmer',
      'customer.nme': 'id',
      customer: 'id',
      placedAt: { column: 'id', decimal: 2 },
      'total.amountMinor': { column: 'id', decimal: 2.5 },
      'total.currency': { column: 'id', format: 'yyyy-MM-dd' },
      'shipments[0].events[0].at': { column: 'promised', format: 'yyyy-MM-dd' },
      'shipments[x].carrier': 'id',
      shipBy: ['id'],
      'occasion.name': { const: 5 },
      'destination.country': { column: 'id', colour: 'red' },
    };
    let errors: readonly { field: string }[] = [];
    try {
      readOrderMapping(mapping, ['id', 'promised', 'id2']);
    } catch (error) {
      if (error instanceof AppError) errors = error.errors;
    }
    expect(errors.map(({ field }) => field).sort()).toEqual([...Object.keys(mapping), ''].sort());
  });

  test('two columns of one name cannot be told apart; nobody minds where they are not used', () => {
    expect(() => readOrderMapping(BASE, ['id', 'customer', 'promised', 'id'])).toThrow(AppError);
    expect(readOrderMapping(BASE, ['id', 'customer', 'promised', 'x', 'x'])).toHaveLength(4);
  });

  test.each(['yyyy-MM-dd HH:mm:ssZ', 'yyyy-MM', 'yyyy-MM-dd mm', 'yyyy-MM-dd dd', ''])(
    'the format %j is refused',
    (format) => {
      expect(() => read({ placedAt: { column: 'id', format } })).toThrow(AppError);
    },
  );
});

describe('times', () => {
  const placed = (text: string, format?: string, timeZone: string | null = null) =>
    orderOf({ placedAt: format ? { column: 't', format } : 't' }, { t: text }, timeZone).placedAt.toISOString();

  test.each<[string, string | undefined, string | null, string]>([
    ['2017-07-09 21:57:05', 'yyyy-MM-dd HH:mm:ss', null, '2017-07-10T00:57:05.000Z'],
    ['2017-07-09 21:57:05', 'yyyy-MM-dd HH:mm:ss', 'UTC', '2017-07-09T21:57:05.000Z'],
    ['09/07/2017 às 21h57', 'dd/MM/yyyy às HHhmm', null, '2017-07-10T00:57:00.000Z'],
    ['20170709T215705.123+05:30', 'yyyyMMddTHHmmss.SSSXXX', null, '2017-07-09T16:27:05.123Z'],
    ['2017-07-09T21:57:05Z', 'yyyy-MM-ddTHH:mm:ssXXX', 'Asia/Tokyo', '2017-07-09T21:57:05.000Z'],
    ['2017-07-09 21:57:05 -0500', 'yyyy-MM-dd HH:mm:ss XXX', 'Asia/Tokyo', '2017-07-10T02:57:05.000Z'],
    ['2017-07-09T21:57:05-0500', undefined, 'Asia/Tokyo', '2017-07-10T02:57:05.000Z'],
    ['2017-07-09T21:57', undefined, null, '2017-07-10T00:57:00.000Z'],
    ['2017-07-09', undefined, null, '2017-07-09T03:00:00.000Z'],
    // Midnight was skipped that night, and came twice in the other: the earlier reading.
    ['2017-10-15 00:30:00', undefined, null, '2017-10-15T02:30:00.000Z'],
    ['2018-02-17 23:30:00', undefined, null, '2018-02-18T01:30:00.000Z'],
  ])('%s as %s in %s', (text, format, timeZone, wanted) => {
    expect(placed(text, format, timeZone)).toBe(wanted);
  });

  test('a date field takes the date as it stands, whatever clock time and offset stand beside it', () => {
    for (const promised of ['2017-11-05', '2017-11-05T23:59:59+14:00', '2017-11-05 00:00:00'])
      expect(orderOf({}, { promised }).promise).toEqual({ on: '2017-11-05', timeZone: 'America/Sao_Paulo' });
  });

  test.each(['2017-02-30 10:00:00', '2017-07-09 24:00:00', '2017-07-09', '9/7/2017', '2017-07-09 21:57:05Z'])(
    'what is not written so is refused with its column: %s',
    (text) => {
      expect(errorsOf({ placedAt: { column: 't', format: 'yyyy-MM-dd HH:mm:ss' } }, { t: text })).toEqual([
        ['t', expect.stringContaining('placedAt: expected a time as yyyy-MM-dd HH:mm:ss')],
      ]);
    },
  );

  test('a scan in an hour that came twice keeps both readings; elsewhere it is an instant', () => {
    const events = (at: string) =>
      orderOf(
        { ...SHIPMENT, 'shipments[0].events[0].status': { const: 'delivered' }, 'shipments[0].events[0].at': 'at' },
        { at },
      ).events[0];
    expect(events('2018-02-17 23:30:00')).toMatchObject([
      { time: { local: '2018-02-17T23:30:00.000', timeZone: 'America/Sao_Paulo' } },
    ]);
    expect(events('2018-02-17 22:30:00')).toMatchObject([{ time: { at: new Date('2018-02-18T00:30:00Z') } }]);
  });

  test('an instant of which only the date is known is refused where it would end a promise a day early', () => {
    const mapping = { 'promise.on': 'none', 'promise.at': 'at' };
    expect(errorsOf(mapping, { none: '', at: '2017-11-05' })).toEqual([['at', expect.stringContaining('time of day')]]);
  });
});

describe('amounts', () => {
  const amount = (price: string, decimal = 2) =>
    orderOf({ 'total.amountMinor': { column: 'price', decimal }, 'total.currency': { const: 'BRL' } }, { price }).total
      ?.amountMinor;

  test.each<[string, number, number]>([
    ['1.15', 2, 115],
    ['0.29', 2, 29],
    ['4.35', 2, 435],
    ['147.9', 2, 14_790],
    ['147', 2, 14_700],
    ['.5', 2, 50],
    ['007.100', 2, 710],
    ['9999999999.99', 2, 999_999_999_999],
    ['1200.00', 0, 1_200],
    ['1.2345', 4, 12_345],
    ['0', 2, 0],
  ])('%s with %i decimals', (price, decimals, wanted) => {
    expect(amount(price, decimals)).toBe(wanted);
  });

  test.each(['1.155', '1,15', '1e3', '-1.00', 'R$ 5', '1.1.1', '.', '99999999999999999999.00'])(
    '%s is refused',
    (price) => {
      expect(
        errorsOf(
          { 'total.amountMinor': { column: 'price', decimal: 2 }, 'total.currency': { const: 'BRL' } },
          { price },
        ),
      ).toEqual([['price', expect.stringContaining('total.amountMinor')]]);
    },
  );
});

describe('amounts of many currencies', () => {
  const mapping = { 'total.amountMinor': { column: 'price', decimal: 'currency' }, 'total.currency': 'money' };

  test.each<[string, string, number]>([
    ['EUR', '1.15', 115],
    ['JPY', '115', 115],
    ['KWD', '1.155', 1_155],
  ])('%s %s', (money, price, wanted) => {
    expect(orderOf(mapping, { money, price }).total).toEqual({ amountMinor: wanted, currency: money });
  });

  test.each<[string, string]>([
    ['JPY', '1.15'],
    ['euro', '1.15'],
    ['', '1.15'],
  ])('of %j, %s is refused', (money, price) => {
    expect(errorsOf(mapping, { money, price })).toContainEqual(['price', expect.stringContaining('decimals')]);
  });

  test('without the currency it is no mapping', () => {
    expect(() => read({ 'total.amountMinor': { column: 'id', decimal: 'currency' } })).toThrow(AppError);
  });
});

describe('a line of a cell', () => {
  const mapping = { 'promise.on': { column: 'notes', attribute: 'Delivery date', format: 'dd/MM/yyyy' } };
  const promised = (notes: string) => orderOf(mapping, { notes }).promise?.on;

  test.each<[string, string]>([
    ['alone', 'Delivery date: 05/11/2026'],
    ['among others', 'Gift: yes\nDelivery date: 05/11/2026\nNote: x'],
    ['with CRLF and spaces', 'Gift: yes\r\n  Delivery date :05/11/2026  \r\n'],
    ['the first of two', 'Delivery date: 05/11/2026\nDelivery date: 06/11/2026'],
    ['not one whose name is longer', 'Delivery date (old): 01/11/2026\nDelivery date: 05/11/2026'],
  ])('%s', (_name, notes) => {
    expect(promised(notes)).toBe('2026-11-05');
  });

  test.each(['', 'Gift: yes', 'Delivery date', 'Delivery date:', 'delivery date: 05/11/2026'])(
    '%j has no such line, which is as an empty cell',
    (notes) => {
      expect(errorsOf(mapping, { notes })).toEqual([['notes', expect.stringContaining('line "Delivery date:"')]]);
    },
  );

  test('a name may have a colon', () => {
    const zone = { 'customer.name': { column: 'notes', attribute: 'To: whom' } };
    expect(orderOf(zone, { notes: 'To: whom: Ann: Lee' }).customer.name).toBe('Ann: Lee');
  });

  test.each([{ attribute: '' }, { attribute: 7 }, { attribute: 'a\nb' }])('%j is refused', (value) => {
    expect(() => read({ placedAt: { column: 'id', ...value } })).toThrow(AppError);
  });
});

describe('what is not there', () => {
  test('an empty cell is as if it were not mapped, and a currency alone is no amount', () => {
    const order = orderOf(
      {
        placedAt: 'empty',
        'customer.email': 'empty',
        'customer.membership.tier': 'empty',
        'customer.membership.trial': { const: false },
        'total.amountMinor': { column: 'empty', decimal: 2 },
        'total.currency': { const: 'BRL' },
        'occasion.name': { const: 'christmas' },
        'occasion.on': 'empty',
        'destination.country': { const: 'BR' },
        'destination.region': 'empty',
      },
      { empty: ' ' },
    );
    expect(order).toMatchObject({ customer: { id: 'c-1' }, destination: { country: 'BR' }, shipments: [] });
    for (const field of ['placedAt', 'total', 'occasion']) expect(order).not.toHaveProperty(field);
    expect(order.customer).toEqual({ id: 'c-1' });
  });

  test('an event without time and a shipment without number and event are left out, and errors name the mapped place', () => {
    const two = (n: number) => ({
      [`shipments[${n}].carrier`]: { const: 'correios' },
      [`shipments[${n}].trackingNumber`]: `number${n}`,
      [`shipments[${n}].events[0].status`]: `status${n}`,
      [`shipments[${n}].events[0].at`]: `at${n}`,
    });
    const cells = { number0: '', status0: 'delivered', at0: '', number3: 'N3', status3: 'delivered', at3: '' };
    const order = orderOf({ ...two(0), ...two(3) }, cells);
    expect(order.shipments).toMatchObject([{ trackingNumber: 'N3' }]);
    expect(order.events).toEqual([[]]);
    expect(errorsOf({ ...two(0), ...two(3) }, { ...cells, at3: '2017-11-01T10:00:00Z', status3: 'arrived' })).toEqual([
      ['status3', expect.stringContaining('shipments[3].events[0].status')],
    ]);
    expect(errorsOf({ ...two(0), ...two(3) }, { ...cells, number3: '-' })).toEqual([
      ['number3', expect.stringContaining('shipments[3].trackingNumber')],
    ]);
  });

  test('a row without promise, id or customer names each', () => {
    expect(
      errorsOf({}, { id: '', customer: '', promised: '' })
        .map(([column]) => column)
        .sort(),
    ).toEqual(['customer', 'id', 'promised']);
  });
});
