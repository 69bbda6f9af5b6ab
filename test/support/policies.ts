import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import type { Policy } from '../../src/compensation/policy.js';
import type { TestDatabase } from './database.js';

/** Puts the default policy in force with some of its parts replaced. @returns its version */
export async function putInForce(database: TestDatabase, changes: Partial<Policy>): Promise<number> {
  const [row] = await database.query<{ version: number }>(
    `INSERT INTO policy_versions (version, name, document, activated_by, reason)
     SELECT max(version) + 1, 'of a test', $1, 'test', 'test' FROM policy_versions RETURNING version`,
    [JSON.stringify({ ...DEFAULT_POLICY, ...changes })],
  );
  return row?.version ?? 0;
}
