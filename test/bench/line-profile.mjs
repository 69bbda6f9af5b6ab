import { Session } from 'node:inspector/promises';
import pg from 'pg';

/** Samples where this process spends its time. @returns a function that ends it and answers the profile */
export async function profileCpu() {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 500 });
  await session.post('Profiler.start');
  return async () => (await session.post('Profiler.stop')).profile;
}

/** Counts and times every statement of this process. @returns a function that answers them, the longest first */
export function timeStatements() {
  const found = new Map();
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function timed(statement, ...others) {
    const text = typeof statement === 'string' ? statement : statement?.text;
    const startedAt = performance.now();
    const result = query.call(this, statement, ...others);
    const key = String(text).replace(/\s+/g, ' ').trim();
    const done = (answer) => {
      const entry = found.get(key) ?? { calls: 0, ms: 0, rows: 0 };
      entry.calls++;
      entry.ms += performance.now() - startedAt;
      entry.rows += answer?.rowCount ?? 0;
      found.set(key, entry);
    };
    if (typeof result?.then === 'function') result.then(done, () => {});
    return result;
  };
  return () => [...found].map(([text, entry]) => ({ text, ...entry })).sort((a, b) => b.ms - a.ms);
}
