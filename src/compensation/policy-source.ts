import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { AppError } from '../errors.js';
import { type Policy, parsePolicy } from './policy.js';

/** What is wrong, and where it stands in the text. */
export interface PolicyFault {
  /** Such as `rules[3].gives.amount.of`; empty for the document itself, or where it is no JSON. */
  readonly path: string;
  /** Both count from 1; a column counts UTF-16 units, as editors do. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export type PolicySource =
  | { readonly outcome: 'ok'; readonly policy: Policy; readonly placeOf: (path: string) => Place }
  | { readonly outcome: 'invalid'; readonly faults: readonly PolicyFault[] };

type Place = Pick<PolicyFault, 'line' | 'column'>;

/** Far more than a policy ever is. */
const MOST_CHARACTERS = 2_000_000;
/** Deeper than any policy, and shallow enough that no reader of it runs out of stack. */
const MOST_DEPTH = 64;

/**
 * Reads the text of a policy. Every fault is listed with its line and column: first those of the JSON itself, which is read
 * strictly (no comments, no comma after the last item, no key twice: the last one would win in silence), then those of the
 * policy, each at the value that is wrong, or, where something is missing, at what it is missing in.
 */
export function readPolicySource(source: string): PolicySource {
  const text = source.replace(/^\uFEFF/, '');
  const place = placesIn(text);
  const invalid = (faults: readonly PolicyFault[]): PolicySource => ({ outcome: 'invalid', faults });
  const whole = (message: string) => invalid([{ path: '', line: 1, column: 1, message }]);
  if (text.length > MOST_CHARACTERS) return whole(`is longer than ${MOST_CHARACTERS} characters`);
  if (depthOf(text) > MOST_DEPTH) return whole(`is nested deeper than ${MOST_DEPTH} levels`);

  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  if (errors.length > 0 || root === undefined) {
    if (errors.length === 0) return whole('is empty: a policy is one JSON object');
    return invalid(
      errors.map(({ error, offset }) => ({
        path: '',
        ...place(offset),
        message: sayError(printParseErrorCode(error)),
      })),
    );
  }
  const repeats = repeatedKeys(root).map((key) => ({
    path: String(key.value),
    ...place(key.offset),
    message: 'this key stands here twice: the last one would win',
  }));
  if (repeats.length > 0) return invalid(repeats);

  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return whole(`is not JSON: ${(error as Error).message}`);
  }
  const placeOf = (path: string) => place(nodeOf(root, path).offset);
  const parsed = parsePolicy(json);
  if (parsed.outcome === 'ok') return { outcome: 'ok', policy: parsed.policy, placeOf };
  const faults = parsed.errors.map(({ field, message }) => {
    const { offset, missing } = nodeOf(root, field);
    return { path: field, ...place(offset), message: missing ? `is missing (${message})` : message };
  });
  return invalid(faults.sort((one, other) => one.line - other.line || one.column - other.column));
}

/** `3:14: rules[0].id: what is wrong`. */
export function showFault({ line, column, path, message }: PolicyFault): string {
  return `${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

/** The offset of a value, of the key of a field that is not known, or of what a missing field is missing in. */
function nodeOf(root: Node, path: string): { readonly offset: number; readonly missing: boolean } {
  const steps = stepsOf(path);
  const found = findNodeAtLocation(root, steps);
  if (found) return { offset: found.offset, missing: false };
  for (let length = steps.length - 1; length >= 0; length--) {
    const parent = findNodeAtLocation(root, steps.slice(0, length));
    if (parent) return { offset: parent.offset, missing: true };
  }
  return { offset: root.offset, missing: true };
}

/** `a[3].b["c d"]` as `a`, 3, `b`, `c d`. */
function stepsOf(path: string): (string | number)[] {
  const steps = path.matchAll(/\[(\d+)\]|\["((?:\\.|[^"\\])*)"\]|([^.[\]]+)/g);
  return [...steps].map(([, index, quoted, name]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (name ?? '') : (JSON.parse(`"${quoted}"`) as string);
  });
}

/** Keys that stand in one object for the second time or more. */
function repeatedKeys({ type, children = [] }: Node): Node[] {
  const seen = new Set<unknown>();
  return children.flatMap((child) => {
    const [key] = child.children ?? [];
    if (type !== 'object' || key === undefined) return repeatedKeys(child);
    const repeats = seen.has(key.value) ? [key] : [];
    seen.add(key.value);
    return [...repeats, ...repeatedKeys(child)];
  });
}

/** How deep brackets are nested, those in texts left out. A text that is no JSON may come out deeper than it is. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\\n])*"?|[[\]{}]/g)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}

function placesIn(text: string): (offset: number) => Place {
  const starts = [0, ...[...text.matchAll(/\r\n|\r|\n/g)].map(({ index, 0: end }) => index + end.length)];
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset);
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
  };
}

/** `CommaExpected` as words. */
function sayError(code: string): string {
  const known: Record<string, string> = {
    InvalidCommentToken: 'comments have no place in JSON',
    ValueExpected: 'a value is expected here',
    PropertyNameExpected: 'a key in double quotes is expected here',
    CommaExpected: 'a comma is expected here',
    ColonExpected: 'a colon is expected here',
    CloseBraceExpected: 'a } is expected here',
    CloseBracketExpected: 'a ] is expected here',
    EndOfFileExpected: 'nothing is expected after the document',
  };
  return known[code] ?? `is not JSON: ${code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}`;
}

/** An error that says the first fault at once, and lists the others. */
export function notAPolicy(what: string, faults: readonly PolicyFault[]): AppError {
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  const told = first === undefined ? '' : `: ${showFault(first)}${more}`;
  const errors = faults.slice(0, MOST_ERRORS).map((fault) => ({
    field: fault.path,
    message: `line ${fault.line}, column ${fault.column}: ${fault.message}`,
  }));
  return new AppError('invalid_request', `${what} is not a valid policy${told}`, { errors });
}

/** Enough to see what is wrong with a whole file. */
const MOST_ERRORS = 100;
