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
/** Keys that are open at once, and in one object, up to which they are compared one by one; beyond, sets are faster. */
const MANY_OPEN_KEYS = 4096;
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
  const fault = findFault(bytes);
  if (fault === null) return { outcome: 'read', document };
  const exact = fault === 'unsure' ? findFaultExactly(text) : fault;
  return exact === null ? { outcome: 'read', document } : { outcome: 'refused', fault: exact };
}

// Used by one call at a time, which leaves nothing in them. New ones would cost more than the work.
/** The hashes of the keys of all open objects, the innermost last. */
const hashes = new Int32Array(MANY_OPEN_KEYS);
/** For each open object where its hashes begin; -1 for a list. */
const begins = new Int32Array(DEEPEST);

/** The bytes of `__proto__` have this hash. */
const PROTO_HASH = hashOf('__proto__');

/**
 * Looks at the document once more, which is known to be JSON, because a parsed one no longer shows what was there twice. Over
 * bytes and in flat arrays: it runs for every webhook. Keys are compared by a hash; where two agree, or a key is
 * escaped, or there are very many, it is unsure, and the exact way decides.
 */
function findFault(bytes: Uint8Array): 'too_deep' | 'unsure' | null {
  const end = bytes.length;
  let keys = 0;
  let depth = 0;
  let first = -1;
  let keyComes = false;
  for (let index = 0; index < end; index++) {
    let byte = bytes[index];
    if (byte === QUOTE) {
      byte = bytes[++index];
      if (!keyComes) {
        for (; byte !== QUOTE; byte = bytes[++index]) if (byte === BACKSLASH) index++;
        continue;
      }
      keyComes = false;
      let hash = 0;
      for (; byte !== QUOTE; byte = bytes[++index]) {
        if (byte === BACKSLASH) return 'unsure';
        hash = (Math.imul(hash, 31) + (byte ?? 0)) | 0;
      }
      if (hash === PROTO_HASH || keys - first >= MANY_KEYS || keys === MANY_OPEN_KEYS) return 'unsure';
      for (let other = first; other < keys; other++) if (hashes[other] === hash) return 'unsure';
      hashes[keys++] = hash;
    } else if (byte === COMMA) {
      keyComes = first >= 0;
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (depth === DEEPEST) return 'too_deep';
      keyComes = byte === OPEN_OBJECT;
      first = keyComes ? keys : -1;
      begins[depth++] = first;
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      const began = begins[--depth] ?? -1;
      if (began >= 0) keys = began;
      first = depth > 0 ? (begins[depth - 1] ?? -1) : -1;
      keyComes = false;
    }
  }
  return null;
}

function hashOf(ascii: string): number {
  let hash = 0;
  for (let index = 0; index < ascii.length; index++) hash = (Math.imul(hash, 31) + ascii.charCodeAt(index)) | 0;
  return hash;
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
