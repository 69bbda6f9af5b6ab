import { lineArm, noopArm } from './line-arms.mjs';
import { createDatabase, databaseFacts, makeLineTemplate, withServer } from './line-database.mjs';
import { MIXES } from './line-mix.mjs';
import { writeBenchPolicy } from './line-policy.mjs';
import { pairRuns } from './paired-runs.mjs';
import { installPeers } from './peer-packages.mjs';
import { whyNoRedis, withRedis } from './redis-server.mjs';

const EVENTS = 50_000;
/** What a no-op job costs does not rise with how many there are: enough for some seconds. */
const NOOP_JOBS = 10_000;
const FAST_NOOP_JOBS = 50_000;
const REDIS_NOOP_JOBS = 20_000;
const EMPTY = 'line_empty';
const CHECKS = { scans: 'ok', verdicts: 'ok', awards: 'ok', ledger: 'ok', letters: 'ok', queue: 'empty' };

/**
 * The whole line, against peers that do nothing at all. Ours: webhooks with their signatures are posted at the door, stored, added up,
 * judged; awards are booked in the ledger, and letters written. Theirs: a job an event, added and processed, that does nothing.
 *
 * Both in one process, which is how either is run first, without HTTP and without mail: nobody of the peers has those. So the load comes
 * from the same process: signed before, it costs next to nothing. Letters wait for the end of quiet hours.
 */
export async function* benchLine({ quick, say }) {
  installPeers(say);
  yield* withServer((server) => compare({ server, policyFile: writeBenchPolicy(server.dir), quick, say }));
}

async function* compare({ server, policyFile, quick, say }) {
  const size = (count) => (quick ? count / 10 : count);
  const events = size(EVENTS);
  await createDatabase(server, EMPTY, null);
  const settings = { pairs: quick ? 3 : 7, gateOp: '>=', unit: 'events/s', checks: CHECKS, quick, say };
  const noop = (peer, jobs) => noopArm({ server, template: EMPTY, peer, jobs });
  const facts = await databaseFacts(server.url);
  const prepared = async (mix) => {
    say(`\rorders of the mix ${mix}`.padEnd(50));
    const template = await makeLineTemplate(server, { mix, events, policyFile });
    const arm = { server, template, mix, events, policyFile };
    return {
      arm,
      row: {
        ...settings,
        ours: lineArm(arm),
        note: `${events} events, ${MIXES[mix].text}; theirs: no-op jobs; ${facts}`,
      },
    };
  };

  const { arm, row } = await prepared('real');
  yield await pairRuns({ ...row, name: 'B4 line v BullMQ-PG', baseline: noop('bullmq-pg', size(NOOP_JOBS)), gate: 8 });
  yield await pairRuns({
    ...row,
    name: 'B5 line v graphile-worker',
    baseline: noop('graphile-worker', FAST_NOOP_JOBS),
    gate: 0.4,
  });
  yield await onRedis({ arm, row, jobs: REDIS_NOOP_JOBS });
  const worst = (await prepared('worst')).row;
  yield await pairRuns({
    ...worst,
    name: 'B4 line, all awarded',
    baseline: noop('bullmq-pg', size(NOOP_JOBS)),
    gate: 5,
  });
}

/** The same on Redis, which writes to its disk once a second. */
async function onRedis({ arm, jobs, row }) {
  const named = { ...row, name: 'B6 line on Redis v BullMQ-Redis', gate: 1.2 };
  const reason = whyNoRedis();
  if (reason !== null) return skippedRow(named, reason);
  return withRedis('everysec', (redis) => {
    const baseline = noopArm({ redis, peer: 'bullmq-redis', jobs });
    const note = `${row.note}; Redis ${redis.version}, AOF everysec`;
    return pairRuns({ ...named, baseline, ours: lineArm({ ...arm, redis }), note });
  });
}

function skippedRow({ name, unit, gate, gateOp, note }, skipped) {
  return { name, unit, baseline: 0, ours: 0, ratio: 0, gate, gateOp, pass: null, skipped, note, pairs: [] };
}
