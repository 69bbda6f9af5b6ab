import type { DeclineCode } from '../compensation/award.js';
import { occasionMissed } from '../compensation/conditions.js';
import type { DecisionCase } from '../compensation/decision-input.js';
import type { DecidedTask } from '../compensation/rules.js';
import { applyEvents } from '../shipments/apply-events.js';
import type { Shipment, StoredScan } from '../shipments/shipment-store.js';
import type { ExceptionKind, TrackingStatus } from '../shipments/tracking-event.js';
import { publicParcel } from '../shipments/tracking-links.js';
import type { DeliveryPromise } from './promise.js';
import { CUSTOMER_KINDS, type Verdict } from './verdict.js';

/**
 * What there is to tell about a broken promise besides what was given for it: stored with the decision, so that its letter
 * says what was decided on, whenever it is written.
 */
export interface LetterFacts {
  /** The instant of the decision: "now" in the letter. Fixed: a retry next day reads the same. */
  readonly asOf: Date;
  /** The promise that was broken. Its zone, the destination's, is the zone of every time in the letter. */
  readonly promise: DeliveryPromise;
  readonly verdict: Verdict;
  /** When the promise was met, too late, and by what; null while it is not. `deliveredAt` may come after an attempt. */
  readonly metAt: Date | null;
  readonly metBy: 'delivered' | 'attempted' | 'available_for_pickup' | null;
  readonly deliveredAt: Date | null;
  readonly lateDays: number | null;
  readonly lateMinutes: number | null;
  /** The newest scan, for saying where the parcel is; null when there is none. Only its local date is shown. */
  readonly lastScan: { readonly status: TrackingStatus; readonly at: Date } | null;
  /** When it is expected now. One that lies before `asOf` is known to be wrong and is not shown. */
  readonly estimate: { readonly on: string } | { readonly at: Date } | null;
  /** The occasion that was MISSED. Null also for an order whose occasion was, or can still be, kept. */
  readonly occasion: { readonly name: string; readonly on: string } | null;
  /** A person is going to telephone the customer about it. */
  readonly callPlanned: boolean;
  /** Every parcel of the order, in its order. Left out in facts that older releases wrote. */
  readonly parcels?: readonly ParcelFact[];
  /** What held it up, where a scan says so; null or left out: not known. */
  readonly cause?: ExceptionKind | null;
  /** Whether the customer is a member, as the policy means it. */
  readonly isMember?: boolean;
  /** Of a service that was poor: what it was, as the shop called it, and what went wrong with it. */
  readonly service?: { readonly kind: string; readonly title: string | null } | null;
  /** Why nothing is given, of an incident that earns nothing. */
  readonly declinedBecause?: DeclineCode | null;
}

/** A parcel as its customer may know it. */
export interface ParcelFact {
  /** As people write it: `USPS`. */
  readonly carrier: string;
  readonly trackingNumber: string;
  /** Where the carrier shows it; null: not known. */
  readonly trackingUrl: string | null;
  readonly status: TrackingStatus;
  readonly deliveredAt: Date | null;
  readonly estimate: LetterFacts['estimate'];
}

/** A parcel with what its carriers have told; null: nobody has shipped it yet. */
interface KnownParcel {
  readonly shipment: Shipment | null;
  readonly scans: readonly StoredScan[];
}

/** What is told of an order besides the shipment that leads. */
export interface OrderFacts extends Required<Pick<LetterFacts, 'isMember' | 'service' | 'declinedBecause'>> {
  readonly parcels: readonly KnownParcel[];
}

/** The facts of the shipment whose verdict is the order's. */
export function letterFactsOf(
  decided: Pick<DecisionCase, 'judgement' | 'promise' | 'occasion' | 'asOf' | 'firstDeliveredAt'>,
  parcel: KnownParcel,
  tasks: readonly DecidedTask[],
  order: OrderFacts,
): LetterFacts {
  const { judgement, occasion, asOf } = decided;
  const { verdict, metAt, lateDays, lateMinutes } = judgement;
  const past = parcel.scans.filter((scan) => scan.interval.earliest <= asOf);
  const lastScan = past.reduce<StoredScan | null>(
    (last, scan) => (last === null || scan.interval.earliest >= last.interval.earliest ? scan : last),
    null,
  );
  return {
    asOf,
    promise: decided.promise,
    verdict,
    metAt,
    metBy: metByOf(past, metAt),
    deliveredAt: decided.firstDeliveredAt,
    lateDays,
    lateMinutes,
    lastScan: lastScan && { status: lastScan.status, at: lastScan.interval.earliest },
    estimate: parcel.shipment?.estimate ?? null,
    occasion: occasionMissed(decided).missed ? occasion : null,
    callPlanned: tasks.some(({ kind }) => kind === 'call'),
    parcels: order.parcels.flatMap((one) => parcelFact(one, asOf) ?? []),
    cause: causeOf(past, judgement, order.declinedBecause),
    isMember: order.isMember,
    service: order.service,
    declinedBecause: order.declinedBecause,
  };
}

function parcelFact({ shipment, scans }: KnownParcel, asOf: Date): ParcelFact | null {
  if (shipment === null) return null;
  const { trackingNumber, estimate, destinationZone } = shipment;
  const known = scans.filter(({ interval }) => interval.earliest <= asOf);
  return { ...publicParcel(shipment), trackingNumber, ...applyEvents(known, destinationZone), estimate };
}

/** What explains a delay by itself. That there is a delay, or something else, explains nothing. */
const CAUSES: readonly ExceptionKind[] = ['weather', 'customs', 'misrouted', 'security', 'held'];
/** What a verdict that is about time can be explained by. */
const ABOUT_TIME: readonly Verdict[] = ['pending', 'overdue', 'late'];

/**
 * The first thing that held the parcel up before it came. The customer's own part in it is told only where nothing is given
 * for that reason: else it would be a reproach.
 */
function causeOf(
  past: readonly StoredScan[],
  { verdict, metAt }: DecisionCase['judgement'],
  declinedBecause: DeclineCode | null,
): ExceptionKind | null {
  if (!ABOUT_TIME.includes(verdict)) return null;
  const wanted = WHY_DECLINED[declinedBecause ?? ''] ?? CAUSES;
  const first = past
    .filter(({ exception, disputed }) => exception !== null && !disputed && wanted.includes(exception))
    .filter(({ interval }) => metAt === null || interval.earliest <= metAt)
    .reduce<StoredScan | null>(
      (soFar, scan) => (soFar === null || scan.interval.earliest < soFar.interval.earliest ? scan : soFar),
      null,
    );
  return first?.exception ?? null;
}

const WHY_DECLINED: Readonly<Record<string, readonly ExceptionKind[]>> = {
  customer_fault: CUSTOMER_KINDS,
  customs: ['customs'],
  force_majeure: ['weather'],
};

function metByOf(scans: readonly StoredScan[], metAt: Date | null): LetterFacts['metBy'] {
  if (metAt === null) return null;
  const then = scans.filter((scan) => !scan.disputed && scan.interval.earliest.getTime() === metAt.getTime());
  for (const status of ['delivered', 'attempted', 'available_for_pickup'] as const) {
    if (then.some((scan) => scan.status === status)) return status;
  }
  return null;
}
