import { counts, measureOf, measureOfPast, type PastAward, type Remedy } from './award.js';
import type { Incident } from './incident.js';
import type { Candidate } from './rules.js';
import { showMeasure } from './wording.js';

export interface TopUp {
  /** What is still to be given; null when what was given before is as much or more. */
  readonly remedy: Remedy | null;
  /** How the earlier awards were taken into account; null when there are none. */
  readonly because: string | null;
}

/**
 * Takes off what this order and incident already had of the class, so that a chain of decisions adds up to the highest
 * of them, whatever kinds they were; of a refund also what was refunded of the order for something else, where one of the two is
 * for a service that was poor: nobody gets the price of a film back twice. All earlier awards are taken off, also those dated after `asOf`: clocks
 * differ, and what is there must never be paid again.
 */
export function topUp(
  { remedy, rule }: Candidate,
  { orderId, incident, history }: { orderId: string; incident: Incident; history: readonly PastAward[] },
): TopUp {
  const ofOrder = history.filter((past) => past.orderId === orderId && counts(past));
  const earlier = [
    ...ofOrder.filter((past) => past.incident === incident && past.class === rule.class),
    ...(remedy.kind === 'refund' ? ofOrder.filter((past) => isRefundBesides(past, incident)) : []),
  ].flatMap((past) => measureOfPast(past) ?? []);
  if (earlier.length === 0) return { remedy, because: null };

  const now = measureOf(remedy);
  const alike = earlier.filter(({ unit }) => unit === now.unit);
  if (alike.length === 0) {
    return { remedy: null, because: 'the class already has an award for this incident, of another unit' };
  }
  const had = alike.reduce((sum, { quantity }) => sum + quantity, 0);
  const more = now.quantity - had;
  if (more <= 0)
    return { remedy: null, because: `${showMeasure(had, now.unit)} was given before, which is as much or more` };
  return {
    remedy: withQuantity(remedy, more),
    because: `${showMeasure(had, now.unit)} was given before, the difference is ${showMeasure(more, now.unit)}`,
  };
}

/** Whether an award of an order takes from what is refunded of it for an incident, though it was given for something else. */
export function isRefundBesides({ kind, incident: other }: PastAward, incident: Incident): boolean {
  return kind === 'refund' && other !== incident && (incident === 'service' || other === 'service');
}

function withQuantity(remedy: Remedy, quantity: number): Remedy {
  if (remedy.kind === 'membership_extension') return { ...remedy, months: quantity };
  if (remedy.kind === 'points') return { ...remedy, points: quantity };
  // A replacement is one or none: there is no difference between two of them to be given.
  if (remedy.kind === 'replacement') return remedy;
  return { ...remedy, amount: { ...remedy.amount, amountMinor: quantity } };
}
