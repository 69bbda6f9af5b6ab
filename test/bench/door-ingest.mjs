import assert from 'node:assert/strict';
import { easypost } from '../../dist/src/carriers/easypost/adapter.js';
import { deliveryKeyOf } from '../../dist/src/carriers/matching.js';
import { readConfig } from '../../dist/src/config.js';
import { newId } from '../../dist/src/ids.js';
import { createReceiveWebhook } from '../../dist/src/inbox/receive-webhook.js';
import { reportRowsOf } from '../../dist/src/inbox/scan-store.js';
import { createLogger } from '../../dist/src/logger.js';
import { openDeps } from '../../dist/src/open-deps.js';
import { countStored, durableSettings, empty, inboxOf, lasting, storedOf } from './door-database.mjs';
import { bodyOf, SECRET, SOURCE, signatureOf } from './door-events.mjs';
import { openInBatches } from './door-inbox.mjs';
import { pairRuns, percentile } from './paired-runs.mjs';
import { withDatabase } from './program.mjs';

/** Events at once: of Prisma as many as are usual, more gain nothing; of ours a flood. */
const PRISMA_CALLERS = 32;
const CALLERS = 1_000;

/**
 * Events as they are stored without thinking of floods, by Prisma and one by one, against ours: first the row of the inbox alone on
 * both sides; then all that the product stores of a webhook, on our side from its bytes and signature on, on the other from rows
 * that are ready.
 */
export async function* benchIngest({ quick, say }) {
  yield* await withDatabase(async (database) => {
    const settings = await durableSettings(database.query);
    const config = readConfig({ EASYPOST_WEBHOOK_SECRET: SECRET, DATABASE_URL: database.url });
    const { deps, close } = await openDeps(config, {
      databaseUrl: database.url,
      log: createLogger('error'),
      withQueues: false,
    });
    const seconds = quick ? 1 : 4;
    const arm = (work) => lasting(seconds, (count) => measure({ database, count, ...work(deps) }));
    const common = {
      unit: 'events/s',
      pairs: quick ? 3 : 7,
      gate: 8,
      stretch: 15,
      gateOp: '>=',
      quick,
      checks: { rows: 'ok', eachOnce: 'ok' },
      note: `Prisma ${PRISMA_CALLERS} at once, ours ${CALLERS}; ${settings}`,
      say,
    };
    try {
      return [
        await pairRuns({ name: 'B3 ingest', baseline: arm(createInbox), ours: arm(inBatches), ...common }),
        await pairRuns({ name: 'B3 ingest, all rows', baseline: arm(createAll), ours: arm(receive), ...common }),
      ];
    } finally {
      await close();
    }
  });
}

/** Numbers are never used twice. */
let used = 0;

async function measure({ database, count, callers, prepare, store, expected }) {
  await empty(database);
  const events = Array.from({ length: count }, () => prepare(bodyOf(used++)));
  const latencies = [];
  const startedAt = performance.now();
  const caller = async () => {
    for (let event = events.pop(); event !== undefined; event = events.pop()) {
      const askedAt = performance.now();
      await store(event);
      latencies.push(performance.now() - askedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const seconds = (performance.now() - startedAt) / 1_000;
  assert.equal(latencies.length, count);
  assert.deepEqual(await countStored(database.query), expected(count), 'what was answered is stored, once');
  return { rate: count / seconds, p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) };
}

const inboxRow = (body) => ({
  id: newId(),
  source: SOURCE,
  dedupeKey: deliveryKeyOf(SOURCE, body),
  body,
  receivedAt: new Date(),
});

function createInbox({ db }) {
  return {
    callers: PRISMA_CALLERS,
    prepare: inboxRow,
    store: (data) => db.prisma.inbox.create({ data }),
    expected: inboxOf,
  };
}

function inBatches({ db }) {
  const store = openInBatches(db);
  return {
    callers: CALLERS,
    prepare: (body) => ({
      inboxId: newId(),
      source: SOURCE,
      dedupeKey: deliveryKeyOf(SOURCE, body),
      deliveryId: null,
      body,
    }),
    store,
    expected: inboxOf,
  };
}

/** The rows that the product's door leaves of a webhook, each by a `create` of its own, in one transaction. */
function createAll({ db: { prisma } }) {
  return {
    callers: PRISMA_CALLERS,
    prepare: rowsOf,
    store: ({ inbox, scans, histories, ticket }) =>
      prisma.$transaction([
        prisma.inbox.create({ data: inbox }),
        ...scans.map((data) => prisma.trackingEvent.create({ data })),
        ...histories.map((data) => prisma.history.create({ data })),
        prisma.outbox.create({ data: ticket }),
      ]),
    expected: storedOf,
  };
}

function receive(deps) {
  const take = createReceiveWebhook(deps);
  return {
    callers: CALLERS,
    prepare: (rawBody) => ({ rawBody, headers: signatureOf(rawBody) }),
    async store(request) {
      assert.deepEqual(await take(SOURCE, request), { accepted: 1, duplicates: 0 });
    },
    expected: storedOf,
  };
}

function rowsOf(body) {
  const inbox = inboxRow(body);
  const { receivedAt } = inbox;
  const { parcels } = easypost.parse(JSON.parse(body.toString()));
  const reports = reportRowsOf({ inboxId: inbox.id, source: SOURCE, carrier: null, parcels });
  const [{ trackingKey }] = reports;
  return {
    inbox,
    scans: reports.flatMap(({ report, carrierKey, scans }) =>
      scans.map(({ scanKey, scan: { status, exception, time, code, text, place } }) => ({
        ...{ scanKey, inboxId: inbox.id, source: SOURCE, carrier: report.carrier, carrierKey, trackingKey },
        ...{ status, exception, occurredAt: time.at, code, text, place, receivedAt },
      })),
    ),
    histories: reports.map(({ report: { reportedAt }, carrierKey, scans }) => ({
      ...{ trackingKey, carrierKey, source: SOURCE, scanKeys: scans.map(({ scanKey }) => scanKey) },
      ...{ firstToldAt: [reportedAt], firstReachesBackTo: [reportedAt], lastToldAt: [reportedAt] },
    })),
    ticket: {
      ...{ id: newId(), stage: 'track-shipments', ids: [trackingKey], trigger: 'webhook', trace: inbox.id },
      relayAfter: receivedAt,
    },
  };
}
