import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limitRow } from './limits.mjs';
import { postsUntil } from './post-scans.mjs';
import { familyOf, isOurs, isPostgres, peakOf, shareOf, start, startReady, stop } from './processes.mjs';
import { BENCH_ENV, withDatabase } from './program.mjs';

const CONNECTIONS = 128;
const SMALL = 10_000;
/** So many of the imported orders come a day late: 8 of 100, as in a real shop. */
const LATE_OF_100 = 8;

/**
 * Resident memory as /proc has it. Of PostgreSQL it counts what is shared in each of some 25 processes; so there is a row for that sum,
 * and one where each page counts once.
 */
export async function* benchMemory({ quick, say }) {
  const home = mkdtempSync(join(tmpdir(), 'makegood-bench-'));
  // PostgreSQL never runs as root; another user has to come to its folder.
  chmodSync(home, 0o755);
  try {
    yield* await idleAndLoaded({ home, quick, say });
    yield* await parts({ quick, say });
    yield* await bulk({ home, quick, say });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** `npm start` idle, and after a load. */
async function idleAndLoaded({ home, quick, say }) {
  const [idleS, loadS] = quick ? [5, 5] : [30, 60];
  say(`\rM1, M2: ${idleS} s idle, ${loadS} s of load`.padEnd(50));
  const program = await startReady('start', { ...BENCH_ENV, DATA_DIR: join(home, 'data') });
  await sleep(idleS * 1_000);
  const idle = residentOf(program.pid);
  const load = await loadFor(program.url, loadS);
  const after = residentOf(program.pid);
  await stop(program);
  say('\r\u001b[K');
  const row = { unit: 'MiB', quick, checks: { exit: '0' } };
  const note = `after ${idleS} s idle; npm itself holds ${Math.round(idle.npm)} MiB more`;
  return [
    limitRow({ ...row, name: 'M1 npm start, idle', values: [idle.ours], limit: 250, stretch: 150, note }),
    limitRow({
      ...row,
      name: 'M1 with PostgreSQL, sum of RSS',
      values: [idle.ours + idle.postgres],
      limit: 400,
      stretch: 250,
      note: 'shared pages count in each process',
    }),
    limitRow({
      ...row,
      name: 'M1 with PostgreSQL, each page once',
      values: [idle.share],
      limit: 400,
      stretch: 250,
      note: 'sum of PSS',
    }),
    ratioRow({
      name: 'M2 after load, over idle',
      pair: [idle.ours, after.ours],
      gate: 1.5,
      stretch: 1.2,
      quick,
      checks: { exit: '0', answers: 'ok' },
      note: `${load.answered} webhooks over ${CONNECTIONS} connections in ${loadS} s; without PostgreSQL`,
    }),
  ];
}

/** Server and worker of a cluster, each at the most it holds while the load lasts. */
async function parts({ quick, say }) {
  const seconds = quick ? 5 : 60;
  say(`\rM2: server and worker, ${seconds} s of load`.padEnd(50));
  return withDatabase(async ({ url, query }) => {
    const env = { ...BENCH_ENV, DATABASE_URL: url };
    const server = await startReady('server', env);
    const worker = start('npm', ['run', '-s', 'worker'], env);
    const [peakOfServer, peakOfWorker] = [peakOf(server), peakOf(worker)];
    const { answered } = await loadFor(server.url, seconds);
    while (!worker.isOver() && (await query('SELECT 1 FROM outbox LIMIT 1')).length > 0) await sleep(50);
    const [{ count }] = await query('SELECT count(*)::int AS count FROM tracking_events');
    assert.equal(count, answered, 'every scan that was answered is there');
    await stop(worker);
    await stop(server);
    say('\r\u001b[K');
    const row = { unit: 'MiB', stretch: null, quick, checks: { exit: '0', rows: 'ok', queue: 'empty' } };
    const note = `at the most, while ${answered} webhooks came over ${CONNECTIONS} connections in ${seconds} s`;
    return [
      limitRow({ ...row, name: 'M2 npm run server, under load', values: [await peakOfServer], limit: 250, note }),
      limitRow({ ...row, name: 'M2 npm run worker, under load', values: [await peakOfWorker], limit: 200, note }),
    ];
  });
}

/** What goes through all rows must not hold them: the most that it held, with many rows over few. */
async function bulk({ home, quick, say }) {
  const large = quick ? 100_000 : 1_000_000;
  const [few, many] = [await importAndSweep(home, SMALL, say), await importAndSweep(home, large, say)];
  const row = {
    gate: 1.3,
    stretch: 1.1,
    quick,
    checks: { rows: 'ok', verdicts: 'ok' },
    note: `${large} rows over ${SMALL}`,
  };
  return [
    ratioRow({ ...row, name: 'M3 import orders', pair: [few.imported, many.imported] }),
    ratioRow({ ...row, name: 'M3 sweep', pair: [few.swept, many.swept] }),
  ];
}

async function importAndSweep(home, rows, say) {
  say(`\rM3: ${rows} rows`.padEnd(50));
  const [file, map] = [join(home, 'orders.csv'), join(home, 'map.json')];
  await writeOrders(file, rows);
  writeFileSync(map, JSON.stringify(MAPPING));
  const measured = await withDatabase(async ({ url }) => {
    const env = { ...BENCH_ENV, DATABASE_URL: url };
    const first = await held('makegood', ['import', 'orders', file, '--map', map, '--json'], env);
    assert.equal(first.answer.registered, rows, 'every row is an order');
    const second = await held('makegood', ['sweep', '--json'], env);
    assert.equal(second.answer.orders, rows, 'every order is judged');
    assert.equal(second.answer.verdicts.late, (rows * LATE_OF_100) / 100, 'as late as they are');
    return { imported: first.peak, swept: second.peak };
  });
  say('\r\u001b[K');
  return measured;
}

/** Runs a command. @returns its answer, and the MiB that it held at the most */
async function held(name, args, env) {
  const program = start('node', [`bin/${name}.mjs`, ...args], env);
  const peak = await peakOf(program);
  const { code } = await program.ended;
  assert.equal(code, 0, program.output());
  return { answer: JSON.parse(program.output()), peak };
}

const MAPPING = {
  id: 'id',
  'customer.id': 'customer',
  'promise.on': 'promised',
  'promise.timeZone': { const: 'America/Sao_Paulo' },
  'shipments[0].carrier': { const: 'correios' },
  'shipments[0].trackingNumber': 'id',
  'shipments[0].events[0].status': { const: 'delivered' },
  'shipments[0].events[0].at': 'delivered',
};

async function writeOrders(file, rows) {
  const out = createWriteStream(file);
  out.write('id,customer,promised,delivered\n');
  for (let n = 0; n < rows; n++) {
    const delivered = n % 100 < LATE_OF_100 ? '2025-03-11T15:00:00Z' : '2025-03-09T15:00:00Z';
    if (!out.write(`o-${n},c-${n % 100_000},2025-03-10,${delivered}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

async function loadFor(url, seconds) {
  const until = performance.now() + seconds * 1_000;
  return postsUntil(url, CONNECTIONS, () => performance.now() > until);
}

/** MiB of a program and of what came of it. */
function residentOf(pid) {
  const sum = (processes) => processes.reduce((mib, { rss }) => mib + rss, 0);
  const family = familyOf(pid);
  const [ours, postgres] = [family.filter(isOurs), family.filter(isPostgres)];
  return {
    ours: sum(ours),
    postgres: sum(postgres),
    share: [...ours, ...postgres].reduce((mib, one) => mib + shareOf(one), 0),
    npm: sum(family) - sum(ours) - sum(postgres),
  };
}

function ratioRow({ name, pair, gate, stretch, quick, checks, note }) {
  const ratio = pair[1] / pair[0];
  const bound = quick ? gate / 0.7 : gate;
  const [baseline, ours] = pair.map(Math.round);
  return {
    name,
    unit: 'MiB',
    baseline,
    ours,
    ratio,
    gate: bound,
    gateOp: '<=',
    stretch,
    pass: ratio <= bound,
    skipped: null,
    checks,
    note,
    pairs: [[baseline, ours]],
  };
}
