/** What makes a document unfit to be acted on, though it is JSON. */
export type JsonFault = 'not_json' | 'too_deep' | 'repeated_key' | 'proto_key';

export type StrictJson =
  | { readonly outcome: 'read'; readonly document: unknown }
  | { readonly outcome: 'refused'; readonly fault: JsonFault };

/** What a sender is told about each. */
export const JSON_FAULTS: Readonly<Record<JsonFault, string>> = {
  not_json: 'is not JSON',
  too_deep: 'is nested too deeply',
  repeated_key: 'has an object with the same key twice',
  proto_key: 'has a key __proto__',
};

/** Documents of carriers have up to about twelve levels. Less would refuse one of them; more is nobody's. */
const DEEPEST = 64;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const FOUR_COLONS = 0x3a3a3a3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses JSON that means one thing only: no key twice in an object (of which readers take the first or the last, as they
 * like), no `__proto__`, and no depth that costs whoever walks it. Never throws.
 * @param text the document
 * @param bytes the same in UTF-8
 */
export function parseStrictJson(text: string, bytes: Uint8Array): StrictJson {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { outcome: 'refused', fault: 'not_json' };
  }
  // A key is a quote and a colon, so as many of these as the parsed document has keys means that none was there twice. A
  // text may hold such a pair of its own, or a key may be written otherwise; then the exact way decides. This one runs
  // for every webhook, and takes a fraction of the time of reading the JSON.
  const fault = countKeys(document, 1) === countKeysWritten(bytes) ? null : findFault(text);
  return fault === null ? { outcome: 'read', document } : { outcome: 'refused', fault };
}

/** @returns how many keys all objects in it have; NaN, which equals nothing, where it is too deep or has a key `__proto__` */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > DEEPEST) return Number.NaN;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += countKeys(item, depth + 1);
    return keys;
  }
  const members = value as Readonly<Record<string, unknown>>;
  for (const key in members) {
    if (key === '__proto__') return Number.NaN;
    const member = members[key];
    keys += typeof member === 'object' ? 1 + countKeys(member, depth + 1) : 1;
  }
  return keys;
}

/**
 * Four bytes are looked at in one step, because nearly all of them are no colon, and this is the only loop over every byte.
 * @returns how often a closing quote and a colon follow each other, which is at least once per key; NaN, which equals nothing,
 *   where blanks might separate them, or a key might end in a backslash
 */
function countKeysWritten(bytes: Uint8Array): number {
  // Words begin at a multiple of four, and the bytes anywhere in their buffer.
  const ahead = -bytes.byteOffset & 3;
  if (bytes.length < ahead) return Number.NaN;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + ahead, (bytes.length - ahead) >> 2);
  let keys = 0;
  for (let index = 0; index < ahead; index++) keys += keysEndingAt(bytes, index);
  for (let word = 0; word < words.length; word++) {
    const colonsAreZero = (words[word] as number) ^ FOUR_COLONS;
    if (((colonsAreZero - 0x01010101) & ~colonsAreZero & 0x80808080) === 0) continue;
    const first = ahead + word * 4;
    for (let index = first; index < first + 4; index++) keys += keysEndingAt(bytes, index);
  }
  for (let index = ahead + words.length * 4; index < bytes.length; index++) keys += keysEndingAt(bytes, index);
  return keys;
}

/** @returns 1 where the colon behind a key is, 0 where none is, NaN where it cannot be told */
function keysEndingAt(bytes: Uint8Array, index: number): number {
  if (bytes[index] !== COLON) return 0;
  const before = bytes[index - 1] as number;
  if (before === QUOTE && bytes[index - 2] === BACKSLASH) {
    return bytes[index - 3] === BACKSLASH ? Number.NaN : 0;
  }
  if (before === QUOTE) return 1;
  return before <= SPACE ? Number.NaN : 0;
}

/** Looks at the text of the document, which is known to be JSON, because a parsed one no longer shows what was there twice. */
function findFault(text: string): JsonFault | null {
  const open: (Set<string> | null)[] = [];
  let keyComes = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      const start = index;
      for (let next = text.charCodeAt(++index); next !== QUOTE; next = text.charCodeAt(++index)) {
        if (next === BACKSLASH) index++;
      }
      const keys = open.at(-1);
      if (!keyComes || !keys) continue;
      keyComes = false;
      const key = JSON.parse(text.slice(start, index + 1)) as string;
      if (key === '__proto__') return 'proto_key';
      if (keys.has(key)) return 'repeated_key';
      keys.add(key);
    } else if (code === COMMA) {
      keyComes = open.at(-1) !== null;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      keyComes = code === OPEN_OBJECT;
      if (open.push(keyComes ? new Set() : null) > DEEPEST) return 'too_deep';
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      open.pop();
      keyComes = false;
    }
  }
  return null;
}
