/** Above this, the machine was too busy with other things to say anything. */
const MOST_VARIATION = 0.3;

/**
 * Runs two arms by turns, A B B A A B …, and compares each pair. An arm is a function that does its work once; it is
 * repeated for the length of a turn. Times are of this process's CPU, so that what else runs on the machine counts less.
 *
 * @param options.pairs how many pairs
 * @param options.turnMs how long a turn lasts
 * @param options.gate what the median of the ratios ours / baseline must not exceed; null: it is only shown
 * @returns a row of results; microseconds a call
 */
export function comparePairs({ name, baseline, ours, pairs, turnMs, gate, note = '' }) {
  turn(baseline, turnMs);
  turn(ours, turnMs);
  const measured = [];
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) {
      const a = turn(baseline, turnMs);
      measured.push([a, turn(ours, turnMs)]);
    } else {
      const b = turn(ours, turnMs);
      measured.push([turn(baseline, turnMs), b]);
    }
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

/** @returns microseconds of CPU a call */
function turn(work, turnMs) {
  const until = performance.now() + turnMs;
  const before = process.cpuUsage();
  let calls = 0;
  // The clock is asked now and then: asking costs about as much as a short call.
  while (performance.now() < until) {
    for (let repeat = 0; repeat < 100; repeat++) work();
    calls += 100;
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
