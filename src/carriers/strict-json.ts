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
/** Objects of carriers have up to about forty keys, compared one by one. More, and a set is faster. */
const MANY_KEYS = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses JSON that means one thing only: no key twice in an object (of which readers take the first or the last, as they
 * like), no `__proto__`, and no depth that costs whoever walks it. Never throws.
 */
export function parseStrictJson(text: string): StrictJson {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { outcome: 'refused', fault: 'not_json' };
  }
  const fault = findFault(text);
  return fault === null ? { outcome: 'read', document } : { outcome: 'refused', fault };
}

/**
 * Looks at the text once more, which is known to be JSON, because a parsed document no longer shows what was there twice. Keys are
 * compared by a hash that is made while they are passed over; where two agree, or a key is escaped, the exact way decides.
 */
function findFault(text: string): JsonFault | null {
  /** The hashes of the keys of all open objects, the innermost last. */
  const hashes: number[] = [];
  /** For each open object where its hashes begin; -1 for a list. */
  const open: number[] = [];
  let first = -1;
  let keyComes = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) {
      const start = index + 1;
      let hash = 0;
      let escaped = false;
      for (let next = text.charCodeAt(++index); next !== QUOTE; next = text.charCodeAt(++index)) {
        if (next === BACKSLASH) {
          escaped = true;
          index++;
        }
        hash = (Math.imul(hash, 31) + next) | 0;
      }
      if (!keyComes) continue;
      keyComes = false;
      if (escaped || hashes.length - first > MANY_KEYS) return findFaultExactly(text);
      if (index - start === 9 && text.startsWith('__proto__', start)) return 'proto_key';
      for (let other = first; other < hashes.length; other++) {
        if (hashes[other] === hash) return findFaultExactly(text);
      }
      hashes.push(hash);
    } else if (code === COMMA) {
      keyComes = first >= 0;
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      keyComes = code === OPEN_OBJECT;
      first = keyComes ? hashes.length : -1;
      if (open.push(first) > DEEPEST) return 'too_deep';
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      const closed = open.pop() ?? -1;
      if (closed >= 0) hashes.length = closed;
      first = open.at(-1) ?? -1;
      keyComes = false;
    }
  }
  return null;
}

/** As `findFault`, with the keys themselves: for the few documents in which hashes agree or keys are escaped. */
function findFaultExactly(text: string): JsonFault | null {
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
