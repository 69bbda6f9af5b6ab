import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import nodemailer from 'nodemailer';
import pg from 'pg';
import { systemClock } from '../../dist/src/clock.js';
import { readConfig } from '../../dist/src/config.js';
import { openDatabase } from '../../dist/src/db/database.js';
import { createLogger } from '../../dist/src/logger.js';
import { loadLetterTexts } from '../../dist/src/messages/load-letter-texts.js';
import { createSmtpMailer } from '../../dist/src/messages/mailer.js';
import { renderLetter } from '../../dist/src/messages/render.js';
import { sendMessages } from '../../dist/src/messages/send-messages.js';
import { reviveLetter } from '../../dist/src/messages/write-letters.js';
import { pairRuns } from './paired-runs.mjs';
import { withDatabase } from './program.mjs';

const MAILS = 2_000;
/** Letters of one ticket, and tickets at once: what the worker of this stage does. */
const TICKET = 500;
const LANES = 2;
const FROM = 'Customer Care <care@shop.example>';

/**
 * Sending letters that are written: claimed, handed over and recorded one by one, against nodemailer's own pool with its defaults,
 * which keeps no record of anything. Both talk to a server in a process of its own that answers at once.
 */
export async function* benchMail({ quick, say }) {
  const sink = fork(fileURLToPath(new URL('mail-sink.mjs', import.meta.url)));
  const [{ port }] = await once(sink, 'message');
  try {
    yield await withDatabase(async ({ url, query }) => {
      const db = openDatabase(url, { poolSize: 10, onError: () => {} });
      const mailer = createSmtpMailer(`smtp://127.0.0.1:${port}`);
      try {
        return await compare({ db, mailer, query, url, sink, port, count: quick ? MAILS / 10 : MAILS, quick, say });
      } finally {
        await mailer.close();
        await db.close();
      }
    });
  } finally {
    sink.disconnect();
  }
}

async function compare({ db, mailer, query, url, sink, port, count, quick, say }) {
  const [{ fsync, commit, version }] = await query(
    `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('server_version') AS version`,
  );
  await prepare(query, count);
  const texts = await loadLetterTexts(null);
  const letters = Array.from({ length: count }, (_, index) => letterOf(`o-${index}`, texts));
  // nodemailer's pool reports a mail at a time; 2,000 are handed to it at once, and it takes five connections.
  const pool = nodemailer.createTransport({ pool: true, host: '127.0.0.1', port });
  const deps = { db, mailer, texts, config: readConfig({}), clock: systemClock, log: createLogger('silent') };
  try {
    return await pairRuns({
      name: 'B10 mail',
      unit: 'mails/s',
      baseline: () => measure(sink, count, () => sendByPool(pool, letters)),
      ours: async () => {
        const decisions = await queueLetters({ query, url, letters });
        const rate = await measure(sink, count, () => sendByStage(deps, decisions));
        await checkRecords(query, count);
        return rate;
      },
      pairs: quick ? 3 : 7,
      gate: 1.3,
      gateOp: '>=',
      quick,
      checks: { mails: 'ok', messageIds: 'ok', records: 'ok' },
      note: `${count} mails, PostgreSQL ${version}, fsync ${fsync}, synchronous_commit ${commit}`,
      say,
    });
  } finally {
    pool.close();
  }
}

/** @returns mails a second; the server has each once */
async function measure(sink, count, send) {
  const startedAt = performance.now();
  await send();
  const seconds = (performance.now() - startedAt) / 1_000;
  sink.send('count');
  const [{ mails, messageIds }] = await once(sink, 'message');
  assert.equal(mails, count, 'every mail arrived, and no copy');
  assert.equal(messageIds, count, 'each under a Message-ID of its own');
  return count / seconds;
}

async function sendByPool(pool, letters) {
  await Promise.all(
    letters.map(({ to, messageId, rendered }) => pool.sendMail({ from: FROM, to, messageId, ...rendered })),
  );
}

async function sendByStage(deps, decisions) {
  const tickets = Array.from({ length: Math.ceil(decisions.length / TICKET) }, (_, index) => ({
    ids: decisions.slice(index * TICKET, (index + 1) * TICKET),
  }));
  let next = 0;
  const lane = async () => {
    while (next < tickets.length) {
      const { retries } = await sendMessages(deps, { ticket: tickets[next++], now: new Date() });
      assert.deepEqual(retries, [], 'nothing is left to be sent again');
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** Customers with an order each, and a decision that a letter can hang on. */
async function prepare(query, count) {
  await query(
    `INSERT INTO customers (id, email) SELECT 'c-' || n, 'c-' || n || '@example.com' FROM generate_series(0, $1 - 1) AS n`,
    [count],
  );
  await query(
    `INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at)
     SELECT 'o-' || n, 'c-' || n, '2026-11-05', 'UTC', '2026-11-06', now() FROM generate_series(0, $1 - 1) AS n`,
    [count],
  );
  await query(
    `INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
     SELECT gen_random_uuid(), 'o-' || n, 'late', '2026-11-06', now(), 1, 'webhook', 'bench', '{}', '{}' FROM generate_series(0, $1 - 1) AS n`,
    [count],
  );
}

/** The letters as the stage finds them: written, and queued. @returns the decisions that they tell of */
async function queueLetters({ query, url, letters }) {
  await query('DELETE FROM messages');
  const rows = await query(
    `INSERT INTO messages (id, order_id, customer_id, decision_id, template, to_address, message_id, letter, rendered, status, created_at)
     SELECT gen_random_uuid(), v.order_id, 'c-' || substr(v.order_id, 3), v.id, 'late-delivered', n.to, n.message_id, n.letter, n.rendered,
       'queued', now()
     FROM jsonb_to_recordset($1::jsonb) AS n("order" text, "to" text, message_id text, letter jsonb, rendered jsonb)
       JOIN verdicts v ON v.order_id = n.order
     RETURNING decision_id`,
    [
      JSON.stringify(
        letters.map(({ orderId, to, messageId, letter, rendered }) => ({
          order: orderId,
          to,
          message_id: messageId,
          letter,
          rendered,
        })),
      ),
    ],
  );
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('VACUUM ANALYZE');
  await client.end();
  return rows.map((row) => row.decision_id);
}

async function checkRecords(query, count) {
  const [{ sent, handed, tries }] = await query(
    `SELECT count(*) FILTER (WHERE status = 'sent')::int AS sent, count(handover_at)::int AS handed, sum(attempts)::int AS tries FROM messages`,
  );
  assert.deepEqual({ sent, handed, tries }, { sent: count, handed: count, tries: count }, 'each is recorded, once');
}

function letterOf(orderId, texts) {
  const at = '2026-11-06T20:00:00.000Z';
  const letter = {
    asOf: at,
    promise: { on: '2026-11-05', timeZone: 'America/New_York' },
    verdict: 'late',
    metAt: at,
    metBy: 'delivered',
    deliveredAt: at,
    lateDays: 1,
    lateMinutes: 900,
    lastScan: { status: 'delivered', at },
    estimate: null,
    occasion: null,
    callPlanned: false,
    template: 'late-delivered',
    shopName: 'Lindgren & Sons',
    customer: { name: 'Jörg Müßig', locale: 'de-DE' },
    orderId,
    awards: [],
    isTopUp: false,
  };
  return {
    orderId,
    to: `c-${orderId.slice(2)}@example.com`,
    messageId: `<${orderId}.late-delivered@shop.example>`,
    letter,
    rendered: renderLetter(reviveLetter(letter), texts),
  };
}
