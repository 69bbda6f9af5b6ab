import type { VerdictCase } from '../promises/verdict.js';
import { intervalOf } from '../shipments/event-interval.js';

/**
 * The earliest instant that the first delivered scan known at `asOf` can mean; null without one. A disputed scan counts:
 * that it is there, and the parcel is not, is the very case of a customer who says "not received".
 */
export function firstDeliveredAt({
  events,
  promise,
  asOf,
}: Pick<VerdictCase, 'events' | 'promise' | 'asOf'>): Date | null {
  return events
    .filter(({ status }) => status === 'delivered')
    .map(({ time }) => intervalOf(time, promise.timeZone).earliest)
    .filter((at) => at <= asOf)
    .reduce<Date | null>((first, at) => (first === null || at < first ? at : first), null);
}
