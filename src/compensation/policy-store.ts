import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { recordAudit } from '../db/audit-store.js';
import type { Database, Sql } from '../db/database.js';
import { AppError, assert } from '../errors.js';
import { DEFAULT_POLICY } from './default-policy.js';
import { type Policy, parsePolicy } from './policy.js';
import { notAPolicy, readPolicySource } from './policy-source.js';

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
    return { version, policy: await this.version(sql, version) };
  }

  /** A policy by its version: that of an award or a verdict, whichever is in force now. */
  async version(sql: Sql, version: number): Promise<Policy> {
    return this.#versions.get(version) ?? (await this.#read(sql, version));
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
 * @throws AppError `invalid_request` when the file cannot be read or is no valid policy, with line and column
 */
export async function ensureFirstPolicy(db: Database, policyFile: string | null): Promise<void> {
  // Not by Prisma, whose first query loads its engine: no start waits for that.
  const { rowCount } = await db.pool.query('SELECT 1 FROM policy_versions LIMIT 1');
  if (rowCount !== 0) return;
  const policy = policyFile === null ? DEFAULT_POLICY : readFirstPolicy(policyFile);
  await db.pool.query(
    `INSERT INTO policy_versions (version, name, document, activated_by, reason) VALUES (1, $1, $2, 'makegood', $3)
     ON CONFLICT DO NOTHING`,
    [policy.name, JSON.stringify(policy), policyFile === null ? 'first start' : 'first start, from POLICY_FILE'],
  );
}

function readFirstPolicy(path: string): Policy {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppError('invalid_request', `POLICY_FILE ${path} cannot be read: ${(error as Error).message}`);
  }
  const read = readPolicySource(text);
  if (read.outcome === 'ok') return read.policy;
  throw notAPolicy(`POLICY_FILE ${path}`, read.faults);
}

/** A policy as it was put in force. */
export interface PolicyVersion {
  readonly version: number;
  readonly name: string;
  readonly activatedAt: Date;
  /** `cli:<user>`, `key:<name>`, or `makegood` for the first one. */
  readonly activatedBy: string;
  readonly reason: string;
  readonly inForce: boolean;
}

/**
 * Puts a policy in force as a new version, for ever: what was decided under it can be explained by it. It is kept with all
 * its defaults written out, so that no later release gives it another meaning. Two at once become two versions.
 * @param input.document the text of a policy, or its JSON
 * @throws AppError `invalid_request` when it is no valid policy, or the very one that is in force
 */
export async function activatePolicy(
  db: Database,
  input: { readonly document: unknown; readonly actor: string; readonly reason: string | null },
): Promise<PolicyVersion> {
  const policy = readDocument(input.document);
  const reason = input.reason ?? 'no reason given';
  return db.transaction(async (sql) => {
    // Version numbers are given out one by one; the lock ends with the transaction.
    await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('makegood.policy', 0))");
    const { rows: last } = await sql.query(
      'SELECT version, document FROM policy_versions ORDER BY version DESC LIMIT 1',
    );
    const before: number = last[0]?.version ?? 0;
    const inForce = last[0] && parsePolicy(last[0].document);
    if (inForce?.outcome === 'ok' && isDeepStrictEqual(inForce.policy, policy)) {
      throw new AppError('invalid_request', `This very policy is in force already, as version ${before}.`);
    }
    const version = before + 1;
    const { rows } = await sql.query(
      `INSERT INTO policy_versions (version, name, document, activated_at, activated_by, reason)
       VALUES ($1, $2, $3, clock_timestamp(), $4, $5) RETURNING activated_at`,
      [version, policy.name, JSON.stringify(policy), input.actor, reason],
    );
    const activatedAt: Date = rows[0].activated_at;
    await recordAudit(sql, {
      at: activatedAt,
      actor: input.actor,
      action: 'policy.activate',
      subject: `policy:${version}`,
      reason: input.reason,
      details: { version, before, name: policy.name, mode: policy.mode, holdoutPercent: policy.holdout.percent },
    });
    return { version, name: policy.name, activatedAt, activatedBy: input.actor, reason, inForce: true };
  });
}

/** All versions, the newest first. */
export async function listPolicies(sql: Sql): Promise<PolicyVersion[]> {
  const { rows } = await sql.query(
    `SELECT version, name, activated_at, activated_by, reason, version = max(version) OVER () AS in_force
     FROM policy_versions ORDER BY version DESC`,
  );
  return rows.map(toVersion);
}

/**
 * One version with its policy; the one in force, when none is named.
 * @throws AppError `not_found`
 */
export async function loadPolicyVersion(
  sql: Sql,
  version: number | null,
): Promise<PolicyVersion & { readonly policy: Policy }> {
  const { rows } = await sql.query(
    `SELECT version, name, document, activated_at, activated_by, reason,
       version = (SELECT max(version) FROM policy_versions) AS in_force
     FROM policy_versions WHERE version = coalesce($1, (SELECT max(version) FROM policy_versions))`,
    [version],
  );
  if (rows.length === 0) throw new AppError('not_found', `There is no version ${version} of the policy.`);
  const parsed = parsePolicy(rows[0].document);
  assert(parsed.outcome === 'ok', `policy version ${rows[0].version} is valid, as it was when it was activated`);
  return { ...toVersion(rows[0]), policy: parsed.policy };
}

function readDocument(document: unknown): Policy {
  if (typeof document === 'string') {
    const read = readPolicySource(document);
    if (read.outcome === 'ok') return read.policy;
    throw notAPolicy('This', read.faults);
  }
  const parsed = parsePolicy(document);
  if (parsed.outcome === 'ok') return parsed.policy;
  throw new AppError('invalid_request', 'This is not a valid policy.', { errors: parsed.errors });
}

// biome-ignore lint/suspicious/noExplicitAny: a row of the query above.
function toVersion(row: any): PolicyVersion {
  const { version, name, activated_at: activatedAt, activated_by: activatedBy, reason, in_force: inForce } = row;
  return { version, name, activatedAt, activatedBy, reason, inForce };
}
