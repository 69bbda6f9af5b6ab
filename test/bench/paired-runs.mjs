/** Above this, the machine was too busy with other things to say anything. */
const MOST_VARIATION = 0.3;

/**
 * Runs two arms by turns, A B B A …, and compares each pair. An arm is a function that does its work once and answers what it
 * measured.
 *
 * @param options.unit of what the arms answer, such as `awards/s` or `ms`
 * @param options.gate what the median of the ratios ours / baseline must hold; with `quick`, seven tenths of that way
 * @param options.gateOp `>=` or `<=`
 * @param options.checks what was counted and right after every arm
 * @returns a row of results
 */
export async function pairRuns({ name, unit, baseline, ours, pairs, gate, gateOp, quick, checks, note, say }) {
  say(`\r${name}: warming up `.padEnd(50));
  await baseline();
  await ours();
  const measured = [];
  for (let pair = 0; pair < pairs; pair++) {
    say(`\r${name}: pair ${pair + 1}/${pairs}`.padEnd(50));
    const turns = pair % 2 === 0 ? [baseline, ours] : [ours, baseline];
    const results = [await turns[0](), await turns[1]()];
    measured.push(pair % 2 === 0 ? results : results.reverse());
  }
  say('\r\u001b[K');
  const baselines = measured.map(([a]) => a);
  const ratio = median(measured.map(([a, b]) => b / a));
  const variation = (Math.max(...baselines) - Math.min(...baselines)) / median(baselines);
  const bound = quick ? (gateOp === '>=' ? gate * 0.7 : gate / 0.7) : gate;
  const skipped = variation > MOST_VARIATION ? `the baseline itself varied by ${Math.round(variation * 100)} %` : null;
  return {
    name,
    unit,
    baseline: round(median(baselines)),
    ours: round(median(measured.map(([, b]) => b))),
    ratio,
    gate: bound,
    gateOp,
    pass: skipped === null ? (gateOp === '>=' ? ratio >= bound : ratio <= bound) : null,
    skipped,
    checks,
    note,
    pairs: measured.map((pair) => pair.map(round)),
  };
}

/** The value that so large a share of them does not exceed. */
export function percentile(numbers, share) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Whole numbers where they are large, two places where they are not. */
const round = (number) => (number >= 100 ? Math.round(number) : Math.round(number * 100) / 100);
