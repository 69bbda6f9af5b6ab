import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again and again until the answer is truthy. @throws with the last error or answer when it does not come in time */
export async function eventually<T>(
  ask: () => Promise<T> | T,
  timeoutMs = 20_000,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const until = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer as Exclude<T, false | null | undefined | 0 | ''>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) {
      if (last instanceof Error) throw last;
      throw new Error(`not within ${timeoutMs} ms; the last answer was ${JSON.stringify(last)}`);
    }
    await sleep(25);
  }
}
