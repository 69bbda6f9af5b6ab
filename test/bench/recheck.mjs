import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pairRuns, percentile } from './paired-runs.mjs';
import { ask, insertOpenOrders, withDatabase, withProgram } from './program.mjs';

const ORDERS = 5_000;

/**
 * What an agent waits for behind many waiting tickets: the 99th percentile of re-checks over HTTP, against the same judgement
 * as one more ticket at the end of the line.
 */
export async function* benchRecheck({ quick, say }) {
  const waiting = 50_000;
  const rechecks = quick ? 20 : 100;
  yield* await withDatabase(async ({ url, query }) => {
    await insertOpenOrders(query, ORDERS);
    // Written while nobody works, and brought to the queue by the program that starts.
    const arm = (measure) => async () => {
      const asked = await flood(query, waiting);
      return withProgram(url, {}, async (program) => {
        await until(async () => (await left(query)) < waiting);
        const ms = await measure({ program, asked });
        await until(async () => (await left(query)) === 0);
        return ms;
      });
    };
    const atTheEnd = arm(async ({ asked }) => {
      const startedAt = performance.now();
      await until(async () => (await query('SELECT 1 FROM outbox WHERE id = $1', [asked])).length === 0);
      return performance.now() - startedAt;
    });
    const ahead = arm(async ({ program }) => {
      const latencies = [];
      for (let n = 0; n < rechecks; n++) {
        const startedAt = performance.now();
        const id = `o-${String(1 + Math.floor(Math.random() * ORDERS)).padStart(7, '0')}`;
        const { after } = await ask(program, 'POST', `/v1/orders/${id}/recheck`, {});
        assert.equal(after.verdict, 'pending');
        latencies.push(performance.now() - startedAt);
      }
      assert.ok((await left(query)) > 0, 'tickets still wait when the last re-check is answered');
      return percentile(latencies, 0.99);
    });
    return [
      await pairRuns({
        name: `B11 re-check behind ${waiting} tickets, p99`,
        unit: 'ms',
        baseline: atTheEnd,
        ours: ahead,
        pairs: quick ? 3 : 7,
        gate: 0.05,
        gateOp: '<=',
        quick,
        checks: { queue: 'empty' },
        note: `${rechecks} re-checks, one after the other`,
        say,
      }),
    ];
  });
}

/** Tickets as a flood of webhooks leaves them, one an order. @returns the last one's id */
async function flood(query, tickets) {
  const last = randomUUID();
  await query(
    `INSERT INTO outbox (id, stage, ids, trigger, trace, relay_after)
     SELECT CASE WHEN n = $2 THEN $3::uuid ELSE gen_random_uuid() END, 'judge-promises',
       ARRAY['o-' || lpad((1 + n % $1)::text, 7, '0')], 'webhook', 'bench', now() + n * interval '1 microsecond' - interval '1 minute'
     FROM generate_series(1, $2::int) n`,
    [ORDERS, tickets, last],
  );
  return last;
}

const left = async (query) => (await query('SELECT count(*)::int AS count FROM outbox'))[0].count;

async function until(isSo) {
  while (!(await isSo())) await sleep(20);
}
