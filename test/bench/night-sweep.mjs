import assert from 'node:assert/strict';
import pg from 'pg';
import { sweep } from '../../dist/src/promises/sweep.js';
import { databaseFacts, withCopy, withServer } from './line-database.mjs';
import { checkNight, insertOpen, lateOf, makeNight, withDeps } from './night-database.mjs';
import { pairRuns } from './paired-runs.mjs';

const PAGE = 5_000;
const CHECKS = { cursor: 'ok', rows: 'ok', awards: 'ok', till: 'ok', ledger: 'ok' };

/** What a night costs: by itself, the second time, with more of what is open, and with more of what is done. */
export async function* benchSweep({ quick, say }) {
  const orders = quick ? 10_000 : 1_000_000;
  yield* withServer(async function* (server) {
    const facts = await databaseFacts(server.url);
    const scale = quick ? ', quick: a hundredth of the rows' : '';
    const common = { unit: 'orders/s', gateOp: '>=', pairs: quick ? 3 : 7, quick, checks: CHECKS, say };
    const make = (name, options) => {
      say(`\rnight: ${name}, ${options.orders} orders `.padEnd(50));
      return makeNight(server, name, options);
    };
    const judged = await make('night_judged', { orders });
    const nightly = sweepArm({ server, template: judged, orders });
    yield await pairRuns({
      ...common,
      name: 'B8 sweep',
      baseline: pagesArm({ server, template: judged, orders }),
      ours: nightly,
      gate: 3,
      stretch: 5,
      note: `${facts}, ${orders} open orders, 2 % late; the other arm compares dates and writes verdicts, ours also decides, awards and looks for what was forgotten${scale}`,
    });

    const unjudged = await make('night_unjudged', { orders, judged: false });
    yield await pairRuns({
      ...common,
      name: 'B8n second night',
      baseline: sweepArm({ server, template: unjudged, orders, first: true }),
      ours: secondNightArm({ server, template: unjudged, orders }),
      gate: 5,
      stretch: 10,
      note: `${orders} orders that nobody has judged, then 2 % more of them${scale}`,
    });

    const many = await make('night_many', { orders: 5 * orders });
    yield await pairRuns({
      ...common,
      name: 'B8s sweep, five times the orders',
      baseline: nightly,
      ours: sweepArm({ server, template: many, orders: 5 * orders }),
      gate: 0.85,
      stretch: 0.95,
      note: `${5 * orders} orders v ${orders}${scale}`,
    });

    const closed = 10 * orders;
    const history = await make('night_history', { orders, closed });
    yield await pairRuns({
      ...common,
      name: 'B8h sweep, ten times as many done orders',
      unit: 's',
      gateOp: '<=',
      baseline: secondsOf(nightly, orders),
      ours: secondsOf(sweepArm({ server, template: history, orders }), orders),
      gate: 1.2,
      stretch: 1.05,
      note: `${orders} open orders, with ${closed} that are done v none${scale}`,
    });
  });
}

const secondsOf = (arm, orders) => async () => orders / (await arm());

/** The product's sweep, from its first statement to its report. @returns orders a second */
function sweepArm({ server, template, orders, first = false }) {
  return () =>
    withCopy(server, template, ({ url, query }) =>
      withDeps(url, async (deps) => {
        const { rate, report } = await timed(deps, orders);
        await checkNight(query, report, { orders, first });
        return rate;
      }),
    );
}

/** The night after the first, in which 2 of 100 orders are new. */
function secondNightArm({ server, template, orders }) {
  return () =>
    withCopy(server, template, ({ url, query }) =>
      withDeps(url, async (deps) => {
        await checkNight(query, await sweep(deps), { orders, first: true });
        const more = lateOf(orders);
        await addOrders(url, orders, more);
        const { rate, report } = await timed(deps, orders + more);
        assert.equal(report.changed, more, 'what is new has a verdict, and nothing else got another');
        assert.equal(report.late, lateOf(orders + more) - lateOf(orders), 'what is late among them was found');
        return rate;
      }),
    );
}

/** As orders that came by day, and statistics of that day. The first night was more than an hour ago. */
async function addOrders(url, orders, more) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await insertOpen(client, { from: orders + 1, until: orders + more, judged: false });
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

async function timed(deps, orders) {
  const startedAt = performance.now();
  const report = await sweep(deps);
  return { rate: orders / ((performance.now() - startedAt) / 1_000), report };
}

/**
 * As one writes it who thinks of pages, sets and a cursor: 5,000 orders with their parcels, compared here, all written in one
 * statement together with the place where the next page begins. It decides nothing and tells nobody.
 */
function pagesArm({ server, template, orders }) {
  return () =>
    withCopy(server, template, async ({ url, query }) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        await client.query('CREATE TABLE bench_cursor (id text NOT NULL)');
        await client.query(`INSERT INTO bench_cursor VALUES ('')`);
        const startedAt = performance.now();
        const seen = await goThroughPages(client);
        const seconds = (performance.now() - startedAt) / 1_000;
        const late = lateOf(orders);
        assert.equal(seen, orders, 'every open order was looked at');
        const [row] = await query(
          `SELECT count(*) FILTER (WHERE verdict = 'overdue')::int AS overdue, count(*) FILTER (WHERE looked_at > now() - interval '1 hour')::int AS looked,
             bool_and(id <= (SELECT id FROM bench_cursor)) AS done FROM orders`,
        );
        assert.deepEqual(row, { overdue: late, looked: orders, done: true });
        return orders / seconds;
      } finally {
        await client.end();
      }
    });
}

async function goThroughPages(client) {
  let seen = 0;
  for (let after = ''; ; ) {
    const { rows } = await client.query(
      `SELECT o.id, o.promised_until, o.verdict, s.status, s.delivered_at FROM orders o JOIN shipments s ON s.order_id = o.id
       WHERE o.due_at IS NOT NULL AND o.id > $1 ORDER BY o.id LIMIT ${PAGE}`,
      [after],
    );
    const last = rows.at(-1);
    if (last === undefined) return seen;
    const now = new Date();
    const verdicts = rows.map((row) =>
      row.status !== 'delivered' && row.promised_until <= now ? 'overdue' : row.verdict,
    );
    await client.query('BEGIN');
    await client.query(
      `UPDATE orders o SET verdict = n.verdict, judged_at = $3, looked_at = now()
       FROM unnest($1::text[], $2::text[]) AS n(id, verdict) WHERE o.id = n.id`,
      [rows.map(({ id }) => id), verdicts, now],
    );
    await client.query('UPDATE bench_cursor SET id = $1', [last.id]);
    await client.query('COMMIT');
    after = last.id;
    seen += rows.length;
  }
}
