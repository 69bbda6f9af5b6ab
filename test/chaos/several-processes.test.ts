import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, jest, test } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ADMIN_KEY, clientOf, SECRET } from '../support/makegood.js';
import { startSmtpSink } from '../support/smtp-sink.js';
import { expectMadeGood, quiet } from './oracle.js';
import { FATES, parcel } from './parcel.js';
import { createRandom, SEED } from './random.js';
import { register, report, sayAll } from './say.js';

// Eight programs that start at once take their time where other tests run beside them.
jest.setTimeout(180_000);

const RUN = fileURLToPath(new URL('../../bin/run.mjs', import.meta.url));
/** Each program holds up to 18 connections, and a queue on PostgreSQL 20 more: of 300 four and four would take all. */
const OF_EACH = { redis: 4, postgres: 2 };
const ORDERS = 30;
const READY_MS = 60_000;

/** What a test has started. */
interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  output(): string;
}

test.each(BACKENDS)(
  `several servers and workers, and each webhook sent to all servers at once: one award and one letter for each late order, BullMQ on $backend (SEED=${SEED})`,
  async ({ backend, start: startQueue }) => {
    const ofEach = OF_EACH[backend];
    const random = createRandom(SEED);
    const running: Running[] = [];
    const database = await createTestDatabase();
    const queue = await startQueue();
    const smtp = await startSmtpSink();
    try {
      const env = { DATABASE_URL: database.url, REDIS_URL: queue.redisUrl ?? '', SMTP_URL: smtp.url };
      const servers = Array.from({ length: ofEach }, () => startPart('server', env, running));
      const workers = Array.from({ length: ofEach }, () => startPart('worker', env, running));
      await Promise.all([...servers, ...workers].map((part) => part.ready()));
      const clients = servers.map((server) => clientOf(server.url()));

      const parcels = Array.from({ length: ORDERS }, (_, index) => parcel(index, FATES[index % FATES.length]));
      const webhooks = parcels.flatMap((one) => one.webhooks);
      // Whoever speaks next speaks to the next server: copies that follow each other meet in several processes.
      let turn = 0;
      const next = () => clients[turn++ % ofEach] as (typeof clients)[number];
      await sayAll(random.shuffled(parcels).map(register), next);
      await sayAll(
        random.shuffled(webhooks).flatMap((webhook) => Array.from({ length: ofEach }, () => report(webhook))),
        next,
      );

      await quiet(database);
      await expectMadeGood(database, smtp, parcels);
      expect(await database.query('SELECT count(*)::int AS stored FROM inbox')).toEqual([{ stored: webhooks.length }]);
      for (const part of [...servers, ...workers]) expect(await part.stop()).toEqual([0, null]);
    } catch (error) {
      for (const { output } of running) if (error instanceof Error) error.message += `\n---\n${output().slice(-2_000)}`;
      throw error;
    } finally {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all(running.map(({ ended }) => ended));
      await smtp.stop();
      await queue.stop();
      await database.drop();
    }
  },
);

/** A part of a cluster, in a process of its own. */
function startPart(name: 'server' | 'worker', env: Record<string, string>, running: Running[]) {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [RUN, name], {
    env: {
      PATH,
      HOME,
      NODE_ENV: 'test',
      PORT: '0',
      ADMIN_API_KEY: ADMIN_KEY,
      EASYPOST_WEBHOOK_SECRET: SECRET,
      MAIL_FROM: 'Test Shop <care@shop.example>',
      LOG_LEVEL: 'info',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (some: string) => {
      text += some;
    });
  }
  const ended = once(child, 'exit');
  running.push({ child, ended, output: () => text });
  return {
    async ready() {
      await eventually(() => text.includes(`${name}: ready`), READY_MS);
    },
    url: () => /"url":"([^"]+)"/.exec(text)?.[1] ?? '',
    /** SIGTERM. @returns how it ended */
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}
