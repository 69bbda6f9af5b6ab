/**
 * Benchmarks: ratios of two arms taken in one run on one machine. Absolute rates move with the machine, ratios much less.
 *
 *   npm run bench                 all
 *   npm run bench -- carriers     one
 *   … --quick                     fewer and shorter pairs, gates at 0.7 of the gate: to see that it still works
 *   … --json                      one JSON document on stdout
 */
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { benchCarriers } from './carriers.mjs';
import { benchCost } from './cost.mjs';
import { benchDoor } from './door.mjs';
import { benchInbox } from './door-inbox.mjs';
import { benchIngest } from './door-ingest.mjs';
import { benchLatency } from './latency.mjs';
import { benchLedger } from './ledger.mjs';
import { benchLine } from './line.mjs';
import { benchQueue } from './line-queues.mjs';
import { benchList } from './list.mjs';
import { machineFacts } from './machine.mjs';
import { benchMail } from './mail.mjs';
import { benchMemory } from './memory.mjs';
import { benchNight } from './night.mjs';
import { benchPeers } from './peers.mjs';
import { benchRecheck } from './recheck.mjs';
import { benchScale } from './scale.mjs';
import { benchStartup } from './startup.mjs';

const BENCHES = {
  carriers: benchCarriers,
  door: benchDoor,
  inbox: benchInbox,
  ingest: benchIngest,
  ledger: benchLedger,
  line: benchLine,
  queue: benchQueue,
  latency: benchLatency,
  peers: benchPeers,
  list: benchList,
  mail: benchMail,
  night: benchNight,
  recheck: benchRecheck,
  scale: benchScale,
  // What one parcel costs, without a comparison.
  cost: benchCost,
  // Limits, not ratios.
  startup: benchStartup,
  memory: benchMemory,
};
/** A ratio of five, and whatever is more. */
const LONGEST_BAR = 40;
const RESULTS = fileURLToPath(new URL('results.jsonl', import.meta.url));

const { values, positionals } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(2);
}

const machine = machineFacts();
const rows = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(BENCHES)) {
  for await (const row of BENCHES[name]({ quick: values.quick, say: (text) => process.stderr.write(text) })) {
    const line = { ...row, machine };
    rows.push(line);
    appendFileSync(RESULTS, `${JSON.stringify(line)}\n`);
  }
}

if (values.json) console.log(JSON.stringify({ machine, rows }, null, 2));
else print();
process.exit(rows.some(({ pass }) => pass === false) ? 1 : 0);

function print() {
  const grid = new Table({
    head: ['benchmark', 'baseline', 'ours', 'ratio', 'min – max', 'gate', ''],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    // A row without another arm: its value is held against its limit, if there is one, and the bar is how much of that it takes.
    const isLimit = row.ratio === null;
    const bar = isLimit ? row.ours / row.gate : row.ratio;
    const percent = row.gate === null ? '-' : `${Math.round(bar * 100)} %`;
    const length = isLimit && row.gate === null ? 0 : Math.min(LONGEST_BAR, Math.round(bar * 8));
    const spread = isLimit ? row.values : row.pairs.map(([a, b]) => b / a);
    const shown = (number) => (isLimit ? String(number) : number.toFixed(2));
    grid.push([
      row.name,
      row.baseline === null ? '-' : `${row.baseline} ${row.unit}`,
      `${row.ours} ${row.unit}`,
      `${isLimit ? percent : bar.toFixed(2)} ${'█'.repeat(length)}`,
      spread.length === 0 ? '-' : `${shown(Math.min(...spread))} – ${shown(Math.max(...spread))}`,
      row.gate === null ? '-' : `${row.gateOp} ${shown(row.gate)}`,
      row.skipped ? `skipped: ${row.skipped}` : row.pass === null ? row.note : row.pass ? `ok (${row.note})` : 'FAILED',
    ]);
  }
  console.log(grid.toString());
  console.log(
    Object.entries(machine)
      .map(([key, value]) => `${key}: ${value}`)
      .join(', '),
  );
}
