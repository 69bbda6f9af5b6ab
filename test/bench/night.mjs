import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { benchSweep } from './night-sweep.mjs';
import { pairRuns, percentile } from './paired-runs.mjs';
import { insertOpenOrders, postScan, withDatabase, withProgram } from './program.mjs';

/** Webhooks a second, by the clock whatever the answers take: what a shop of some millions of parcels a year hears by day. */
const RATE = 50;

/** The night: what it costs, and whom it disturbs. */
export async function* benchNight(options) {
  yield* benchSweep(options);
  yield* benchBesides(options);
}

/**
 * What a carrier's webhook waits for while the nightly sweep runs in the same process, against the same without it: the 99th
 * percentile from the instant at which each was to be sent. The sweep begins anew whenever it has ended.
 */
async function* benchBesides({ quick, say }) {
  const orders = quick ? 5_000 : 30_000;
  const seconds = quick ? 4 : 15;
  yield* await withDatabase(async ({ url, query }) => {
    await insertOpenOrders(query, orders);
    const arm = (isNight) => () =>
      withProgram(url, isNight ? { SWEEP_CRON: '* * * * * *' } : {}, async (program) => {
        const before = await count(query);
        // The first seconds of a program are not what is compared.
        await load(program, { orders, seconds: 2 });
        const latencies = await load(program, { orders, seconds });
        const after = await count(query);
        assert.equal(after.scans - before.scans, RATE * (seconds + 2), 'every scan is there');
        if (isNight) assert.ok(after.sweeping > 0 || after.sweeps > before.sweeps, 'the sweep ran');
        else assert.equal(after.sweeps, before.sweeps, 'no sweep ran');
        return percentile(latencies, 0.99);
      });
    return [
      await pairRuns({
        name: 'B8f webhooks while the sweep runs, p99',
        unit: 'ms',
        baseline: arm(false),
        ours: arm(true),
        pairs: quick ? 3 : 7,
        gate: 2,
        gateOp: '<=',
        quick,
        checks: { rows: 'ok' },
        note: `${RATE} webhooks/s, ${orders} open orders`,
        say,
      }),
    ];
  });
}

/** @returns milliseconds from when each webhook was to be sent to its answer */
async function load(url, { orders, seconds }) {
  const startedAt = performance.now();
  const answers = [];
  for (let n = 0; n < RATE * seconds; n++) {
    const dueAt = startedAt + (n * 1_000) / RATE;
    if (dueAt > performance.now()) await sleep(dueAt - performance.now());
    const number = `N${String(1 + Math.floor(Math.random() * orders)).padStart(7, '0')}`;
    answers.push(postScan(url, number).then(() => performance.now() - dueAt));
  }
  return Promise.all(answers);
}

async function count(query) {
  const [row] = await query(
    `SELECT (SELECT count(*) FROM tracking_events)::int AS scans,
       (SELECT count(*) FROM sweep_runs WHERE finished_at IS NOT NULL)::int AS sweeps,
       (SELECT count(*) FROM sweep_runs WHERE finished_at IS NULL AND cursor IS NOT NULL)::int AS sweeping`,
  );
  return row;
}
