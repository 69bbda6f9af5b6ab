import { createReadStream } from 'node:fs';
import { AppError } from '../errors.js';

/** Too small: a shop's cases of a year do not fit. Too big: a wrong file name takes all memory before it is noticed. */
const MOST_BYTES = 50 * 1024 * 1024;

/**
 * Reads a JSON document from a file, or from standard input when `file` is `-`. UTF-8, with or without BOM.
 * @throws AppError `invalid_request`: the file cannot be read, is larger than 50 MB, not UTF-8, or not JSON (with line
 * and column of the first character that cannot stand where it does).
 */
export async function readJsonInput(file: string): Promise<unknown> {
  const name = file === '-' ? 'standard input' : file;
  const text = decode(await readBytes(file, name), name);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('invalid_request', `${name} is not JSON: ${complaintAbout(text)}`, { cause });
  }
}

/**
 * The bytes of a file, or of standard input when `file` is `-`.
 * @throws AppError `invalid_request`: the file cannot be read, or is larger than 50 MB
 */
export function readInput(file: string): Promise<Buffer> {
  return readBytes(file, file === '-' ? 'standard input' : file);
}

async function readBytes(file: string, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
      if (size > MOST_BYTES) throw new AppError('invalid_request', `${name} is larger than 50 MB: split it`);
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('invalid_request', `cannot read ${name}: ${reasonOf(cause)}`, { cause });
  }
  return Buffer.concat(chunks);
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'it is a directory';
    case 'EACCES':
      return 'permission denied';
    default:
      return message;
  }
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError('invalid_request', `${name} is not UTF-8 text`, { cause });
  }
}

function complaintAbout(text: string): string {
  if (text.trim() === '') return 'it is empty';
  const offset = offsetOfJsonError(text);
  const before = text.slice(0, offset).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  const found =
    offset < text.length ? JSON.stringify(String.fromCodePoint(text.codePointAt(offset) ?? 0)) : 'end of text';
  return `unexpected ${found} at ${place}`;
}

type Wanted = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end';

/**
 * Where a text stops being JSON: the offset of the first character that cannot stand there, or the length of the text
 * when it ends too early. `JSON.parse` itself often does not say where.
 */
function offsetOfJsonError(text: string): number {
  const open: ('{' | '[')[] = [];
  let wanted: Wanted = 'value';
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    const character = text[at];
    if (character === undefined) return at;
    const inside = open.at(-1);

    if (wanted === ':') {
      if (character !== ':') return at;
      wanted = 'value';
      at += 1;
    } else if (character === (inside === '{' ? '}' : ']') && mayClose(wanted) && inside) {
      open.pop();
      wanted = ', or end';
      at += 1;
    } else if (wanted === ', or end') {
      if (character !== ',' || !inside) return at;
      wanted = inside === '{' ? 'key' : 'value';
      at += 1;
    } else if (wanted === 'key' || wanted === 'key or }') {
      const key = character === '"' ? scanString(text, at) : { end: at, whole: false };
      if (!key.whole) return key.end;
      wanted = ':';
      at = key.end;
    } else if (character === '{' || character === '[') {
      open.push(character);
      wanted = character === '{' ? 'key or }' : 'value or ]';
      at += 1;
    } else {
      const scalar = character === '"' ? scanString(text, at) : scanWord(text, at);
      if (!scalar.whole) return scalar.end;
      wanted = ', or end';
      at = scalar.end;
    }
  }
}

function mayClose(wanted: Wanted): boolean {
  return wanted === ', or end' || wanted === 'key or }' || wanted === 'value or ]';
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text.charAt(at))) at += 1;
  return at;
}

/** A number, `true`, `false` or `null`. */
function scanWord(text: string, from: number): { end: number; whole: boolean } {
  const word = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;
  word.lastIndex = from;
  return word.test(text) ? { end: word.lastIndex, whole: true } : { end: from, whole: false };
}

/** A text in quotes; no regular expression, because it may be megabytes long. */
function scanString(text: string, from: number): { end: number; whole: boolean } {
  const escaped = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;
  let at = from + 1;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"') return { end: at + 1, whole: true };
    if (character < ' ') return { end: at, whole: false };
    if (character === '\\') {
      escaped.lastIndex = at;
      if (!escaped.test(text)) return { end: at, whole: false };
      at = escaped.lastIndex;
    } else at += 1;
  }
  return { end: at, whole: false };
}
