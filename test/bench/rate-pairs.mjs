/** Above this, the machine was too busy with other things to say anything. */
const MOST_VARIATION = 0.3;

/**
 * Runs two arms by turns and compares each pair of rates: A B B A …. An arm does its work, checks it, and returns its rate.
 *
 * @param options.unit what the rates are in; more is better
 * @param options.gate what the median of the ratios ours / baseline must reach; with `quick` 0.7 of it
 * @param options.checks what the arms have checked, when they have got so far
 * @returns a row of results
 */
export async function inPairs({ name, unit, checks, baseline, ours, pairs, gate, stretch = null, quick, note, say }) {
  say(`\r${name}: warming up `.padEnd(50));
  await baseline();
  await ours();
  const measured = [];
  for (let pair = 0; pair < pairs; pair++) {
    say(`\r${name}: pair ${pair + 1}/${pairs}`.padEnd(50));
    const turns = pair % 2 === 0 ? [baseline, ours] : [ours, baseline];
    const rates = [await turns[0](), await turns[1]()];
    measured.push(pair % 2 === 0 ? rates : rates.reverse());
  }
  const baselines = measured.map(([a]) => a);
  const ratio = median(measured.map(([a, b]) => b / a));
  const variation = (Math.max(...baselines) - Math.min(...baselines)) / median(baselines);
  const atLeast = quick ? gate * 0.7 : gate;
  const skipped = variation > MOST_VARIATION ? `the baseline itself varied by ${Math.round(variation * 100)} %` : null;
  return {
    name,
    unit,
    baseline: Math.round(median(baselines)),
    ours: Math.round(median(measured.map(([, b]) => b))),
    ratio,
    gate: atLeast,
    ...(stretch === null ? {} : { stretch }),
    gateOp: '>=',
    pass: skipped === null ? ratio >= atLeast : null,
    skipped,
    checks,
    note,
    pairs: measured.map((pair) => pair.map(Math.round)),
  };
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
