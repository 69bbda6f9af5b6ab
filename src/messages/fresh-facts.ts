import { localDateOf } from '../calendar.js';
import type { LetterFacts } from '../promises/letter-facts.js';

/** How an order stands, as far as it can have come on since it was decided on. */
export interface CurrentState {
  readonly verdict: string | null;
  readonly metAt: Date | null;
  readonly deliveredAt: Date | null;
  readonly lateDays: number | null;
  readonly lateMinutes: number | null;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/**
 * The facts of a letter that is written on another day than was decided: who was still waiting then may have the parcel by now, or
 * waits for longer. The same facts where nothing of that is so; what has happened is as it was. A pure function.
 */
export function freshFacts<T extends LetterFacts>(facts: T, current: CurrentState, now: Date): T {
  if (facts.verdict !== 'overdue' || facts.metAt !== null) return facts;
  const { verdict, metAt, deliveredAt, lateDays, lateMinutes } = current;
  if (verdict === 'late' && metAt !== null) {
    const { parcels: _, ...rest } = facts;
    const metBy = deliveredAt?.getTime() === metAt.getTime() ? 'delivered' : 'attempted';
    const met = {
      verdict: 'late',
      metAt,
      metBy,
      deliveredAt,
      lateDays,
      lateMinutes,
      lastScan: null,
      estimate: null,
    } as const;
    return { ...rest, ...met, asOf: now } as unknown as T;
  }
  const { timeZone } = facts.promise;
  const dayOf = (at: Date) => Date.parse(localDateOf(at, timeZone));
  const days = Math.round((dayOf(now) - dayOf(facts.asOf)) / DAY_MS);
  if (days <= 0) return facts;
  return {
    ...facts,
    asOf: now,
    lateDays: facts.lateDays === null ? null : facts.lateDays + days,
    lateMinutes:
      facts.lateMinutes === null
        ? null
        : facts.lateMinutes + Math.floor((now.getTime() - facts.asOf.getTime()) / MINUTE_MS),
  };
}
