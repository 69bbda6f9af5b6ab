import { judge } from '../../promises/verdict.js';
import { parseVerdictCase, type VerdictAnswer, verdictAnswer } from '../../promises/verdict-case.js';
import { answerCases } from '../answer-cases.js';
import { readJsonInput } from '../read-input.js';

/**
 * `makegood judge --file F`: the verdict for one case, or a list of verdicts for a list of cases, in their order. Needs no
 * database and no configuration.
 * @throws AppError `invalid_request` when the input cannot be read or a case is invalid
 */
export async function judgeCommand({ file }: { readonly file: string }): Promise<VerdictAnswer | VerdictAnswer[]> {
  return answerCases(await readJsonInput(file), parseVerdictCase, (one) => verdictAnswer(judge(one)));
}
