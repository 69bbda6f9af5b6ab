/** Above this, the machine was too busy with other things for a limit that is missed to say anything. */
const MOST_VARIATION = 0.3;

/**
 * A row of results for what has no other arm: the median of some values against a limit. Limits of time move with the machine; one that
 * is missed by values that vary much is skipped, one that is kept all the same is kept.
 *
 * @param options.limit what the median must not exceed; with `quick`, as much more as ratios may
 * @param options.baseline the least that it can be, where that was measured beside it; null: nothing
 */
export function limitRow({ name, unit, values, baseline = null, limit, stretch, quick, checks, note }) {
  const ours = median(values);
  const bound = quick ? limit / 0.7 : limit;
  const variation = (Math.max(...values) - Math.min(...values)) / ours;
  const isMissed = ours > bound;
  const skipped =
    isMissed && variation > MOST_VARIATION ? `the values varied by ${Math.round(variation * 100)} %` : null;
  return {
    name,
    unit,
    baseline: baseline === null ? null : Math.round(baseline),
    ours: Math.round(ours),
    ratio: null,
    gate: Math.round(bound),
    gateOp: '<=',
    stretch,
    pass: skipped === null ? !isMissed : null,
    skipped,
    checks,
    note,
    values: values.map((value) => Math.round(value)),
    pairs: [],
  };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
