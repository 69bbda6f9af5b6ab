import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DEFAULT_POLICY = new URL('../../src/compensation/policies/default.json', import.meta.url);

/** The default policy, of a shop whose budget of a day is not spent by the mix in which everybody gets something. @returns its file */
export function writeBenchPolicy(dir) {
  const { $schema, ...policy } = JSON.parse(readFileSync(DEFAULT_POLICY, 'utf8'));
  const file = join(dir, 'bench-policy.json');
  writeFileSync(
    file,
    JSON.stringify({ ...policy, dailyBudget: { ...policy.dailyBudget, atMostMinor: 1_000_000_000 } }),
  );
  return file;
}
