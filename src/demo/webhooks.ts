import { createHash } from 'node:crypto';
import type { DemoScan, DemoSource, ScanKind, Story } from './story.js';

/** What a source sends, each in its own format; a body for each webhook. */
type Format = (story: Story, scans: readonly DemoScan[]) => object;

/** The sources of the demo. Snapshots hold all scans so far, newest or oldest first; UPS tells of the last one alone. */
export const FORMATS = {
  easypost: easypostEvent,
  shippo: shippoTrack,
  ups: upsAlert,
  fedex: fedexResults,
  usps: uspsEnvelope,
  dhl: dhlPush,
} as const satisfies Record<DemoSource, Format>;

/** One webhook a scan, as the parcel travels. */
export function webhooksUntil(story: Story, until: Date): Buffer[] {
  const known = story.scans.filter(({ at }) => new Date(at) <= until);
  return known.map((_, index) => Buffer.from(JSON.stringify(FORMATS[story.source](story, known.slice(0, index + 1)))));
}

const EASYPOST: Readonly<Record<ScanKind, readonly [string, string]>> = {
  label: ['pre_transit', 'label_created'],
  moving: ['in_transit', 'departed_facility'],
  attempted: ['failure', 'delivery_exception'],
  weather: ['in_transit', 'weather_delay'],
  address: ['failure', 'address_correction'],
  lost: ['failure', 'lost'],
  delivered: ['delivered', 'arrived_at_destination'],
};

function easypostEvent(story: Story, scans: readonly DemoScan[]): object {
  const latest = scans.at(-1);
  const [status, status_detail] = EASYPOST[latest?.kind ?? 'label'];
  return {
    id: `evt_${idOf(story, scans)}`,
    object: 'Event',
    mode: 'production',
    description: scans.length === 1 ? 'tracker.created' : 'tracker.updated',
    created_at: latest?.at,
    updated_at: latest?.at,
    status: 'pending',
    result: {
      id: `trk_${story.trackingNumber}`,
      object: 'Tracker',
      mode: 'production',
      tracking_code: story.trackingNumber,
      carrier: story.carrier,
      status,
      status_detail,
      updated_at: latest?.at,
      est_delivery_date: null,
      tracking_details: scans.map(({ at, kind, message, city }) => ({
        object: 'TrackingDetail',
        message,
        status: EASYPOST[kind][0],
        status_detail: EASYPOST[kind][1],
        datetime: at,
        source: story.carrier,
        tracking_location: { object: 'TrackingLocation', city, state: null, country: null, zip: null },
      })),
    },
  };
}

const SHIPPO: Readonly<Record<ScanKind, readonly [string, string]>> = {
  label: ['PRE_TRANSIT', 'information_received'],
  moving: ['TRANSIT', 'package_departed'],
  attempted: ['TRANSIT', 'delivery_attempted'],
  weather: ['TRANSIT', 'delayed'],
  address: ['TRANSIT', 'address_issue'],
  lost: ['FAILURE', 'package_lost'],
  delivered: ['DELIVERED', 'delivered'],
};

function shippoTrack(story: Story, scans: readonly DemoScan[]): object {
  const history = scans.map((scan, index) => ({
    object_id: idOf(story, scans.slice(0, index + 1)),
    status: SHIPPO[scan.kind][0],
    substatus: { code: SHIPPO[scan.kind][1], text: scan.message, action_required: false },
    status_date: scan.at,
    status_details: scan.message,
    location: { city: scan.city, state: '', zip: '', country: '' },
  }));
  return {
    event: 'track_updated',
    test: false,
    data: {
      carrier: story.carrier.toLowerCase(),
      tracking_number: story.trackingNumber,
      eta: null,
      messages: [],
      tracking_status: history.at(-1),
      tracking_history: history,
    },
  };
}

const UPS: Readonly<Record<ScanKind, readonly [string, string]>> = {
  label: ['M', 'MP'],
  moving: ['I', 'DP'],
  attempted: ['X', '48'],
  weather: ['X', 'DY'],
  address: ['X', 'A1'],
  lost: ['X', 'LS'],
  delivered: ['D', 'FS'],
};

function upsAlert(story: Story, scans: readonly DemoScan[]): object {
  const { at = '', kind = 'label', message = '', city = '' } = scans.at(-1) ?? {};
  const [date, time] = [at.slice(0, 10).replaceAll('-', ''), at.slice(11, 19).replaceAll(':', '')];
  return {
    trackingNumber: story.trackingNumber,
    localActivityDate: date,
    localActivityTime: time,
    activityLocation: { city, stateProvince: '', postalCode: '', country: 'US' },
    activityStatus: { type: UPS[kind][0], code: UPS[kind][1], description: message, descriptionCode: '' },
    scheduledDeliveryDate: '',
    gmtActivityDate: date,
    gmtActivityTime: time,
    gmtOffset: '+00.00',
  };
}

