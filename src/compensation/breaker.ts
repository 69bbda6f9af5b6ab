import type { Policy } from './policy.js';

/** Orders of which it was found out whether their promise was kept, and how many of them were late. */
export interface Settled {
  readonly settled: number;
  readonly late: number;
}

export interface BreakerVerdict {
  readonly tripped: boolean;
  /** The numbers, and what they were held against. */
  readonly because: string;
}

/**
 * Whether so much more is late than usual that money should stop until a person has looked. Shares are compared, not
 * counts: a day with ten times the orders is no alarm. While nothing at all was usually late, `atLeast` alone decides.
 * @param counts what was found out in the window that just ended
 * @param usual the same before the window, and for how many days that is known
 */
export function judgeBreaker(
  counts: Settled,
  usual: Settled & { readonly sinceDays: number },
  { factor, atLeast, armedAfterDays, armedAfterVerdicts, windowMinutes }: Policy['breaker'],
): BreakerVerdict {
  const now = `${counts.late} of ${counts.settled} orders late in the last ${windowMinutes} minutes (${share(counts)})`;
  if (usual.sinceDays < armedAfterDays || usual.settled < armedAfterVerdicts) {
    const known = `${Math.floor(usual.sinceDays)} days and ${usual.settled} orders of history`;
    const because = `${now}; not armed yet: ${known}, ${armedAfterDays} days and ${armedAfterVerdicts} orders are wanted`;
    return { tripped: false, because };
  }
  if (counts.late < atLeast) return { tripped: false, because: `${now}; fewer than ${atLeast}` };
  // Both shares are brought to one denominator: no division, no rounding.
  const tripped = counts.late * usual.settled >= factor * usual.late * counts.settled;
  const because = `${now}; usual is ${share(usual)}, ${factor} times of that is ${tripped ? 'reached' : 'not reached'}`;
  return { tripped, because };
}

function share({ settled, late }: Settled): string {
  return settled === 0 ? '0 %' : `${Number(((late / settled) * 100).toFixed(1))} %`;
}
