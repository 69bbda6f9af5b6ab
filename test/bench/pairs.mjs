/** Above this, the machine was too busy with other things to say anything. */
const MOST_VARIATION = 0.3;
/** A pair is made of slices, A B A B …: what disturbs the machine for longer than a slice disturbs both. */
const SLICE_MS = 25;

/**
 * Runs two arms by turns and compares each pair. An arm is a function that does its work once; it is repeated for the length
 * of a slice. Times are of this process's CPU, all its threads, so that what else runs on the machine counts less and collecting
 * garbage counts.
 *
 * @param options.pairs how many pairs
 * @param options.turnMs how long each arm runs within a pair
 * @param options.gate what the median of the ratios ours / baseline must not exceed; null: it is only shown
 * @returns a row of results; microseconds a call
 */
export function comparePairs({ name, baseline, ours, pairs, turnMs, gate, note = '' }) {
  comparePair(baseline, ours, turnMs);
  const measured = [];
  for (let pair = 0; pair < pairs; pair++) {
    measured.push(pair % 2 === 0 ? comparePair(baseline, ours, turnMs) : comparePair(ours, baseline, turnMs).reverse());
  }
  const baselines = measured.map(([a]) => a);
  const ratio = median(measured.map(([a, b]) => b / a));
  const variation = (Math.max(...baselines) - Math.min(...baselines)) / median(baselines);
  const skipped =
    gate !== null && variation > MOST_VARIATION
      ? `the baseline itself varied by ${Math.round(variation * 100)} %`
      : null;
  return {
    name,
    unit: 'µs',
    baseline: round(median(baselines)),
    ours: round(median(measured.map(([, b]) => b))),
    ratio,
    gate,
    gateOp: '<=',
    pass: gate === null || skipped !== null ? null : ratio <= gate,
    skipped,
    note,
    pairs: measured.map((pair) => pair.map(round)),
  };
}

/** @returns microseconds of CPU a call, of one arm and of the other: of each the median of its slices */
function comparePair(one, other, turnMs) {
  const times = [[], []];
  for (let slices = Math.ceil(turnMs / SLICE_MS); slices > 0; slices--) {
    times[0].push(slice(one));
    times[1].push(slice(other));
  }
  return times.map(median);
}

function slice(work) {
  const until = performance.now() + SLICE_MS;
  const before = process.cpuUsage();
  let calls = 0;
  // The clock is asked now and then: asking costs about as much as a short call.
  while (performance.now() < until) {
    for (let repeat = 0; repeat < 50; repeat++) work();
    calls += 50;
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const round = (number) => Math.round(number * 100) / 100;
