import { availableParallelism } from 'node:os';
import { CHECKS, MANY_CONNECTIONS, runCluster } from './cluster.mjs';
import { databaseFacts, makeLineTemplate, withServer } from './line-database.mjs';
import { MIXES } from './line-mix.mjs';
import { writeBenchPolicy } from './line-policy.mjs';
import { rowOf } from './paired-runs.mjs';
import { whyNoRedis, withRedis } from './redis-server.mjs';

const EVENTS = 20_000;
const MIX = 'real';
/** Servers, and as many workers. */
const COUNTS = [1, 2, 4];

/**
 * More servers and workers on one PostgreSQL and one Redis: whether all of it stays right, and how much faster it is. Shown only, without
 * a gate: how much more of them can do is for the cores to say, and programs, database and load share them here.
 */
export async function* benchScale({ quick, say }) {
  const whyNot = whyNoRedis();
  yield* withServer(async function* onServer(server) {
    const measure = (redis) => compare({ server, redis, whyNot, quick, say });
    yield* whyNot === null ? await withRedis('everysec', measure) : await measure(null);
  }, MANY_CONNECTIONS);
}

async function compare({ server, redis, whyNot, quick, say }) {
  const events = quick ? EVENTS / 10 : EVENTS;
  const policyFile = writeBenchPolicy(server.dir);
  const at = new Date();
  say(`\rorders of the mix ${MIX}`.padEnd(50));
  const template = await makeLineTemplate({ url: server.url }, { mix: MIX, events, policyFile, at });
  const facts = await databaseFacts(server.url);
  const queue = redis ? `Redis ${redis.version}, AOF everysec` : `queue on PostgreSQL: ${whyNot}`;
  const arm = (count) =>
    runCluster({ server, template, mix: MIX, events, at, policyFile, redis, servers: count, workers: count });
  const measured = await takeTurns(arm, quick ? 3 : 7, say);
  return COUNTS.slice(1).map((count) =>
    rowOf(
      measured.map((turn) => [turn[1], turn[count]]),
      {
        name: `scale: ${count} + ${count} v 1 + 1`,
        unit: 'events/s',
        gate: null,
        gateOp: '>=',
        quick,
        checks: CHECKS,
        note: `shown only: servers + workers, load and databases on ${availableParallelism()} cores; ${events} events over HTTP, ${MIXES[MIX].text}; ${facts}; ${queue}`,
      },
    ),
  );
}

/** All of them by turns, forth and back, so that each is compared with what ran next to it. @returns what each has answered, by turn and count */
async function takeTurns(arm, turns, say) {
  say('\rscale: warming up '.padEnd(50));
  // The programs are new in each run: what gets warm is PostgreSQL and the disk.
  await arm(1);
  const measured = [];
  for (let turn = 0; turn < turns; turn++) {
    const answers = {};
    for (const count of turn % 2 === 0 ? COUNTS : COUNTS.toReversed()) {
      say(`\rscale: turn ${turn + 1}/${turns}, ${count} + ${count}`.padEnd(50));
      answers[count] = await arm(count);
    }
    measured.push(answers);
  }
  say('\r\u001b[K');
  return measured;
}
