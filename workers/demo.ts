import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCarrier } from '../src/carriers/registry.js';
import { ShiftedClock } from '../src/clock.js';
import { readConfig } from '../src/config.js';
import { disappointments, outcomeTable, type StoryOutcome } from '../src/demo/outcome-table.js';
import { startShopSystem } from '../src/demo/shop-system.js';
import { storiesOf } from '../src/demo/stories.js';
import type { Story } from '../src/demo/story.js';
import { FORMATS, scrambled, webhooksUntil } from '../src/demo/webhooks.js';
import { freePort } from '../src/embedded/free-port.js';
import type { OrderView } from '../src/http/order-view.js';
import { createLogger } from '../src/logger.js';
import { findMailText } from '../src/messages/mailbox-store.js';
import { printError } from '../src/print-error.js';
import { watchDeadlines } from '../src/promises/watch-deadlines.js';
import { countTickets } from '../src/queue/outbox-store.js';
import { type Everything, startEverything } from './start-everything.js';

/*
 * `npm run demo`: the main job once, for real: an own PostgreSQL, the HTTP server, all workers; orders and signed webhooks
 * over HTTP, in a scrambled order and twice; only the calendar is set to Christmas. `--serve` leaves it running.
 */

const serve = process.argv.includes('--serve');
const say = (line = ''): void => void process.stdout.write(`${line}\n`);

/** Quiet must come within this time. A machine that needs longer is broken, or the product is. */
const QUIET_TIMEOUT_MS = 30_000;

const year = new Date().getUTCFullYear();
const stories = storiesOf(year);
const secret = randomBytes(24).toString('hex');
const shopSecret = `whsec_${randomBytes(32).toString('base64')}`;
const adminKey = `demo_${randomBytes(18).toString('base64url')}`;
// Its own folder, fresh each time: the demo never touches what `npm start` keeps.
const dataDir = mkdtempSync(join(tmpdir(), 'makegood-demo-'));
chmodSync(dataDir, 0o755);
const clock = new ShiftedClock();
const registered = new Set<string>();
const sentUntil = new Map<string, number>();

/** The instants at which the demo's calendar stops; the odd one is just after midnight in Berlin. */
const STEPS = ['21T15:00', '22T23:00', '23T12:00', '23T23:05', '24T20:00', '25T12:00', '26T12:00', '27T12:00'];

const at = (dayAndTime: string): Date => new Date(`${year}-12-${dayAndTime}:00Z`);
const told = new Intl.DateTimeFormat('en-US', {
  weekday: 'short',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
  timeZone: 'UTC',
});

let everything: Everything | undefined;
let shop: Awaited<ReturnType<typeof startShopSystem>> | undefined;
const cleanUp = async () => {
  await everything?.stop();
  await shop?.stop();
  rmSync(dataDir, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(0)));

