import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limitRow, median } from './limits.mjs';
import { postsUntil } from './post-scans.mjs';
import { run, startReady, stop } from './processes.mjs';
import { BENCH_ENV, withDatabase } from './program.mjs';

/** One that is late by a day, and what is to be said of it. */
const CASE = {
  promise: { on: '2026-11-05', timeZone: 'America/New_York' },
  asOf: '2026-11-07T12:00:00Z',
  events: [
    { status: 'in_transit', at: '2026-11-03T12:00:00Z' },
    { status: 'delivered', at: '2026-11-06T19:00:00Z' },
  ],
};
const ANSWER = { verdict: 'late', lateMinutes: 840, lateDays: 1, fault: 'carrier' };

/** A program that has just come up is still at what it does first. */
const IDLE_MS = 500;
const CONNECTIONS = 128;

/** From a command to what it is for, and from SIGTERM to the end: median of cold starts, through npm as people call it. */
export async function* benchStartup({ quick, say }) {
  const home = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  // PostgreSQL never runs as root; another user has to come to its folder.
  chmodSync(home, 0o755);
  const times = quick ? 3 : 5;
  try {
    yield* await startAndStop({ home, times, quick, say });
    yield await stopUnderLoad({ times, quick, say });
    yield await demo({ times, quick, say });
    yield* await judge({ home, times: times * 3, quick, say });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function startAndStop({ home, times, quick, say }) {
  const fresh = [];
  const existing = [];
  const stops = [];
  for (let turn = 0; turn < times; turn++) {
    say(`\rU1, U2, U5: start ${turn + 1}/${times}`.padEnd(50));
    const env = { ...BENCH_ENV, DATA_DIR: join(home, `data-${turn}`) };
    for (const into of [fresh, existing]) {
      const program = await startReady('start', env);
      into.push(program.readyMs);
      await sleep(IDLE_MS);
      stops.push(await stop(program));
    }
    rmSync(env.DATA_DIR, { recursive: true, force: true });
  }
  say('\r\u001b[K');
  const checks = { exit: '0', leftBehind: 'nothing' };
  const note = 'npm start until /readyz says 200';
  return [
    limitRow({
      name: 'U1 start, existing data',
      unit: 'ms',
      values: existing,
      limit: 3_000,
      stretch: 1_500,
      quick,
      checks,
      note,
    }),
    limitRow({
      name: 'U2 start, no data yet',
      unit: 'ms',
      values: fresh,
      limit: 6_000,
      stretch: 3_000,
      quick,
      checks,
      note,
    }),
    limitRow({
      name: 'U5 stop, idle',
      unit: 'ms',
      values: stops,
      limit: 2_000,
      stretch: 1_000,
      quick,
      checks,
      note: 'SIGTERM to npm, until exit code 0',
    }),
  ];
}

/** What was answered before the end is there afterwards, and nothing besides what was under way. */
async function stopUnderLoad({ times, quick, say }) {
  return withDatabase(async ({ url, query }) => {
    const values = [];
    for (let turn = 0; turn < times; turn++) {
      say(`\rU5 under load: stop ${turn + 1}/${times}`.padEnd(50));
      const [{ count: before }] = await query('SELECT count(*)::int AS count FROM tracking_events');
      const program = await startReady('start', { ...BENCH_ENV, DATABASE_URL: url });
      let stopping = false;
      const load = postsUntil(program.url, CONNECTIONS, () => stopping);
      await sleep(quick ? 1_000 : 3_000);
      stopping = true;
      values.push(await stop(program));
      const { answered, unanswered } = await load;
      const [{ count: after }] = await query('SELECT count(*)::int AS count FROM tracking_events');
      assert.ok(answered > 0, 'there was a load');
      assert.ok(after - before >= answered, `${answered} answered, ${after - before} stored`);
      assert.ok(after - before <= answered + unanswered, 'nothing is stored twice');
    }
    say('\r\u001b[K');
    return limitRow({
      name: 'U5 stop under load',
      unit: 'ms',
      values,
      limit: 10_000,
      stretch: 5_000,
      quick,
      checks: { exit: '0', leftBehind: 'nothing', rows: 'ok' },
      note: `${CONNECTIONS} connections that send webhooks`,
    });
  });
}

async function demo({ times, quick, say }) {
  const values = [];
  for (let turn = 0; turn < times; turn++) {
    say(`\rU3 demo: ${turn + 1}/${times}`.padEnd(50));
    const { ms, output } = await run('npm', ['run', '-s', 'demo']);
    assert.match(output, /orders ended as they should/);
    values.push(ms);
  }
  say('\r\u001b[K');
  const checks = { exit: '0', orders: 'ok' };
  return limitRow({
    name: 'U3 demo',
    unit: 'ms',
    values,
    limit: 60_000,
    stretch: 20_000,
    quick,
    checks,
    note: 'npm run demo',
  });
}

/** By turns with a program that does nothing: nobody can be faster than that. */
async function judge({ home, times, quick, say }) {
  const file = join(home, 'case.json');
  writeFileSync(file, JSON.stringify(CASE));
  const nothing = join(home, 'nothing');
  mkdirSync(nothing);
  writeFileSync(
    join(nothing, 'package.json'),
    JSON.stringify({ name: 'nothing', scripts: { nothing: 'exec node -e 0' } }),
  );
  const words = ['judge', '--file', file, '--json'];
  const judged = async (...call) => {
    const { ms, output } = await run(...call);
    const { verdict, lateMinutes, lateDays, fault } = JSON.parse(output);
    assert.deepEqual({ verdict, lateMinutes, lateDays, fault }, ANSWER);
    return ms;
  };
  const values = { node: [], alone: [], npm: [], throughNpm: [] };
  for (let turn = 0; turn < times; turn++) {
    say(`\rU4 judge: ${turn + 1}/${times}`.padEnd(50));
    values.node.push((await run('node', ['-e', '0'])).ms);
    values.alone.push(await judged('node', ['bin/makegood.mjs', ...words]));
    values.npm.push((await run('npm', ['run', '-s', 'nothing'], {}, nothing)).ms);
    values.throughNpm.push(await judged('npm', ['run', '-s', 'makegood', '--', ...words]));
  }
  say('\r\u001b[K');
  const row = { unit: 'ms', limit: 400, stretch: 250, quick, checks: { answer: 'ok' } };
  return [
    limitRow({
      ...row,
      name: 'U4 makegood judge',
      values: values.alone,
      baseline: median(values.node),
      note: 'baseline: node that does nothing',
    }),
    limitRow({
      ...row,
      name: 'U4 judge, through npm',
      values: values.throughNpm,
      baseline: median(values.npm),
      note: 'baseline: node that does nothing, through npm',
    }),
  ];
}
