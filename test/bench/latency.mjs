import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { start } from './line-arms.mjs';
import { databaseFacts, makeTemplate, withCopy, withServer } from './line-database.mjs';
import { insertOrders, signedWebhooks } from './line-mix.mjs';
import { pairRuns, percentile } from './paired-runs.mjs';
import { withProgram } from './program.mjs';

/** So few that each finds everything idle; by the clock, whatever the answers take. */
const RATE = 5;
/** The first ones find code that nobody has run yet. */
const WARM_UP = 15;
const TEMPLATE = 'latency_orders';
const MIX = 'worst';
/** From the instant at which a scan was to be sent: what half of all, and what nearly all, must be below. */
const VISIBLE_MS = { p50: 25, p99: 150 };

/**
 * How long it takes from a scan to what it earns, when nothing else is going on. The program over HTTP, against a loop that does the same
 * work and looks every half second: from the commit of the event to the commit of the award, both by PostgreSQL's own clock. Then
 * how long the program takes from the instant at which a scan was to be sent.
 */
export async function* benchLatency({ quick, say }) {
  yield* withServer((server) => compare({ server, quick, say }), { track_commit_timestamp: 'on' });
}

async function* compare({ server, quick, say }) {
  const events = WARM_UP + (quick ? 20 : 150);
  const at = new Date();
  await makeTemplate(server, TEMPLATE, { prepare: (query) => insertOrders(query, MIX, events, at) });
  const requests = signedWebhooks(MIX, events, at);
  const facts = await databaseFacts(server.url);
  const note = `${events - WARM_UP} events, ${RATE}/s, ${facts}`;
  const visible = [];
  const arm = (run) => () =>
    withCopy(server, TEMPLATE, async ({ url, query }) => {
      const dueAt = await run(url, query, requests);
      const found = (await timesOf(query, events)).filter(({ parcel }) => dueAt.has(parcel));
      assert.equal(found.length, events - WARM_UP, 'each has its award');
      return {
        sinceCommit: found.map(({ storedAt, grantedAt }) => grantedAt - storedAt),
        sinceDue: found.map(({ parcel, grantedAt }) => grantedAt - dueAt.get(parcel)),
      };
    });
  const polled = arm(byPoller);
  const ours = arm(byProgram);
  yield await pairRuns({
    name: 'B12 event committed -> award committed, p50',
    unit: 'ms',
    baseline: async () => percentile((await polled()).sinceCommit, 0.5),
    ours: async () => {
      const { sinceCommit, sinceDue } = await ours();
      visible.push(sinceDue);
      return percentile(sinceCommit, 0.5);
    },
    pairs: quick ? 3 : 7,
    gate: 0.1,
    gateOp: '<=',
    quick,
    checks: { awards: 'ok' },
    note,
    say,
  });
  // The first run was there to warm up.
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
  ]) {
    yield targetRow({ name, runs: visible.slice(1), share, quick, note });
  }
}

/** Held against a target: there is no other arm. */
function targetRow({ name, runs, share, quick, note }) {
  const target = VISIBLE_MS[name];
  const all = percentile(runs.flat(), share);
  const gate = quick ? 1 / 0.7 : 1;
  return {
    name: `scan sent -> award visible, ${name} (v target)`,
    unit: 'ms',
    baseline: target,
    ours: Math.round(all * 100) / 100,
    ratio: all / target,
    gate,
    gateOp: '<=',
    pass: all / target <= gate,
    skipped: null,
    checks: { awards: 'ok' },
    note,
    pairs: runs.map((run) => [target, Math.round(percentile(run, share) * 100) / 100]),
  };
}

async function byProgram(url, query, requests) {
  return withProgram(url, {}, (program) =>
    send(query, requests, async ({ rawBody, headers }) => {
      const response = await fetch(`${program}/webhooks/easypost`, { method: 'POST', headers, body: rawBody });
      assert.equal(response.status, 200);
    }),
  );
}

async function byPoller(url, query, requests) {
  const child = start(new URL('latency-poller.mjs', import.meta.url), { url });
  await child.next('ready');
  const dueAt = await send(query, requests, async ({ rawBody, headers }) =>
    child.send({ body: rawBody.toString(), headers }),
  );
  child.send('stop');
  await child.ended;
  return dueAt;
}

/** Sends them by the clock, and waits until all is done. @returns when each was to be sent, in milliseconds since 1970; by parcel */
async function send(query, requests, post) {
  const dueAt = new Map();
  const startedAt = performance.now();
  const sent = [];
  for (const [nth, request] of requests.entries()) {
    // Not in step with whoever looks twice a second.
    const due = startedAt + ((nth + Math.random()) * 1_000) / RATE;
    if (due > performance.now()) await sleep(due - performance.now());
    if (nth >= WARM_UP) dueAt.set(request.parcel, performance.timeOrigin + due);
    sent.push(post(request));
  }
  await Promise.all(sent);
  const isThere = async () => (await query('SELECT count(*)::int AS count FROM ledger_transfers'))[0].count;
  while ((await isThere()) < requests.length) await sleep(100);
  return dueAt;
}

/** When each event was committed and its award, in milliseconds since 1970. */
async function timesOf(query, events) {
  const rows = await query(
    `SELECT substr(s.order_id, 3)::int AS parcel, extract(epoch FROM pg_xact_commit_timestamp(i.xmin))::float8 * 1000 AS "storedAt",
       extract(epoch FROM pg_xact_commit_timestamp(t.xmin))::float8 * 1000 AS "grantedAt"
     FROM ledger_transfers t JOIN awards a ON a.id = t.award_id JOIN shipments s ON s.order_id = a.order_id
       JOIN tracking_events e ON e.tracking_key = s.tracking_key JOIN inbox i ON i.id = e.inbox_id`,
  );
  assert.equal(rows.length, events, 'an award an event');
  return rows;
}
