import type { LetterText, TextPart } from './letter-texts.js';
import type { BlockName, TextRules } from './text-rules.js';
import { faultsOf, literalLength, type TextFault, uses } from './text-source.js';

/**
 * The most characters of a subject besides its variables. Bigger, and order number and what was done are cut off where
 * mail programs show no more.
 */
const SUBJECT_TEXT_LENGTH = 60;

/** A line with a block, and nothing else. */
const BLOCK_LINE = /^\s*\{\{>\s*([^{}]*?)\s*\}\}\s*$/;
/** Whatever no editor shows: it could turn a line around, or end a header. */
const INVISIBLE = /(?!\t)\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

export type ParsedText<T> =
  | { readonly outcome: 'ok'; readonly text: T }
  | { readonly outcome: 'invalid'; readonly faults: readonly TextFault[] };

/** Reads the text of a letter: `Subject: …`, then paragraphs with empty lines between them, and blocks. Every fault is listed. */
export function parseLetterText(source: string, rules: TextRules): ParsedText<LetterText> {
  const lines = linesOf(source);
  const [first = '', ...rest] = lines;
  const subject = /^Subject:(.*)$/.exec(first)?.[1]?.trim() ?? '';
  const faults: TextFault[] = [];
  if (subject === '') faults.push({ line: 1, message: 'the first line is "Subject: …"' });
  else {
    const wrong = faultsOf(subject, rules.variables, 1);
    faults.push(...wrong);
    const length = wrong.length === 0 ? literalLength(subject) : 0;
    if (length > SUBJECT_TEXT_LENGTH) {
      const message = `the subject has ${length} characters besides its variables; ${SUBJECT_TEXT_LENGTH} are the most`;
      faults.push({ line: 1, message });
    }
  }
  const body = readParts(subject === '' ? lines : rest, rules, subject === '' ? 1 : 2);
  faults.push(...invisibleIn(lines), ...body.faults);
  if (faults.length === 0) faults.push(...missingIn([subject, ...sourcesOf(body.parts)], body.parts, rules));
  return faults.length === 0 ? { outcome: 'ok', text: { subject, parts: body.parts } } : { outcome: 'invalid', faults };
}

/** Reads what stands around every letter: paragraphs and blocks, without a subject. */
export function parseFrame(source: string, rules: TextRules): ParsedText<readonly TextPart[]> {
  const lines = linesOf(source);
  const { parts, faults: wrong } = readParts(lines, rules, 1);
  const faults = [...invisibleIn(lines), ...wrong];
  if (faults.length === 0) faults.push(...missingIn(sourcesOf(parts), parts, rules));
  return faults.length === 0 ? { outcome: 'ok', text: parts } : { outcome: 'invalid', faults };
}

function linesOf(source: string): string[] {
  return source.replace(/^\ufeff/, '').split(/\r?\n/);
}

function readParts(
  lines: readonly string[],
  rules: TextRules,
  firstLine: number,
): { readonly parts: TextPart[]; readonly faults: TextFault[] } {
  const parts: TextPart[] = [];
  const faults: TextFault[] = [];
  let paragraph: string[] = [];
  const endParagraph = (nextLine: number) => {
    if (paragraph.length === 0) return;
    const source = paragraph.join('\n');
    faults.push(...faultsOf(source, rules.variables, nextLine - paragraph.length));
    parts.push({ kind: 'paragraph', source });
    paragraph = [];
  };
  for (const [index, line] of lines.entries()) {
    const block = BLOCK_LINE.exec(line)?.[1];
    if (block === undefined && line.trim() !== '') {
      paragraph.push(line);
      continue;
    }
    endParagraph(firstLine + index);
    if (block === undefined) continue;
    if (rules.blocks.includes(block as BlockName)) parts.push({ kind: 'block', name: block as BlockName });
    else {
      const message = `there is no block ${JSON.stringify(block)} here; there are: ${rules.blocks.join(', ')}`;
      faults.push({ line: firstLine + index, message });
    }
  }
  endParagraph(firstLine + lines.length);
  return { parts, faults };
}

function sourcesOf(parts: readonly TextPart[]): string[] {
  return parts.flatMap((part) => (part.kind === 'paragraph' ? [part.source] : []));
}

/** At line 1: what is not there has no line. */
function missingIn(sources: readonly string[], parts: readonly TextPart[], rules: TextRules): TextFault[] {
  return rules.required.flatMap((name) => {
    const isBlock = rules.blocks.includes(name as BlockName);
    const found = isBlock
      ? parts.some((part) => part.kind === 'block' && part.name === name)
      : sources.some((source) => uses(source, name));
    const wanted = isBlock ? `{{> ${name}}}, in a line of its own` : `{{${name}}} or a section of it`;
    return found ? [] : [{ line: 1, message: `what must be in this text is missing: ${wanted}` }];
  });
}

function invisibleIn(lines: readonly string[]): TextFault[] {
  return lines.flatMap((line, index) =>
    INVISIBLE.test(line) ? [{ line: index + 1, message: 'there is a character in it that nobody can see' }] : [],
  );
}
