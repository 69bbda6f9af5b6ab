import { decide } from '../../compensation/decide.js';
import { type DecisionAnswer, decisionAnswer, parseDecisionCase } from '../../compensation/decision-case.js';
import type { DecisionCase } from '../../compensation/decision-input.js';
import { DEFAULT_POLICY } from '../../compensation/default-policy.js';
import { type Policy, parsePolicy } from '../../compensation/policy.js';
import { AppError, type FieldError } from '../../errors.js';
import { readJsonInput } from '../read-input.js';

/** Enough to see what is wrong with a whole file. Every error of a large one would bury the first. */
const MOST_ERRORS = 100;

/**
 * `makegood decide --file F [--policy P]`: what a policy, the default one unless P names a file, would award for one
 * case, or for each of a list of cases, and why. Applies nothing; needs no database and no configuration.
 * @throws AppError `invalid_request` when a file cannot be read, the policy is invalid (`errors` name its fields, such as
 * `rules[3].when.lateDays`) or a case is (`[3].order.total.currency` in a list).
 */
export async function decideCommand({
  file,
  policy: policyFile,
}: {
  readonly file: string;
  readonly policy?: string | undefined;
}): Promise<DecisionAnswer | DecisionAnswer[]> {
  const policy = policyFile === undefined ? DEFAULT_POLICY : await readPolicy(policyFile);
  const document = await readJsonInput(file);
  const isList = Array.isArray(document);
  const cases = readCases(isList ? document : [document], isList, policy);
  const answers = cases.map((one) => decisionAnswer(decide(one, policy, null)));
  return isList ? answers : (answers[0] as DecisionAnswer);
}

async function readPolicy(file: string): Promise<Policy> {
  const parsed = parsePolicy(await readJsonInput(file));
  if (parsed.outcome === 'invalid') throw invalid(`the policy in ${file} is not valid: `, parsed.errors);
  return parsed.policy;
}

/** All cases, or one error that tells about every case that is invalid. */
function readCases(documents: readonly unknown[], isList: boolean, policy: Policy): DecisionCase[] {
  const errors: FieldError[] = [];
  const cases = documents.flatMap((json, index) => {
    const parsed = parseDecisionCase(json, policy);
    if (parsed.outcome === 'ok') return [parsed.case];
    for (const error of parsed.errors) errors.push(isList ? within(index, error) : error);
    return [];
  });
  if (errors.length > 0) throw invalid('', errors);
  return cases;
}

function within(index: number, { field, message }: FieldError): FieldError {
  const separator = field === '' || field.startsWith('[') ? '' : '.';
  return { field: `[${index}]${separator}${field}`, message };
}

function invalid(intro: string, errors: readonly FieldError[]): AppError {
  const [first] = errors;
  const told = first === undefined || first.field === '' ? first?.message : `${first.field}: ${first.message}`;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new AppError('invalid_request', `${intro}${told}${more}`, { errors: errors.slice(0, MOST_ERRORS) });
}
