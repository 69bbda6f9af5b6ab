import { AppError, type FieldError } from '../errors.js';

/** Enough to see what is wrong with a whole file. Every error of a large one would bury the first. */
const MOST_ERRORS = 100;

type Parsed<C> =
  | { readonly outcome: 'ok'; readonly case: C }
  | { readonly outcome: 'invalid'; readonly errors: readonly FieldError[] };

/**
 * Answers one case, or each of a list of cases in their order. All or nothing: an invalid case leaves none answered.
 * @throws AppError `invalid_request`; `errors` name the fields, such as `[3].events[0].at` in a list
 */
export function answerCases<C, A>(
  document: unknown,
  parse: (json: unknown) => Parsed<C>,
  answer: (one: C) => A,
): A | A[] {
  if (!Array.isArray(document)) {
    const parsed = parse(document);
    if (parsed.outcome === 'invalid') throw invalidInput(parsed.errors);
    return answer(parsed.case);
  }
  const errors: FieldError[] = [];
  const cases = document.flatMap((json, index) => {
    const parsed = parse(json);
    if (parsed.outcome === 'ok') return [parsed.case];
    for (const error of parsed.errors) errors.push(within(index, error));
    return [];
  });
  if (errors.length > 0) throw invalidInput(errors);
  return cases.map(answer);
}

function within(index: number, { field, message }: FieldError): FieldError {
  const separator = field === '' || field.startsWith('[') ? '' : '.';
  return { field: `[${index}]${separator}${field}`, message };
}

/** An error that says the first fault at once and lists the others. */
function invalidInput(errors: readonly FieldError[]): AppError {
  const [first] = errors;
  const told = first === undefined || first.field === '' ? first?.message : `${first.field}: ${first.message}`;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new AppError('invalid_request', `${told}${more}`, { errors: errors.slice(0, MOST_ERRORS) });
}
