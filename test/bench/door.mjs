import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { countStored, durableSettings, empty, inboxOf, lasting, storedOf, tidy } from './door-database.mjs';
import { SECRET } from './door-events.mjs';
import { measurePairs, pairRuns, rowOf } from './paired-runs.mjs';
import { withDatabase } from './program.mjs';

const CONNECTIONS = 128;
const LOAD = fileURLToPath(new URL('http-load.mjs', import.meta.url));
const SERVER = fileURLToPath(new URL('door-server.mjs', import.meta.url));

/**
 * Webhooks over HTTP: signed, known again when they come twice, and answered when they are committed. The product stores more than
 * what it is compared with: the scans that the webhook tells of, what its source has told so far, and a ticket for the next
 * stage. Servers and load are processes of their own.
 */
export async function* benchDoor({ quick, say }) {
  yield* await withDatabase(async (database) => {
    const rows = [];
    const load = openLoad();
    const servers = await Promise.all(['insert', 'parse', 'product'].map((kind) => startServer(kind, database.url)));
    const [insert, parse, product] = servers;
    const settings = await durableSettings(database.query);
    const seconds = quick ? 1 : 4;
    const common = { pairs: quick ? 3 : 7, quick, say, unit: 'webhooks/s', gateOp: '>=' };
    const arm = (server, expected) =>
      lasting(seconds, (count) => sendFresh({ load, database, server, count, expected }));
    try {
      const baseline = arm(insert, inboxOf);
      const ours = arm(product, storedOf);
      const checks = { answers: 'ok', rows: 'ok', eachOnce: 'ok' };
      const note = `${CONNECTIONS} connections, ours stores scans, histories and tickets too; ${settings}`;
      const results = await measurePairs({ name: 'B2 door', baseline, ours, ...common });
      rows.push(rowOf(results, { name: 'B2 webhooks', gate: 2, stretch: 2.7, checks, note, ...common }));
      const p99 = { ...common, unit: 'ms', of: 'p99', gateOp: '<=' };
      rows.push(rowOf(results, { name: 'B2 webhooks, p99', gate: 0.6, checks, note: `closed loop; ${note}`, ...p99 }));

      rows.push(
        await pairRuns({
          name: 'B2c webhooks, to no database',
          baseline: arm(parse, () => inboxOf(0)),
          ours: arm(product, storedOf),
          gate: 0.5,
          stretch: 0.75,
          checks,
          note: `${CONNECTIONS} connections, the baseline stores nothing; ${settings}`,
          ...common,
        }),
      );

      rows.push(
        await pairRuns({
          name: 'B15 webhooks that came before',
          baseline: arm(product, storedOf),
          ours: lasting(seconds, (count) => sendAgain({ load, database, server: product, count })),
          gate: 1,
          checks: { ...checks, newRows: 0, sequencesUsed: 0 },
          note: `to fresh ones; ${settings}`,
          ...common,
        }),
      );
      return rows;
    } finally {
      load.close();
      for (const { child } of servers) child.disconnect();
      await Promise.all(servers.map(({ ended }) => ended));
    }
  });
}

async function startServer(kind, databaseUrl) {
  const env = { ...process.env, PORT: '0', EASYPOST_WEBHOOK_SECRET: SECRET, LOG_LEVEL: 'error' };
  const child = fork(SERVER, [kind, databaseUrl], { env });
  const ended = once(child, 'exit');
  const [{ url }] = await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`the server ${kind} ended (${code}) before it was ready`))),
  ]);
  return { url, child, ended };
}

/** Numbers are never used twice, so that nothing is known from an arm before. */
let used = 0;

/** The process that the load comes from. */
function openLoad() {
  const child = fork(LOAD);
  const tell = async (message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return {
    /** Writes so many requests, of which none was sent before. */
    async prepare({ url }, count) {
      await tell({ prepare: { url, from: used, count } });
      used += count;
    },
    /** Sends what is prepared. @returns what was answered, and how fast */
    send: () => tell({ send: CONNECTIONS }),
    close: () => child.disconnect(),
  };
}

/** Fresh webhooks: each is answered, and stored once. @returns how fast that was */
async function sendFresh({ load, database, server, count, expected }) {
  await empty(database);
  await load.prepare(server, count);
  const { accepted, duplicates, statuses, ...measured } = await load.send();
  assert.deepEqual(
    { accepted, duplicates, statuses },
    { accepted: count, duplicates: 0, statuses: { 200: count } },
    'every answer is right',
  );
  assert.deepEqual(await countStored(database.query), expected(count), 'what was answered is stored, once');
  return measured;
}

/** The same webhooks once more: nothing of them is new, and nothing is stored. @returns how fast the second time was */
async function sendAgain({ load, database, server, count }) {
  await sendFresh({ load, database, server, count, expected: storedOf });
  await tidy(database);
  const before = await usedSpace(database.query);
  const { accepted, duplicates, statuses, ...measured } = await load.send();
  assert.deepEqual(
    { accepted, duplicates, statuses },
    { accepted: 0, duplicates: count, statuses: { 200: count } },
    'nothing is taken for new',
  );
  assert.deepEqual(await countStored(database.query), storedOf(count), 'nothing is stored twice');
  assert.deepEqual(await usedSpace(database.query), before, 'no table has grown, no sequence has moved');
  return measured;
}

async function usedSpace(query) {
  const [row] = await query(
    `SELECT (SELECT json_object_agg(relname, pg_relation_size(oid) ORDER BY relname) FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS heaps,
       (SELECT json_object_agg(sequencename, last_value ORDER BY sequencename) FROM pg_sequences WHERE schemaname = 'public') AS sequences`,
  );
  return row;
}
