import type { Policy } from '../../compensation/policy.js';
import { policyJsonSchema } from '../../compensation/policy-schema.js';
import { type PolicyFault, readPolicySource, showFault } from '../../compensation/policy-source.js';
import {
  activatePolicy,
  listPolicies,
  loadPolicyVersion,
  type PolicyVersion,
} from '../../compensation/policy-store.js';
import { policyWarnings } from '../../compensation/policy-warnings.js';
import { AppError } from '../../errors.js';
import { readPolicyFile, readPolicyText } from '../read-policy-file.js';
import { withSession } from '../session.js';
import { actor } from './recheck.js';

/** What `makegood policy check` found: nothing but warnings is a policy that can be activated. */
export interface PolicyCheck {
  readonly file: string;
  readonly valid: boolean;
  readonly faults: readonly PolicyFault[];
  readonly warnings: readonly PolicyFault[];
}

/** `makegood policy check F`: every fault with its line and column, and what is worth a look. Needs no database. */
export async function checkPolicyCommand(file: string): Promise<PolicyCheck> {
  const read = readPolicySource(await readPolicyText(file));
  if (read.outcome === 'invalid') return { file, valid: false, faults: read.faults, warnings: [] };
  const today = new Date().toISOString().slice(0, 10);
  const warnings = policyWarnings(read.policy, today).map((warning) => ({ ...warning, ...read.placeOf(warning.path) }));
  return { file, valid: true, faults: [], warnings };
}

export function describePolicyCheck({ file, valid, faults, warnings }: PolicyCheck): string {
  const [one, many] = [faults.length, warnings.length];
  const verdict = valid ? `${file} is a valid policy.` : `${file}: ${one} ${one === 1 ? 'fault' : 'faults'}.`;
  const noted = many === 0 ? [] : [`${many} ${many === 1 ? 'warning' : 'warnings'}.`];
  return [
    ...faults.map(showFault),
    ...warnings.map((warning) => `${showFault(warning)} (warning)`),
    [verdict, ...noted].join(' '),
  ].join('\n');
}

/**
 * `makegood policy activate F [--reason R]`: a new version, in force from now on.
 * @throws AppError `invalid_request` when it is not valid (with line and column), or in force already
 */
export async function activatePolicyCommand(input: { file: string; reason: string | null }): Promise<PolicyVersion> {
  // Read before the database is opened: a mistake in the file should be told at once.
  const policy = await readPolicyFile(input.file);
  return withSession(({ deps }) => activatePolicy(deps.db, { document: policy, actor: actor(), reason: input.reason }));
}

/** `makegood policy list`. */
export const listPoliciesCommand = (): Promise<PolicyVersion[]> =>
  withSession(({ deps }) => listPolicies(deps.db.pool));

/** `makegood policy show [VERSION]`: the one in force, or that version. Its policy can be activated again. */
export async function showPolicyCommand(
  version: string | undefined,
): Promise<PolicyVersion & { readonly policy: Policy }> {
  if (version !== undefined && !/^[1-9]\d{0,8}$/.test(version)) {
    throw new AppError('invalid_request', `${JSON.stringify(version)} is no version: see makegood policy list.`);
  }
  return withSession(({ deps }) => loadPolicyVersion(deps.db.pool, version === undefined ? null : Number(version)));
}

/** `makegood policy schema`: the JSON Schema of a policy, for editors. Needs no database. */
export const policySchemaCommand = (): Record<string, unknown> => policyJsonSchema();
