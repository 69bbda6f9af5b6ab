import { AppError, type FieldError } from '../../errors.js';
import { judge, type VerdictCase } from '../../promises/verdict.js';
import { parseVerdictCase, type VerdictAnswer, verdictAnswer } from '../../promises/verdict-case.js';
import { readJsonInput } from '../read-input.js';

/** Enough to see what is wrong with a whole file. Every error of a large one would bury the first. */
const MOST_ERRORS = 100;

/**
 * `makegood judge --file F`: the verdict for one case, or a list of verdicts for a list of cases, in their order. Needs no
 * database and no configuration.
 * @throws AppError `invalid_request` when the input cannot be read or a case is invalid; `errors` name the fields, such
 * as `[3].events[0].at` in a list.
 */
export async function judgeCommand({ file }: { readonly file: string }): Promise<VerdictAnswer | VerdictAnswer[]> {
  const document = await readJsonInput(file);
  const isList = Array.isArray(document);
  const answers = readCases(isList ? document : [document], isList).map((one) => verdictAnswer(judge(one)));
  return isList ? answers : (answers[0] as VerdictAnswer);
}

/** All cases, or one error that tells about every case that is invalid. */
function readCases(documents: readonly unknown[], isList: boolean): VerdictCase[] {
  const errors: FieldError[] = [];
  const cases = documents.flatMap((json, index) => {
    const parsed = parseVerdictCase(json);
    if (parsed.outcome === 'ok') return [parsed.case];
    for (const error of parsed.errors) errors.push(isList ? within(index, error) : error);
    return [];
  });
  const [first] = errors;
  if (first)
    throw new AppError('invalid_request', summary(first, errors.length), { errors: errors.slice(0, MOST_ERRORS) });
  return cases;
}

function within(index: number, { field, message }: FieldError): FieldError {
  const separator = field === '' || field.startsWith('[') ? '' : '.';
  return { field: `[${index}]${separator}${field}`, message };
}

function summary({ field, message }: FieldError, count: number): string {
  const first = field === '' ? message : `${field}: ${message}`;
  return count === 1 ? first : `${first} (and ${count - 1} more)`;
}
