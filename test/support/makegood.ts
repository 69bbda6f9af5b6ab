import { randomBytes, randomUUID } from 'node:crypto';
import { easypost } from '../../src/carriers/easypost/adapter.js';
import { ShiftedClock } from '../../src/clock.js';
import { readConfig } from '../../src/config.js';
import type { Deps } from '../../src/deps.js';
import type { OrderView } from '../../src/http/order-view.js';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/logger.js';
import { openDeps } from '../../src/open-deps.js';
import { watchDeadlines } from '../../src/promises/watch-deadlines.js';
import { countTickets } from '../../src/queue/outbox-store.js';
import { SCHEDULES } from '../../src/queue/queues.js';
import { startWorkers, WORKERS, type WorkerName } from '../../workers/start-workers.js';
import { eventually } from './eventually.js';
import { sourceEnvironment } from './sources.js';

export const SECRET = 'test-secret-of-easypost';
export const ADMIN_KEY = 'test-admin-key-0123456789';

/** The headers with which EasyPost would send this body now. */
export function signEasypost(body: Buffer | string, secret: string): Record<string, string> {
  return easypost.sign({ rawBody: Buffer.from(body), secret, now: new Date() });
}

/** A whole makegood in this process, on a test's own database. */
export interface TestMakegood extends Client {
  readonly deps: Deps;
  readonly clock: ShiftedClock;
  /** Looks for deadlines now, and waits until all work is done. */
  watch(): Promise<number>;
  /** Waits until no ticket waits; those set aside do not count. */
  quiet(): Promise<void>;
  stop(): Promise<void>;
}

export async function startMakegood(options: {
  databaseUrl: string;
  redisUrl?: string;
  smtpUrl?: string;
  /** Set: the instant at which the clock starts. */
  now?: string;
  /** Variables of the environment besides. */
  environment?: Readonly<Record<string, string>>;
  /** Without the schedules, so that a clock that jumps finds nothing by itself. */
  workers?: readonly WorkerName[];
}): Promise<TestMakegood> {
  const config = readConfig({
    PORT: '0',
    ADMIN_API_KEY: ADMIN_KEY,
    ...sourceEnvironment(),
    EASYPOST_WEBHOOK_SECRET: SECRET,
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    SMTP_URL: options.smtpUrl,
    SHOP_NAME: 'Test Shop',
    MAIL_FROM: 'Test Shop <care@shop.example>',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    ...options.environment,
  });
  const clock = new ShiftedClock();
  if (options.now) clock.set(new Date(options.now));
  const log = createLogger(config.logLevel);
  const { deps, close } = await openDeps(config, {
    databaseUrl: options.databaseUrl,
    log,
    withQueues: true,
    makesAdminKey: true,
    clock,
  });
  const all = Object.keys(WORKERS) as WorkerName[];
  const stopWorkers = await startWorkers(
    deps,
    options.workers ?? all.filter((name) => !(SCHEDULES as readonly string[]).includes(name)),
  );
  const server = await startServer(deps);
  const quiet = async () => {
    await eventually(async () => (await countTickets(deps.db.pool)).every(({ waiting }) => waiting === 0), 30_000);
  };
  return {
    ...clientOf(server.url),
    deps,
    clock,
    quiet,
    async watch() {
      const due = await watchDeadlines(deps);
      await quiet();
      return due;
    },
    async stop() {
      await server.close();
      await stopWorkers();
      await close();
    },
  };
}

/** What a shop and a carrier do over HTTP. */
export interface Client {
  readonly url: string;
  request(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(id: string, order: object): Promise<Answer>;
  order(id: string): Promise<OrderView>;
  /** Signs and posts a webhook of EasyPost. */
  webhook(event: object): Promise<Answer>;
}
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever came, the test says what it must be.
  readonly body: any;
}

export function clientOf(url: string): Client {
  const request: Client['request'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        authorization: `Bearer ${ADMIN_KEY}`,
        ...headers,
      },
      ...(body === undefined
        ? {}
        : {
            body:
              typeof body === 'string' || body instanceof Uint8Array
                ? (body as NonNullable<RequestInit['body']>)
                : JSON.stringify(body),
          }),
    });
    const text = await response.text();
    let parsed: unknown = text;
    try {
      parsed = JSON.parse(text);
    } catch {}
    return { status: response.status, headers: response.headers, body: parsed };
  };
  return {
    url,
    request,
    put: (id, order) => request('PUT', `/v1/orders/${id}`, order),
    async order(id) {
      const answer = await request('GET', `/v1/orders/${id}`);
      if (answer.status !== 200) throw new Error(`GET order ${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    webhook(event) {
      const body = Buffer.from(JSON.stringify(event));
      return request('POST', '/webhooks/easypost', body, signEasypost(body, SECRET));
    },
  };
}

/** An order document; anything can be replaced. */
export function orderDocument(
  changes: { customerId?: string; trackingNumber?: string; carrier?: string } & Record<string, unknown> = {},
) {
  const {
    customerId = 'c-1',
    trackingNumber = '9400100000000000000001',
    carrier = 'usps',
    customer,
    ...rest
  } = changes;
  return {
    customer: {
      id: customerId,
      email: `${customerId}@example.com`,
      name: 'Ann Lee',
      locale: 'en-US',
      membership: { tier: 'prime', trial: false },
      ...(customer as object | undefined),
    },
    placedAt: '2026-11-01T15:04:00Z',
    total: { amountMinor: 5990, currency: 'USD' },
    shippingPaid: { amountMinor: 599, currency: 'USD' },
    promise: { on: '2026-11-05', timeZone: 'America/New_York' },
    shipments: [{ carrier, trackingNumber }],
    ...rest,
  };
}

/** A webhook of EasyPost: a tracker with these scans, `[status, detail, datetime]`, oldest first. */
export function trackerEvent(
  trackingNumber: string,
  scans: readonly (readonly [string, string, string])[],
  carrier = 'USPS',
) {
  const latest = scans.at(-1);
  return {
    id: `evt_${randomUUID()}`,
    object: 'Event',
    mode: 'production',
    description: 'tracker.updated',
    result: {
      id: `trk_${randomBytes(4).toString('hex')}`,
      object: 'Tracker',
      mode: 'production',
      tracking_code: trackingNumber,
      carrier,
      status: latest?.[0] ?? 'unknown',
      status_detail: latest?.[1] ?? 'unknown',
      est_delivery_date: null,
      tracking_details: scans.map(([status, status_detail, datetime]) => ({
        object: 'TrackingDetail',
        message: `${status} ${status_detail}`,
        status,
        status_detail,
        datetime,
        source: carrier,
        tracking_location: { object: 'TrackingLocation', city: 'ALBANY', state: 'NY', country: 'US', zip: null },
      })),
    },
  };
}