const FEDEX: Readonly<Record<ScanKind, string>> = {
  label: 'OC',
  moving: 'DP',
  attempted: 'DE',
  weather: 'DY',
  address: 'SE',
  lost: 'SE',
  delivered: 'DL',
};

function fedexResults(story: Story, scans: readonly DemoScan[]): object {
  const results = {
    trackingNumberInfo: {
      trackingNumber: story.trackingNumber,
      trackingNumberUniqueId: `12029~${story.trackingNumber}~FDEG`,
      carrierCode: 'FDXG',
    },
    dateAndTimes: [],
    scanEvents: scans
      .map(({ at, kind, message, city }) => ({
        date: at.replace('Z', '+00:00'),
        eventType: FEDEX[kind],
        eventDescription: message,
        exceptionCode: '',
        exceptionDescription: kind === 'weather' ? 'Adverse weather conditions' : '',
        scanLocation: { city, stateOrProvinceCode: '', countryCode: 'US', postalCode: '' },
        ...(kind === 'weather' ? { delayDetail: { type: 'WEATHER', subType: 'SNOW', status: 'DELAYED' } } : {}),
      }))
      .reverse(),
  };
  return { output: { completeTrackResults: [{ trackingNumber: story.trackingNumber, trackResults: [results] }] } };
}

const USPS: Readonly<Record<ScanKind, readonly [string, string]>> = {
  label: ['GX', 'Shipping Label Created, USPS Awaiting Item'],
  moving: ['T1', 'Departed USPS Regional Facility'],
  attempted: ['02', 'Notice Left (No Authorized Recipient Available)'],
  weather: ['', 'Weather Delay'],
  address: ['', 'Insufficient Address'],
  lost: ['', 'Missing Mail'],
  delivered: ['01', 'Delivered, Front Door/Porch'],
};

function uspsEnvelope(story: Story, scans: readonly DemoScan[]): object {
  const payload = {
    trackingNumber: story.trackingNumber,
    mailClass: 'USPS Ground Advantage<SUP>&#153;</SUP>',
    trackingEvents: scans
      .map(({ at, kind, city }) => ({
        eventType: USPS[kind][1],
        eventTimestamp: at.slice(0, 19),
        GMTTimestamp: at,
        GMTOffset: '+00:00',
        eventCity: city,
        eventState: null,
        eventZIP: null,
        eventCode: USPS[kind][0],
      }))
      .reverse(),
  };
  return {
    subscriptionId: '00000000-0000-4000-8000-000000000001',
    subscriptionType: 'TRACKING',
    timestamp: scans.at(-1)?.at,
    payload: JSON.stringify(payload),
    links: [],
  };
}

const DHL: Readonly<Record<ScanKind, string>> = {
  label: 'pre-transit',
  moving: 'transit',
  attempted: 'failure',
  weather: 'failure',
  address: 'failure',
  lost: 'failure',
  delivered: 'delivered',
};

function dhlPush(story: Story, scans: readonly DemoScan[]): object {
  const events = scans
    .map(({ at, kind, message, city }) => ({
      // As DHL's divisions in Europe write it: the clock on the wall, and no zone.
      timestamp: wallClock(at, story.promise.timeZone),
      location: { address: { countryCode: 'DE', addressLocality: city } },
      statusCode: DHL[kind],
      status: DHL[kind].toUpperCase(),
      description: message,
    }))
    .reverse();
  const shipment = { id: story.trackingNumber, service: 'parcel-de', status: events[0], details: {}, events };
  return { scope: 'subscription.push', self: 'https://dhl.example/subscription/demo', shipments: [shipment] };
}

function wallClock(at: string, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return parts.format(new Date(at)).replace(' ', 'T');
}

/** The same for the same content: a webhook that comes twice bears one id. */
function idOf({ trackingNumber }: Story, scans: readonly DemoScan[]): string {
  return createHash('sha256')
    .update(JSON.stringify([trackingNumber, scans]))
    .digest('hex')
    .slice(0, 32);
}

/** The same items in another order, the same each time: a demo that fails must fail again. */
export function scrambled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed;
  for (let last = result.length - 1; last > 0; last--) {
    // A linear congruential generator (Numerical Recipes); its high bits are random enough to shuffle with.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = (state >>> 16) % (last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
