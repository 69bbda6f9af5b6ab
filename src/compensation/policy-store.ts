import { readFileSync } from 'node:fs';
import type { Database, Sql } from '../db/database.js';
import { AppError, assert } from '../errors.js';
import { DEFAULT_POLICY } from './default-policy.js';
import { type Policy, parsePolicy } from './policy.js';

export interface ActivePolicy {
  readonly version: number;
  readonly policy: Policy;
}

/** Knows the policy in force. Asks the database each time which version that is, and reads each version once. */
export class PolicyBook {
  readonly #versions = new Map<number, Policy>();

  async active(sql: Sql): Promise<ActivePolicy> {
    const { rows } = await sql.query('SELECT max(version) AS version FROM policy_versions');
    const version: number | null = rows[0].version;
    assert(version !== null, 'a policy is in force since the first start');
    return { version, policy: this.#versions.get(version) ?? (await this.#read(sql, version)) };
  }

  async #read(sql: Sql, version: number): Promise<Policy> {
    const { rows } = await sql.query('SELECT document FROM policy_versions WHERE version = $1', [version]);
    const parsed = parsePolicy(rows[0].document);
    assert(parsed.outcome === 'ok', `policy version ${version} is valid, as it was when it was activated`);
    this.#versions.set(version, parsed.policy);
    return parsed.policy;
  }
}

/**
 * Puts the first policy in force: that of POLICY_FILE, else the default. Does nothing where one is in force already.
 * @throws AppError `invalid_request` when the file cannot be read or is no valid policy
 */
export async function ensureFirstPolicy(db: Database, policyFile: string | null): Promise<void> {
  if (await db.prisma.policyVersion.findFirst({ select: { version: true } })) return;
  const policy = policyFile === null ? DEFAULT_POLICY : readPolicyFile(policyFile);
  await db.pool.query(
    `INSERT INTO policy_versions (version, name, document, activated_by, reason) VALUES (1, $1, $2, 'makegood', $3)
     ON CONFLICT DO NOTHING`,
    [policy.name, JSON.stringify(policy), policyFile === null ? 'first start' : 'first start, from POLICY_FILE'],
  );
}

function readPolicyFile(path: string): Policy {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new AppError('invalid_request', `POLICY_FILE ${path} cannot be read as JSON: ${(error as Error).message}`);
  }
  const parsed = parsePolicy(json);
  if (parsed.outcome === 'ok') return parsed.policy;
  throw new AppError('invalid_request', `POLICY_FILE ${path} is not a valid policy.`, { errors: parsed.errors });
}
