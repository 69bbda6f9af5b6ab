import { intervalOf } from './event-interval.js';
import type { TrackingEvent, TrackingStatus } from './tracking-event.js';

/** What the scans of a parcel add up to. */
export interface ShipmentState {
  /** Of the latest scan by its own time, never by arrival; `unknown` only where nothing else is known. */
  readonly status: TrackingStatus;
  /** The earliest instant of the first undisputed delivery. */
  readonly deliveredAt: Date | null;
}

/** Of two scans at one instant, the one further along is the later one. */
export const PROGRESS: readonly TrackingStatus[] = [
  'unknown',
  'pre_transit',
  'in_transit',
  'exception',
  'out_for_delivery',
  'available_for_pickup',
  'attempted',
  'delivered',
  'return_to_sender',
  'cancelled',
];

/** Folds a set of scans. Neither their order nor repetitions matter. `destinationZone` is an IANA zone. */
export function applyEvents(events: readonly TrackingEvent[], destinationZone: string): ShipmentState {
  let latest: { status: TrackingStatus; at: number } | null = null;
  let deliveredAt: Date | null = null;
  for (const event of events) {
    const { earliest } = intervalOf(event.time, destinationZone);
    const at = earliest.getTime();
    if (event.status === 'delivered' && !event.disputed && (deliveredAt === null || earliest < deliveredAt)) {
      deliveredAt = earliest;
    }
    if (event.status === 'unknown') continue;
    const isLater =
      latest === null ||
      at > latest.at ||
      (at === latest.at && PROGRESS.indexOf(event.status) > PROGRESS.indexOf(latest.status));
    if (isLater) latest = { status: event.status, at };
  }
  return { status: latest?.status ?? 'unknown', deliveredAt };
}
