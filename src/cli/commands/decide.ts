import { decide } from '../../compensation/decide.js';
import { type DecisionAnswer, decisionAnswer, parseDecisionCase } from '../../compensation/decision-case.js';
import { DEFAULT_POLICY } from '../../compensation/default-policy.js';
import { answerCases } from '../answer-cases.js';
import { readJsonInput } from '../read-input.js';
import { readPolicyFile } from '../read-policy-file.js';

/**
 * `makegood decide --file F [--policy P]`: what a policy, the default one unless P names a file, would award for one
 * case, or for each of a list of cases, and why. Applies nothing; needs no database and no configuration.
 * @throws AppError `invalid_request` when a file cannot be read, the policy is invalid (`errors` name its fields, such as
 * `rules[3].when.lateDays`, with line and column) or a case is (`[3].order.total.currency` in a list).
 */
export async function decideCommand(input: {
  readonly file: string;
  readonly policy?: string | undefined;
}): Promise<DecisionAnswer | DecisionAnswer[]> {
  const policy = input.policy === undefined ? DEFAULT_POLICY : await readPolicyFile(input.policy);
  return answerCases(
    await readJsonInput(input.file),
    (json) => parseDecisionCase(json, policy),
    (one) => decisionAnswer(decide(one, policy, null)),
  );
}
