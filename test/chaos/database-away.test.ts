import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js';
import { BACKENDS } from '../support/backends.js';

import { eventually } from '../support/eventually.js';
import type { Answer } from '../support/makegood.js';
import { startSmtpSink } from '../support/smtp-sink.js';
import { connectTo } from './connect.js';
import { AFTER_ANY_KILL, expectMadeGood, quiet } from './oracle.js';
import { FATES, parcel } from './parcel.js';
import { createRandom, SEED } from './random.js';
import { everythingOf, isTaken, register, report, type Saying, sayAll, tryToSay } from './say.js';
import { type RunningProgram, STOPPED, withPrograms, withWorld } from './world.js';

jest.setTimeout(120_000);

const KILLING_MS = 3_000;
/** Fewer, and nothing was tried; a busy machine takes longer to open so many that they can be ended. */
const KILLED_AT_LEAST = 21;
const KILLING_AT_MOST_MS = 40_000;
const KILL_EVERY_MS = 100;

describe.each(BACKENDS)('connections to the database that break, BullMQ on $backend', ({ start: startQueue }) => {
  test(`are heard of as 503 at the worst, and nothing is lost or done twice (SEED=${SEED})`, async () => {
    const parcels = Array.from({ length: 42 }, (_, index) => parcel(index, FATES[index % FATES.length]));
    await withWorld(startQueue, async ({ database, smtp, start }) => {
      const program = await start();
      const sayings = everythingOf(parcels, createRandom(SEED));
      const killing = killConnections(database.name);
      const answers = await sayForAWhile(program, sayings, killing.done);
      expect(await killing.done).toBeGreaterThanOrEqual(KILLED_AT_LEAST);

      expect(answers.map(describeAnswer).filter((answer) => !RIGHT_ANSWERS.has(answer))).toEqual([]);
      await sayAll(sayings, () => program);
      await quiet(database);
      await expectMadeGood(database, smtp, parcels, AFTER_ANY_KILL);
      expect((await program.request('GET', '/readyz')).status).toBe(200);
      expect(await program.stop()).toEqual(STOPPED);
    });
  });
});

const RIGHT_ANSWERS: ReadonlySet<string> = new Set(['200', '201', '503 Retry-After']);

function describeAnswer(answer: Answer | null): string {
  if (answer === null) return 'no answer';
  const later = Number(answer.headers.get('retry-after')) > 0 ? ' Retry-After' : '';
  const { status, body } = answer;
  return status === 500 ? `500 ${JSON.stringify(body)}` : `${status}${later}`;
}

/** Ends all connections of makegood to a database, again and again for a while. */
function killConnections(database: string): { done: Promise<number> } {
  const kill = async () => {
    const client = new pg.Client({ connectionString: process.env.TEST_POSTGRES_URL });
    await client.connect();
    let killed = 0;
    const startedAt = Date.now();
    const goesOn = () => {
      const took = Date.now() - startedAt;
      return took < KILLING_MS || (killed < KILLED_AT_LEAST && took < KILLING_AT_MOST_MS);
    };
    for (; goesOn(); await sleep(KILL_EVERY_MS)) {
      const { rowCount } = await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'makegood%'`,
        [database],
      );
      killed += rowCount ?? 0;
    }
    await client.end();
    return killed;
  };
  return { done: kill() };
}

/** Four talkers that say things over and over. @returns all answers */
async function sayForAWhile(program: RunningProgram, sayings: readonly Saying[], until: Promise<unknown>) {
  let isOver = false;
  void until.then(() => {
    isOver = true;
  });
  const answers: (Answer | null)[] = [];
  const talker = async (_: unknown, first: number) => {
    for (let index = first; !isOver; index += 4) {
      const saying = sayings[index % sayings.length] as Saying;
      answers.push(await tryToSay(program, saying));
    }
  };
  await Promise.all(Array.from({ length: 4 }, talker));
  return answers;
}

describe.each(BACKENDS)('a PostgreSQL that crashes, BullMQ on $backend', ({ start: startQueue }) => {
  test('is said at the door and waited for; ready again within 30 seconds of its return, and all work goes on', async () => {
    const late = Array.from({ length: 8 }, (_, index) => parcel(index));
    const later = parcel(late.length);
    const dataDir = mkdtempSync(join(tmpdir(), 'makegood-crash-'));
    chmodSync(dataDir, 0o755);
    let postgres = await startEmbeddedPostgres({ dataDir });
    const { url } = postgres;
    const queue = await startQueue();
    const smtp = await startSmtpSink();
    try {
      await withPrograms(async (start) => {
        const program = await start({ DATABASE_URL: url, REDIS_URL: queue.redisUrl ?? '', SMTP_URL: smtp.url });
        await sayAll(late.map(register), () => program);

        const [postmaster] = readFileSync(join(postgres.dataDir, 'postmaster.pid'), 'utf8').split('\n');
        process.kill(Number(postmaster), 'SIGKILL');
        const [first, ...others] = late.map(({ delivery }) => report(delivery)) as [Saying, ...Saying[]];
        const { said: answer } = await eventually(async () => {
          const said = await tryToSay(program, first);
          return isTaken(said) ? null : { said };
        });
        expect(describeAnswer(answer)).toBe('503 Retry-After');
        expect((await program.request('GET', '/readyz')).status).toBe(503);
        expect((await program.request('GET', '/healthz')).status).toBe(200);
        expect((await program.put(late[0]?.orderId ?? '', late[0]?.document ?? {})).status).toBe(503);

        await postgres.stop();
        postgres = await startEmbeddedPostgres({ dataDir });
        expect(postgres.url).toBe(url);
        await eventually(async () => (await program.request('GET', '/readyz')).status === 200, 30_000);
        await sayAll([first, ...others], () => program);
        const database = connectTo(url);
        await quiet(database);
        await expectMadeGood(database, smtp, late);

        // Nothing of it is left to be waited for: new work is done at once.
        await sayAll([register(later), report(later.delivery)], () => program);
        await eventually(async () => (await program.order(later.orderId)).messages[0]?.status === 'sent', 5_000);
        await expectMadeGood(database, smtp, [...late, later]);
        await database.disconnect();
        expect(await program.stop()).toEqual(STOPPED);
      });
    } finally {
      await smtp.stop();
      await queue.stop();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
