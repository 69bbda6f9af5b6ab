import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { checkLine, isThrough } from './line-checks.mjs';
import { withCopy } from './line-database.mjs';
import { expectedOf } from './line-mix.mjs';

/** How long a run may take. Longer, and something hangs. */
const TIMEOUT_MS = 300_000;

/**
 * The whole line, from the first webhook posted to the last letter written. @returns events a second
 * @param options.profileTo where to write what it did, for those who want to know; it is slower then
 */
export function lineArm({ server, template, mix, events, policyFile, redis, profileTo, told = () => {} }) {
  return () =>
    withCopy(server, template, async ({ url, query }) => {
      await redis?.flush();
      const settings = { databaseUrl: url, redisUrl: redis?.url ?? null, mix, events, policyFile, profileTo };
      const child = start(new URL('line-process.mjs', import.meta.url), settings);
      await child.next('ready');
      const startedAt = performance.now();
      const posted = child.next('posted');
      child.send('go');
      assert.equal((await posted).accepted, expectedOf(mix, events).scans, 'every scan was new');
      await until(() => isThrough(query, { mix, events }));
      const seconds = (performance.now() - startedAt) / 1_000;
      const stopped = child.next('stopped');
      child.send('stop');
      told(await stopped);
      assert.equal((await stopped).waiting, 0, 'the queue is empty');
      await child.ended;
      await checkLine(query, { mix, events });
      return events / seconds;
    });
}

/** Jobs that do nothing, one an event. @returns jobs a second, from the first added to the last processed */
export function noopArm({ server, template, jobs, redis, ...settings }) {
  const measure = async (url) => {
    const { workSeconds } = await runNoop({ url, jobs, ...settings });
    return jobs / workSeconds;
  };
  return async () => {
    await redis?.flush();
    return redis ? measure(redis.url) : withCopy(server, template, ({ url }) => measure(url));
  };
}

/** @returns seconds of adding and of processing */
export async function runNoop(settings) {
  const child = start(new URL('line-noop.mjs', import.meta.url), settings);
  await child.next('ready');
  const done = child.next('done');
  child.send('go');
  const result = await done;
  await child.ended;
  return result;
}

/** A module of this folder in a process of its own. */
export function start(module, settings) {
  const child = fork(fileURLToPath(module), [JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    if (code !== 0) throw new Error(`${module} ended with ${code}`);
  });
  ended.catch(() => {});
  return {
    ended,
    send: (message) => child.send(message),
    /** What it says next, which is to be this. */
    async next(is) {
      const answer = await Promise.race([
        once(child, 'message').then(([message]) => message),
        ended.then(() => ({ is: 'gone' })),
      ]);
      assert.equal(answer.is, is);
      return answer;
    },
  };
}

async function until(isSo) {
  const startedAt = performance.now();
  while (!(await isSo())) {
    assert.ok(performance.now() - startedAt < TIMEOUT_MS, 'it ends some time');
    await sleep(20);
  }
}
