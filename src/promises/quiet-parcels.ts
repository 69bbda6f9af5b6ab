import type { Shipment, StoredScan } from '../shipments/shipment-store.js';
import type { Judgement } from './verdict.js';
import type { JudgedOrder } from './verdict-store.js';

/** An order with its parcels judged, as far as it matters here. */
export interface WatchedOrder {
  readonly order: Pick<JudgedOrder, 'id' | 'registeredAt'>;
  readonly cases: readonly {
    readonly shipment: Pick<Shipment, 'carrier' | 'trackingNumber'> | null;
    readonly scans: readonly Pick<StoredScan, 'status' | 'interval'>[];
    readonly judgement: Pick<Judgement, 'verdict' | 'metAt'>;
  }[];
}

/** A parcel that the carrier should have told something of by now. */
export interface QuietParcel {
  readonly what: 'stalled' | 'neverScanned';
  readonly orderId: string;
  readonly carrier: string;
  readonly trackingNumber: string;
}

/**
 * Days without a scan after which a parcel on its way counts as stalled. Fewer, and every weekend fills the list; more, and
 * it is lost (a week, by the default policy) before anybody looks.
 */
export const STALLED_DAYS = 3;
/** Days after which a parcel that is known here and was never scanned is one that nobody has handed over, or mistyped. */
export const NEVER_SCANNED_DAYS = 3;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * The parcels of an order that nothing is heard of though they are still on their way: never scanned beyond the label, or
 * silent since their last scan. A pure function.
 * @param asOf an instant: scans after it are not there; what is exactly as old as the limit counts
 */
export function quietParcels({ order, cases }: WatchedOrder, asOf: Date): QuietParcel[] {
  return cases.flatMap(({ shipment, scans, judgement }) => {
    if (!shipment || judgement.metAt !== null || !OPEN.has(judgement.verdict)) return [];
    const known = scans.filter(({ interval }) => interval.earliest <= asOf);
    const moves = known.filter(({ status }) => status !== 'pre_transit' && status !== 'unknown');
    const { carrier, trackingNumber } = shipment;
    const quiet = (what: QuietParcel['what']) => [{ what, orderId: order.id, carrier, trackingNumber }];
    if (moves.length === 0)
      return daysBetween(order.registeredAt, asOf) >= NEVER_SCANNED_DAYS ? quiet('neverScanned') : [];
    const last = Math.max(...known.map(({ interval }) => interval.latest.getTime()));
    return daysBetween(new Date(last), asOf) >= STALLED_DAYS ? quiet('stalled') : [];
  });
}

/** What is not settled: of everything else it is known what became of it. */
const OPEN: ReadonlySet<string> = new Set(['pending', 'overdue', 'uncertain']);

const daysBetween = (from: Date, to: Date): number => (to.getTime() - from.getTime()) / DAY_MS;
