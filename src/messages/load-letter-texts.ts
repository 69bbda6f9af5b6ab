import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, type FieldError } from '../errors.js';
import { packageRoot } from '../package-root.js';
import { TEMPLATE_NAMES, type TemplateName } from './letter.js';
import type { LanguageTexts, LetterText, LetterTexts, TextPart } from './letter-texts.js';
import { type ParsedText, parseFrame, parseLetterText } from './parse-letter-text.js';
import { missingPhrases, parsePhrases } from './parse-phrases.js';
import type { PhraseTexts } from './phrases.js';
import { FRAME_RULES, LANGUAGES, type Language, LETTER_RULES } from './text-rules.js';

const FRAME = 'frame.txt';
const PHRASES = 'phrases.json';
const FILE_NAMES: readonly string[] = [...TEMPLATE_NAMES.map((template) => `${template}.txt`), FRAME, PHRASES];

/** Far more than any text of a letter; smaller, and a file that is not one would fill the memory. */
const MOST_BYTES = 100_000;

/** The shipped texts: a folder for each language, in it a file for each kind of letter, `frame.txt` and `phrases.json`. */
const SHIPPED = join(packageRoot(), 'src', 'messages', 'texts');

/** What a folder has in one language; a file that is not right is in `seen` alone. */
interface Found {
  readonly seen: Set<string>;
  readonly letters: Partial<Record<TemplateName, LetterText>>;
  frame: readonly TextPart[] | null;
  phrases: Partial<PhraseTexts> | null;
}

/**
 * Reads what letters say: the shipped texts, and in place of each of their files, and of each phrase, what the folder
 * `overrideDir` has instead. Everything is checked here, so that no letter fails for its text later.
 * @throws AppError `invalid_request` with all that is wrong: `errors` name file and line, `texts/en/lost.txt:3`
 */
export async function loadLetterTexts(overrideDir: string | null, shippedDir = SHIPPED): Promise<LetterTexts> {
  const faults: FieldError[] = [];
  const shipped = await readFolder(shippedDir, faults);
  const own = overrideDir === null ? new Map<Language, Found>() : await readFolder(overrideDir, faults);
  const texts = new Map<Language, LanguageTexts>();
  for (const language of LANGUAGES) {
    const found = [shipped.get(language), own.get(language)].filter((one) => one !== undefined);
    if (found.length === 0) continue;
    const home = shipped.has(language) ? shippedDir : (overrideDir ?? shippedDir);
    const whole = putTogether(language, found, (file, message) =>
      faults.push({ field: join(home, language, file), message }),
    );
    if (whole) texts.set(language, whole);
  }
  if (!shipped.has('en')) faults.push({ field: join(shippedDir, 'en'), message: 'is missing' });
  if (faults.length === 0) return texts;
  throw new AppError('invalid_request', 'The texts of letters are not right:', { errors: faults });
}

async function readFolder(folder: string, faults: FieldError[]): Promise<Map<Language, Found>> {
  const languages = new Map<Language, Found>();
  for (const name of await namesIn(folder, faults)) {
    if (isLanguage(name)) languages.set(name, await readLanguage(join(folder, name), name, faults));
    else {
      const message = `is none of the languages that letters can be in: ${LANGUAGES.join(', ')}`;
      faults.push({ field: join(folder, name), message });
    }
  }
  return languages;
}

async function readLanguage(folder: string, language: Language, faults: FieldError[]): Promise<Found> {
  const found: Found = { seen: new Set(), letters: {}, frame: null, phrases: null };
  for (const name of await namesIn(folder, faults)) {
    const field = join(folder, name);
    if (!FILE_NAMES.includes(name)) {
      faults.push({ field, message: `is no text of a letter; there are: ${FILE_NAMES.join(', ')}` });
      continue;
    }
    found.seen.add(name);
    const source = await readText(field, faults);
    if (source === null) continue;
    const right = <T>(parsed: ParsedText<T>): T | null => {
      if (parsed.outcome === 'ok') return parsed.text;
      faults.push(...parsed.faults.map(({ line, message }) => ({ field: `${field}:${line}`, message })));
      return null;
    };
    if (name === PHRASES) found.phrases = right(parsePhrases(source, language));
    else if (name === FRAME) found.frame = right(parseFrame(source, FRAME_RULES));
    else {
      const template = name.slice(0, -'.txt'.length) as TemplateName;
      const text = right(parseLetterText(source, LETTER_RULES[template]));
      if (text) found.letters[template] = text;
    }
  }
  return found;
}

/** The texts of a language out of those of several folders, the last before all; null where something is not there, or not right. */
function putTogether(
  language: Language,
  found: readonly Found[],
  refuse: (file: string, message: string) => void,
): LanguageTexts | null {
  const letters = Object.assign({}, ...found.map((one) => one.letters)) as Record<TemplateName, LetterText>;
  const phrases = Object.assign({}, ...found.map((one) => one.phrases)) as PhraseTexts;
  const frame = found.reduce<readonly TextPart[] | null>((last, one) => one.frame ?? last, null);
  const missing = FILE_NAMES.filter((name) => !found.some(({ seen }) => seen.has(name)));
  for (const name of missing) refuse(name, 'is missing');
  // One that is not right has been told of; what is missing in it would be told of for nothing.
  const isReadable = found.every(({ seen, phrases: read }) => read !== null || !seen.has(PHRASES));
  const unsaid = missing.includes(PHRASES) || !isReadable ? [] : missingPhrases(phrases);
  for (const key of unsaid) refuse(PHRASES, `the phrase ${key} is missing`);
  const isWhole = TEMPLATE_NAMES.every((template) => letters[template]) && missingPhrases(phrases).length === 0;
  return frame !== null && isWhole ? { language, letters, frame, phrases } : null;
}

/** What stands in a folder, in its order; what begins with a full stop is no text. */
async function namesIn(folder: string, faults: FieldError[]): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    faults.push({ field: folder, message: `is no folder that can be read: ${(error as NodeJS.ErrnoException).code}` });
    return [];
  }
}

async function readText(file: string, faults: FieldError[]): Promise<string | null> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    faults.push({ field: file, message: `cannot be read: ${(error as NodeJS.ErrnoException).code}` });
    return null;
  }
  if (bytes.length > MOST_BYTES) {
    faults.push({ field: file, message: `is longer than ${MOST_BYTES} bytes` });
    return null;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    faults.push({ field: `${file}:${lineOfBadByte(bytes)}`, message: 'is not UTF-8 from here on' });
    return null;
  }
}

/** The line with the first byte that is no UTF-8: a line end is never a part of another character. */
function lineOfBadByte(bytes: Buffer): number {
  let line = 1;
  for (let from = 0; from <= bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from);
    const until = end === -1 ? bytes.length : end;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, until));
    } catch {
      return line;
    }
    from = until + 1;
  }
  return line;
}

function isLanguage(name: string): name is Language {
  return (LANGUAGES as readonly string[]).includes(name);
}
