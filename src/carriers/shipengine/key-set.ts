import type { JsonWebKey, KeyObject } from 'node:crypto';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { AppError } from '../../errors.js';
import { isObject, type JsonObject } from '../wire-reader.js';

/** Fewer would be forged within reach of a well-paid attacker. Source: NIST SP 800-131A. */
const FEWEST_BITS = 2048;
/** A key set holds a few keys. Fewer would cut off a real one; more would let a wrong document cost seconds of CPU. */
const MOST_KEYS = 50;
/**
 * A shop has one key set, two while it moves. Fewer would make keys anew for each webhook, which takes longer than
 * checking it; more would keep old documents in memory.
 */
const MOST_REMEMBERED = 8;

/** Keys by their id; a key set may well use an id twice. */
type KeySet = ReadonlyMap<string, readonly KeyObject[]>;

const remembered = new Map<string, KeySet | null>();

/**
 * What is in a JSON Web Key Set: the ids of its keys that can check a signature of ShipEngine, which are RSA keys of at least
 * 2048 bits with an id, not meant for another use or algorithm. Null for anything without such a key. Never throws.
 */
export function readKeySet(text: string): { readonly kids: readonly string[] } | null {
  const keys = keySetOf(text);
  return keys === null ? null : { kids: [...keys.keys()] };
}

/** Every key of this id in any of the key sets. Remembers the last few documents that it read, by their text. */
export function keysNamed(kid: string, documents: readonly string[]): KeyObject[] {
  const keys: KeyObject[] = [];
  for (const document of documents) keys.push(...(keySetOf(document)?.get(kid) ?? []));
  return keys;
}

/**
 * The private RSA key that a JWK holds, and its id.
 * @throws AppError `invalid_request` for anything else; it never repeats the text, which is a secret
 */
export function signingKeyOf(text: string): { readonly kid: string; readonly key: KeyObject } {
  const jwk = parsed(text);
  if (isObject(jwk) && jwk.kty === 'RSA' && typeof jwk.kid === 'string' && jwk.kid !== '') {
    const key = keyOf(() => createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }));
    if (key !== null) return { kid: jwk.kid, key };
  }
  const wanted = `a private RSA key of at least ${FEWEST_BITS} bits as a JSON Web Key, with its kid`;
  throw new AppError('invalid_request', `The key that plays ShipEngine must be ${wanted}.`);
}

function keySetOf(text: string): KeySet | null {
  const known = remembered.get(text);
  if (known !== undefined) return known;
  const keySet = parseKeySet(text);
  if (remembered.size >= MOST_REMEMBERED) {
    for (const oldest of remembered.keys()) {
      remembered.delete(oldest);
      break;
    }
  }
  remembered.set(text, keySet);
  return keySet;
}

function parseKeySet(text: string): KeySet | null {
  const document = parsed(text);
  if (!isObject(document) || !Array.isArray(document.keys)) return null;
  const keySet = new Map<string, KeyObject[]>();
  for (const jwk of document.keys.slice(0, MOST_KEYS)) {
    if (!isObject(jwk) || typeof jwk.kid !== 'string' || jwk.kid === '') continue;
    const key = checkingKeyOf(jwk);
    if (key !== null) keySet.set(jwk.kid, [...(keySet.get(jwk.kid) ?? []), key]);
  }
  return keySet.size === 0 ? null : keySet;
}

/** The public half alone, should the document hold a private key. */
function checkingKeyOf({ kty, use, alg, n, e }: JsonObject): KeyObject | null {
  if (kty !== 'RSA' || typeof n !== 'string' || typeof e !== 'string') return null;
  if ((use ?? 'sig') !== 'sig' || (alg ?? 'RS256') !== 'RS256') return null;
  return keyOf(() => createPublicKey({ key: { kty, n, e }, format: 'jwk' }));
}

/** Null for what is no key, for a short one, and for an exponent of 1, with which every message is its own signature. */
function keyOf(create: () => KeyObject): KeyObject | null {
  try {
    const key = create();
    const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
    return modulusLength >= FEWEST_BITS && publicExponent > 1n ? key : null;
  } catch {
    return null;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