try {
  await play();
} catch (error) {
  await printError(error);
  process.exitCode = 1;
}
if (!serve || process.exitCode) {
  await cleanUp();
  process.exit(process.exitCode ?? 0);
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** One stop of the calendar: orders and scans that came since the last one, then a look for deadlines that passed. */
async function live(url: string, now: Date, seed: number): Promise<void> {
  clock.set(now);
  const day = now.toISOString().slice(0, 10);
  const orders = stories.filter(
    (story) => (story.registeredOn ?? `${year}-12-21`) === day && !registered.has(story.id),
  );
  const posted = await post(url, now, seed);
  await quiet();
  for (const story of orders) await register(url, story);
  await quiet();
  const due = everything ? await watchDeadlines(everything.deps) : 0;
  await quiet();
  const news = [
    ...(orders.length > 0 ? [`${count(orders.length, 'order')} registered`] : []),
    ...(posted.sent > 0
      ? [
          `${posted.sent} signed webhooks of ${count(posted.sources, 'source')}, scrambled: ${posted.accepted} scans new, ${posted.duplicates} known already`,
        ]
      : []),
    ...(due > 0 ? [`the deadline watch looked at ${count(due, 'order')} whose time had come`] : []),
  ];
  say(`${told.format(now)} UTC  ${news.join('; ')}`);
}

async function play(): Promise<void> {
  const startedAt = Date.now();
  say('makegood demo: a few days around Christmas. Starting a PostgreSQL of its own …');
  shop = await startShopSystem(shopSecret);
  const config = readConfig({
    // Chosen before it listens: letters have links in them.
    PORT: process.env.PORT ?? String((await freePort(0)) ?? 0),
    DATA_DIR: dataDir,
    ADMIN_API_KEY: adminKey,
    ...Object.fromEntries(Object.keys(FORMATS).map((source) => [`${source.toUpperCase()}_WEBHOOK_SECRET`, secret])),
    SHOP_NAME: 'Lantern & Loom',
    REMEDY_PROVIDERS: 'replacement=webhook,gift=webhook,refund=webhook,shipping_refund=webhook',
    AWARD_WEBHOOK_URL: shop.url,
    AWARD_WEBHOOK_SECRET: shopSecret,
    MAIL_FROM: 'Lantern & Loom <care@lantern-and-loom.example>',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'warn',
  });
  clock.set(at('21T15:00'));
  // The calendar jumps here, so the demo looks for deadlines itself, when all scans of a step are in.
  const workers = [
    'track-shipments',
    'judge-promises',
    'grant-awards',
    'call-providers',
    'send-messages',
    'deliver-events',
  ] as const;
  everything = await startEverything(config, createLogger(config.logLevel), { clock, workers });
  const { url } = everything;
  say(`Ready at ${url} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.\n`);

  for (const [index, step] of STEPS.entries()) await live(url, at(step), index);

  const outcomes: StoryOutcome[] = [];
  for (const story of stories) outcomes.push({ story, view: await show(url, story.id) });
  say();
  say(outcomeTable(outcomes));
  say(
    `The shop's own system carried out ${shop.carriedOut.map(({ kind, order }) => `a ${kind} for ${order}`).join(', ')}.`,
  );
  const text = await findMailText(everything.deps, 'grace.kim@example.com');
  say('\nOne of the letters, of those that lie in the local mailbox now:\n');
  say(
    text
      .split('\n')
      .map((line) => `  │ ${line}`)
      .join('\n'),
  );
  const wrong = disappointments(outcomes);
  if (wrong.length > 0) throw new Error(`the day did not end as it should:\n${wrong.join('\n')}`);
  say(`\nAll ${stories.length} orders ended as they should, in ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
  whereNext(url);
}

function whereNext(url: string): void {
  say('\nWhere to look next:');
  if (serve) {
    say(`  curl -H 'Authorization: Bearer ${adminKey}' ${url}/v1/orders/o-1005   an order, and why`);
    say(`  ${url}/mailbox                                           the letters; its key: ${adminKey}`);
    say(`  curl ${url}/openapi.json                                 everything the interface can do`);
    say('It runs until you press Ctrl-C.');
    return;
  }
  say('  npm run demo -- --serve   the same, and leaves it running to look at');
  say('  npm start                 the real thing; README.md says how to connect a shop and a carrier');
  say('  ARCHITECTURE.md           the way of a parcel through the code');
}

async function register(url: string, story: Story): Promise<void> {
  const { id, customer, promise, occasion, total, carrier, trackingNumber } = story;
  registered.add(id);
  const response = await fetch(`${url}/v1/orders/${id}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      customer,
      promise,
      occasion,
      total,
      placedAt: at('17T12:00'),
      shipments: [{ carrier, trackingNumber }],
    }),
  });
  if (response.status !== 201) throw new Error(`PUT /v1/orders/${id}: ${response.status} ${await response.text()}`);
}

/** Sends what the sources would have sent since the last time: out of order, and with some of it, old and new, twice. */
async function post(
  url: string,
  until: Date,
  seed: number,
): Promise<{ sent: number; sources: number; accepted: number; duplicates: number }> {
  const webhooks = stories.flatMap((story) => {
    const bodies = webhooksUntil(story, until);
    const known = sentUntil.get(story.id) ?? 0;
    sentUntil.set(story.id, bodies.length);
    const news = bodies.length === known ? [] : [...bodies.slice(known), ...bodies.slice(-2)];
    return news.map((rawBody) => ({ source: story.source, rawBody }));
  });
  let accepted = 0;
  let duplicates = 0;
  for (const { source, rawBody } of scrambled(webhooks, seed)) {
    const signature = findCarrier(source)?.sign({ rawBody, secret, now: clock.read(new Date()) });
    const response = await fetch(`${url}/webhooks/${source}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...signature },
      body: new Uint8Array(rawBody),
    });
    if (response.status !== 200)
      throw new Error(`POST /webhooks/${source}: ${response.status} ${await response.text()}`);
    const receipt = (await response.json()) as { accepted: number; duplicates: number };
    accepted += receipt.accepted;
    duplicates += receipt.duplicates;
  }
  return { sent: webhooks.length, sources: new Set(webhooks.map(({ source }) => source)).size, accepted, duplicates };
}

async function show(url: string, id: string): Promise<OrderView> {
  const response = await fetch(`${url}/v1/orders/${id}`, { headers: { authorization: `Bearer ${adminKey}` } });
  if (response.status !== 200) throw new Error(`GET /v1/orders/${id}: ${response.status} ${await response.text()}`);
  return (await response.json()) as OrderView;
}

/** Waits until the workers have nothing left to do. */
async function quiet(): Promise<void> {
  const until = Date.now() + QUIET_TIMEOUT_MS;
  while (everything) {
    const counts = await countTickets(everything.deps.db.pool);
    if (counts.every(({ waiting }) => waiting === 0)) {
      if (counts.some(({ parked }) => parked > 0)) throw new Error(`work was set aside: ${JSON.stringify(counts)}`);
      return;
    }
    if (Date.now() > until) throw new Error(`still busy after ${QUIET_TIMEOUT_MS / 1000} s: ${JSON.stringify(counts)}`);
    await sleep(20);
  }
}
