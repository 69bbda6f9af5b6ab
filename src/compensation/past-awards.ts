import { subHours } from 'date-fns';
import { type AwardClass, type AwardKind, counts } from './award.js';
import type { DecisionCase } from './decision-input.js';
import type { AwardIncident } from './incident.js';
import type { Policy, Selection } from './policy.js';

/**
 * How much of a selection the customer was given for other orders in the days before `asOf`: awards, or orders with at least
 * one. Days are of 24 hours: those of a calendar would be the days of this process's own time zone, and differ from one to the
 * next. At `asOf` itself counts as before it: two orders of one customer decided in one batch share the instant.
 */
export function countPast(
  { counts: what, days, for: selection }: { counts: 'awards' | 'orders'; days: number; for: Selection },
  { asOf, order, history }: DecisionCase,
  policy: Policy,
): number {
  const since = subHours(asOf, days * 24);
  const others = history.filter(
    (past) =>
      past.orderId !== order.id &&
      past.at >= since &&
      past.at <= asOf &&
      counts(past) &&
      selects(selection, past, policy),
  );
  return what === 'orders' ? new Set(others.map(({ orderId }) => orderId)).size : others.length;
}

/** Whether a selection means an award: all that it names must match. */
export function selects(
  selection: Selection,
  award: { readonly class: AwardClass; readonly kind: AwardKind; readonly incident: AwardIncident },
  policy: Policy,
): boolean {
  return (
    (selection.classes?.includes(award.class) ?? true) &&
    (selection.kinds?.includes(award.kind) ?? true) &&
    (selection.incidents?.includes(award.incident) ?? true) &&
    (selection.goodwill === undefined || policy.classes[award.class]?.goodwill === true)
  );
}
