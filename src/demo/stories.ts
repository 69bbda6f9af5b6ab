import type { DemoScan, ScanKind, Story } from './story.js';

/*
 * A few days around Christmas in a small shop: what was promised, and what carriers and aggregators reported. Times are UTC.
 * People, numbers and places are invented.
 */

const NEW_YORK = 'America/New_York';
const member = { tier: 'prime', trial: false };

const scan = (at: string, kind: ScanKind, message: string, city: string): DemoScan => ({ at, kind, message, city });
const label = (at: string, city: string) => scan(at, 'label', 'Shipping label created', city);
const moving = (at: string, city: string) => scan(at, 'moving', 'Departed carrier facility', city);
const delivered = (at: string, city: string) => scan(at, 'delivered', 'Delivered', city);

/** The days of the demo, in `year`. */
export function storiesOf(year: number): Story[] {
  const on = (day: string) => `${year}-12-${day}`;
  const at = (dayAndTime: string) => `${year}-12-${dayAndTime}:00Z`;
  const usd = (amountMinor: number) => ({ amountMinor, currency: 'USD' });
  return [
    {
      id: 'o-1001',
      happened: 'delivered on the promised day',
      customer: { id: 'c-1', name: 'Ben Carter', email: 'ben.carter@example.com', locale: 'en-US' },
      promise: { on: on('22'), timeZone: NEW_YORK },
      total: usd(3490),
      carrier: 'USPS',
      source: 'usps',
      trackingNumber: '9400100000000000001001',
      scans: [label(at('19T20:10'), 'OMAHA'), moving(at('20T22:40'), 'CHICAGO'), delivered(at('22T20:12'), 'ALBANY')],
      expected: { verdict: 'on_time', awards: [], letters: [] },
    },
    {
      id: 'o-1002',
      happened: 'delivered at 23:30 in Los Angeles: already tomorrow in UTC',
      customer: { id: 'c-2', name: 'Rosa Diaz', email: 'rosa.diaz@example.com', locale: 'en-US', membership: member },
      promise: { on: on('22'), timeZone: 'America/Los_Angeles' },
      total: usd(8900),
      carrier: 'UPS',
      source: 'ups',
      trackingNumber: '1Z00000000000001002',
      scans: [label(at('20T18:00'), 'RENO'), delivered(at('23T07:30'), 'LOS ANGELES')],
      expected: { verdict: 'on_time', awards: [], letters: [] },
    },
    {
      id: 'o-1003',
      happened: 'a member; told at midnight that it is late, delivered on that day',
      customer: { id: 'c-3', name: 'Ann Lee', email: 'ann.lee@example.com', locale: 'en-US', membership: member },
      promise: { on: on('22'), timeZone: NEW_YORK },
      total: usd(5990),
      carrier: 'USPS',
      source: 'easypost',
      trackingNumber: '9400100000000000001003',
      scans: [label(at('19T21:00'), 'OMAHA'), moving(at('21T03:15'), 'CHICAGO'), delivered(at('23T19:05'), 'NEW YORK')],
      expected: { verdict: 'late', awards: ['1 free month'], letters: ['late-overdue'] },
    },
    {
      id: 'o-1004',
      happened: 'not a member; two days late, and its order reached us after its scans',
      registeredOn: on('26'),
      customer: { id: 'c-4', name: 'Sam Okafor', email: 'sam.okafor@example.com', locale: 'en-US' },
      promise: { on: on('22'), timeZone: NEW_YORK },
      total: usd(12_000),
      carrier: 'FedEx',
      source: 'fedex',
      trackingNumber: '790000001004',
      scans: [label(at('18T15:00'), 'MEMPHIS'), moving(at('20T09:20'), 'NEWARK'), delivered(at('24T16:45'), 'BOSTON')],
      expected: { verdict: 'late', awards: ['$6.00 credit'], letters: ['late-delivered'] },
    },
    {
      id: 'o-1005',
      happened: 'a present for Christmas Eve; delivered on the 26th',
      customer: { id: 'c-5', name: 'Grace Kim', email: 'grace.kim@example.com', locale: 'en-US', membership: member },
      promise: { on: on('24'), timeZone: NEW_YORK },
      occasion: { name: 'christmas', on: on('24') },
      total: usd(7450),
      carrier: 'UPS',
      source: 'ups',
      trackingNumber: '1Z00000000000001005',
      scans: [
        label(at('21T17:00'), 'LOUISVILLE'),
        moving(at('23T11:30'), 'PHILADELPHIA'),
        delivered(at('26T19:20'), 'TRENTON'),
      ],
      expected: { verdict: 'late', awards: ['1 free month', '$20.00 credit'], letters: ['occasion-missed'] },
    },
    {
      id: 'o-1006',
      happened: 'nobody at home on the promised day; delivered the day after',
      customer: {
        id: 'c-6',
        name: 'Omar Haddad',
        email: 'omar.haddad@example.com',
        locale: 'en-US',
        membership: member,
      },
      promise: { on: on('23'), timeZone: NEW_YORK },
      total: usd(2500),
      carrier: 'UPS',
      source: 'ups',
      trackingNumber: '1Z00000000000001006',
      scans: [
        label(at('21T12:00'), 'ATLANTA'),
        scan(at('23T18:30'), 'attempted', 'Delivery attempted, no one available', 'ATLANTA'),
        delivered(at('24T15:10'), 'ATLANTA'),
      ],
      expected: { verdict: 'on_time', awards: [], letters: [] },
    },
    {
      id: 'o-1007',
      happened: 'a snowstorm before the promised day; delivered three days late',
      customer: { id: 'c-7', name: 'Ivy Chen', email: 'ivy.chen@example.com', locale: 'en-US' },
      promise: { on: on('23'), timeZone: 'America/Chicago' },
      total: usd(6400),
      carrier: 'FedEx',
      source: 'fedex',
      trackingNumber: '790000001007',
      scans: [
        label(at('20T14:00'), 'DENVER'),
        scan(at('22T08:00'), 'weather', 'Delayed by severe weather', 'DES MOINES'),
        delivered(at('26T17:30'), 'CHICAGO'),
      ],
      expected: { verdict: 'late', awards: [], letters: ['declined'] },
    },
    {
      id: 'o-1008',
      happened: 'lost, says the carrier',
      customer: { id: 'c-8', name: 'Noah Weber', email: 'noah.weber@example.com', locale: 'en-US', membership: member },
      promise: { on: on('23'), timeZone: NEW_YORK },
      total: usd(9900),
      carrier: 'USPS',
      source: 'easypost',
      trackingNumber: '9400100000000000001008',
      scans: [
        label(at('19T10:00'), 'DALLAS'),
        moving(at('20T16:00'), 'ST LOUIS'),
        scan(at('22T12:00'), 'lost', 'The package is lost', 'ST LOUIS'),
      ],
      expected: { verdict: 'lost', awards: ['1 free month', 'replacement'], letters: ['lost'] },
    },
    {
      id: 'o-1009',
      happened: 'the address was wrong; delivered two days late',
      customer: { id: 'c-9', name: 'Lea Fontaine', email: 'lea.fontaine@example.com', locale: 'en-US' },
      promise: { on: on('22'), timeZone: NEW_YORK },
      total: usd(4100),
      carrier: 'USPS',
      source: 'shippo',
      trackingNumber: '9400100000000000001009',
      scans: [
        label(at('18T19:00'), 'OMAHA'),
        scan(at('21T14:00'), 'address', 'The address had to be corrected', 'BUFFALO'),
        delivered(at('24T18:20'), 'ROCHESTER'),
      ],
      expected: { verdict: 'late', awards: [], letters: ['declined'] },
    },
    {
      id: 'o-1010',
      happened: 'in Berlin, where midnight comes sooner; delivered the day after, no second apology',
      customer: {
        id: 'c-10',
        name: 'Jonas Brandt',
        email: 'jonas.brandt@example.com',
        locale: 'de-DE',
        membership: member,
      },
      promise: { on: on('23'), timeZone: 'Europe/Berlin' },
      total: { amountMinor: 4999, currency: 'EUR' },
      carrier: 'DHL Express',
      source: 'dhl',
      trackingNumber: 'JD0000000000001010',
      scans: [
        label(at('20T09:00'), 'LEIPZIG'),
        moving(at('22T21:00'), 'HANNOVER'),
        delivered(at('24T10:40'), 'BERLIN'),
      ],
      expected: { verdict: 'late', awards: ['1 free month'], letters: ['late-overdue'] },
    },
  ];
}
