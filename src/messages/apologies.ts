/** A letter to a customer that apologises, or will when a person lets it. */
export interface PastApology {
  readonly orderId: string;
  /** When it was sent or, if it has not been, written. */
  readonly at: Date;
  /** It waits for a person: the customer does not know it. */
  readonly isHeld: boolean;
  /** It told of a delivery that came late, or had not come, and nothing was found since that it was in time. */
  readonly wasLate: boolean;
}

const DAY_MS = 86_400_000;
/** How long a failure is remembered: as long as the policy counts goodwill. */
const REMEMBERED_MS = 90 * DAY_MS;
/** What `APOLOGY_LIMIT` is counted over. */
const LIMITED_MS = 14 * DAY_MS;

/** Since when apologies are looked up: older ones count for nothing. */
export function rememberedSince(now: Date): Date {
  return new Date(now.getTime() - REMEMBERED_MS);
}

/** How many other orders the customer was told of that were late, within 90 days. */
export function countEarlierFailures(past: readonly PastApology[], orderId: string, now: Date): number {
  const since = rememberedSince(now);
  const told = past.filter(
    (letter) => letter.wasLate && !letter.isHeld && letter.orderId !== orderId && letter.at >= since,
  );
  return new Set(told.map((letter) => letter.orderId)).size;
}

/** Whether one more would be more than the limit; a limit of 0 is none. Apologies that are held count: each may yet go out. */
export function isBeyondLimit(past: readonly PastApology[], limit: number, now: Date): boolean {
  const since = new Date(now.getTime() - LIMITED_MS);
  return limit > 0 && past.filter((letter) => letter.at > since).length >= limit;
}
