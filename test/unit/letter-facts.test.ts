import { describe, expect, test } from '@jest/globals';
import type { DeclineCode } from '../../src/compensation/award.js';
import { letterFactsOf } from '../../src/promises/letter-facts.js';
import { judge } from '../../src/promises/verdict.js';
import { intervalOf } from '../../src/shipments/event-interval.js';
import type { StoredScan } from '../../src/shipments/shipment-store.js';
import type { ExceptionKind, TrackingStatus } from '../../src/shipments/tracking-event.js';

const PROMISE = { on: '2026-11-05', timeZone: 'America/New_York' };
const MOVING = ['in_transit', '2026-11-03T13:00:00Z'] as const;
const LATE = ['delivered', '2026-11-07T19:00:00Z'] as const;

type Told = readonly [status: TrackingStatus, at: string, exception?: ExceptionKind];

function scan([status, at, exception = undefined]: Told): StoredScan {
  const time = { at: new Date(at) };
  return {
    scanKey: `${status} ${at}`,
    source: 'easypost',
    carrierKey: 'usps',
    trackingKey: '1',
    status,
    exception: exception ?? null,
    disputed: false,
    time,
    interval: intervalOf(time, PROMISE.timeZone),
    code: '',
    text: null,
    firstHand: false,
    superseded: false,
  };
}

function causeOf(told: readonly Told[], declinedBecause: DeclineCode | null = null) {
  const scans = told.map(scan);
  const asOf = new Date('2026-11-08T12:00:00Z');
  const settings = { graceMinutes: 0, attemptCounts: true, lostAfterDays: 7 };
  const judgement = judge({ ...settings, promise: PROMISE, asOf, shipBy: null, events: scans });
  const known = { judgement, promise: PROMISE, occasion: null, asOf, firstDeliveredAt: judgement.metAt };
  const order = { parcels: [], isMember: false, service: null, declinedBecause };
  return letterFactsOf(known, { shipment: null, scans }, [], order).cause;
}

describe('what held a parcel up', () => {
  const storm: Told = ['exception', '2026-11-04T12:00:00Z', 'weather'];
  const address: Told = ['exception', '2026-11-04T11:00:00Z', 'address'];
  const customs: Told = ['exception', '2026-11-04T13:00:00Z', 'customs'];

  test.each<[string, readonly Told[], DeclineCode | null, ExceptionKind | null]>([
    ['what a scan says', [MOVING, storm, LATE], null, 'weather'],
    ['the first of several', [MOVING, customs, storm, LATE], null, 'weather'],
    ['nothing that came after', [MOVING, LATE, ['exception', '2026-11-07T20:00:00Z', 'weather']], null, null],
    ['nothing that is yet to come', [MOVING, ['exception', '2026-11-09T12:00:00Z', 'weather']], null, null],
    ['that it is late explains nothing', [MOVING, ['exception', '2026-11-04T12:00:00Z', 'delay'], LATE], null, null],
    ['no reproach to who is paid', [MOVING, address, LATE], null, null],
    [
      'what the customer has to know, where nothing is paid for it',
      [MOVING, storm, address, LATE],
      'customer_fault',
      'address',
    ],
    ['what nothing is paid for', [MOVING, storm, customs, LATE], 'customs', 'customs'],
    ['of what is lost: nothing', [MOVING, storm, ['exception', '2026-11-06T12:00:00Z', 'lost']], null, null],
    ['of what is not there: what there is', [MOVING, storm], null, 'weather'],
    ['of what came in time: nothing', [MOVING, storm, ['delivered', '2026-11-05T12:00:00Z']], null, null],
  ])('%s', (_what, told, declinedBecause, cause) => {
    expect(causeOf(told, declinedBecause)).toBe(cause);
  });
});
