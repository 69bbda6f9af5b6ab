/** Above this, the machine was too busy with other things to say anything. */
const MOST_VARIATION = 0.3;

/**
 * Runs two arms by turns, A B B A …, and compares each pair. An arm is a function that does its work once and answers what it
 * measured: a number, or several by name, such as `{ rate, p50, p99 }`.
 *
 * @param options.unit of what the arms answer, such as `awards/s` or `ms`
 * @param options.of which of several numbers is compared; `p50`, `p95` and `p99` are shown besides
 * @param options.gate what the median of the ratios ours / baseline must hold; with `quick`, seven tenths of that way; null: it is shown only
 * @param options.gateOp `>=` or `<=`
 * @param options.stretch what to aim at beyond the gate
 * @param options.checks what was counted and right after every arm
 * @returns a row of results
 */
export async function pairRuns({ baseline, ours, pairs, say, ...row }) {
  return rowOf(await measurePairs({ name: row.name, baseline, ours, pairs, say }), row);
}

/** The pairs themselves, where more than one row is made of them (`rowOf`). */
export async function measurePairs({ name, baseline, ours, pairs, say }) {
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
  return measured;
}

/** @returns a row of results, of one of the numbers that arms have answered; options as of `pairRuns` */
export function rowOf(results, { name, unit, of = 'rate', gate, gateOp, stretch = null, quick, checks, note }) {
  const measured = results.map((pair) => pair.map((one) => (typeof one === 'number' ? one : one[of])));
  const baselines = measured.map(([a]) => a);
  const ratio = median(measured.map(([a, b]) => b / a));
  const variation = (Math.max(...baselines) - Math.min(...baselines)) / median(baselines);
  const bound = gate === null ? null : quick ? (gateOp === '>=' ? gate * 0.7 : gate / 0.7) : gate;
  const skipped = variation > MOST_VARIATION ? `the baseline itself varied by ${Math.round(variation * 100)} %` : null;
  const latencies = latencyOf(results);
  return {
    name,
    unit,
    baseline: round(median(baselines)),
    ours: round(median(measured.map(([, b]) => b))),
    ratio,
    gate: bound,
    gateOp,
    stretch,
    pass: skipped === null && bound !== null ? (gateOp === '>=' ? ratio >= bound : ratio <= bound) : null,
    skipped,
    checks,
    note,
    ...(latencies === null ? {} : { latency: latencies }),
    pairs: measured.map((pair) => pair.map(round)),
  };
}

/** What the arms have said of their latencies, in milliseconds: the medians of the runs. */
function latencyOf(results) {
  const names = ['p50', 'p95', 'p99'].filter((name) => results.flat().every((one) => typeof one[name] === 'number'));
  if (names.length === 0) return null;
  const of = (arm) =>
    Object.fromEntries(names.map((name) => [name, round(median(results.map((pair) => pair[arm][name])))]));
  return { baseline: of(0), ours: of(1) };
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

/** Whole numbers where they are large, two places where they are not, and three digits of what is small. */
const round = (number) =>
  number >= 100 ? Math.round(number) : number >= 1 ? Math.round(number * 100) / 100 : Number(number.toPrecision(3));
