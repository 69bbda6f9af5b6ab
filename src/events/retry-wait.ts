const [MINUTE_S, HOUR_S] = [60, 3_600];

/** Waits between the tries of a delivery: with the first, eleven in 73 and a half hours. */
const WAITS_S = [
  5,
  5 * MINUTE_S,
  30 * MINUTE_S,
  2 * HOUR_S,
  5 * HOUR_S,
  10 * HOUR_S,
  10 * HOUR_S,
  12 * HOUR_S,
  14 * HOUR_S,
  20 * HOUR_S,
];

/** A delivery is given up when no try has come through for so long, however many there were. */
export const GIVE_UP_MS = 75 * HOUR_S * 1_000;

/** Tries that failed together must not come back together. At the most so much earlier or later, or a fifth of the wait. */
const MOST_JITTER_S = 10 * MINUTE_S;

/**
 * How long to wait after a try has failed, in milliseconds; null: it was the last.
 * @param attempt which it was, from 1
 * @param options.chance from 0 to 1, drawn by the caller
 * @param options.askedS what `Retry-After` asked for; never comes back earlier
 */
export function retryWaitMs(
  attempt: number,
  { chance, askedS = 0 }: { readonly chance: number; readonly askedS?: number | undefined },
): number | null {
  const wait = WAITS_S[attempt - 1];
  if (wait === undefined) return null;
  const jitter = Math.min(wait / 5, MOST_JITTER_S) * (2 * chance - 1);
  return Math.round(Math.max(wait + jitter, askedS) * 1_000);
}

/** Tries of an endpoint in a row that fail before it is left alone for a while. Fewer, and one bad event stops the others. */
const FAILS_AFTER = 5;
const FIRST_PAUSE_S = 15;
const LONGEST_PAUSE_S = 10 * MINUTE_S;

/** An answer that takes longer is slow. */
const SLOW_MS = 2_000;

/**
 * How long an endpoint is left alone after a try, in milliseconds. One that fails again and again is asked now and then, and one
 * that is slow rests for as long as it took: so the workers are never all with it.
 * @param failures tries in a row that failed, with this one; 0: it came through
 */
export function pauseMs(failures: number, tookMs: number): number {
  if (failures >= FAILS_AFTER) {
    return Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** Math.min(failures - FAILS_AFTER, 10)) * 1_000;
  }
  return tookMs > SLOW_MS ? tookMs : 0;
}
