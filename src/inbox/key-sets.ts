import type { CarrierAdapter } from '../carriers/adapter.js';
import { isKeySetDocument } from '../carriers/key-set-setting.js';
import { readKeySet } from '../carriers/shipengine/key-set.js';
import { AppError } from '../errors.js';
import type { Logger } from '../logger.js';

/** A key server that takes longer does not answer. */
const FETCH_TIMEOUT_MS = 5_000;
/** A key set has some kilobytes. */
const LARGEST_KEY_SET = 256 * 1024;
/** How often a set may be fetched again for keys that are not in it: who invents key ids must not make us ask all day. */
const REFETCHES_PER_MINUTE = 6;
/** How long a server that failed is left alone, while there are no keys: longer loses webhooks, shorter asks for each of them. */
const LEFT_ALONE_MS = 2_000;
/** A key that its owner has withdrawn is good for at most so long. Shorter asks more often; longer trusts longer. */
const FRESH_FOR_MS = 60 * 60 * 1000;

interface CachedKeySet {
  document: string | null;
  fetchedAtMs: number;
  fetching: Promise<string> | null;
  /** When it was fetched again for an unknown key, within the last minute. */
  refetchedAtMs: number[];
  failure: { readonly atMs: number; readonly error: unknown } | null;
}

/**
 * What webhooks are checked against: the secrets of a source, or the key sets that its variable names. Those behind a URL are
 * fetched when they are first needed, remembered, and fetched again when they are old, and once for a key that is not in them.
 */
export class KeySets {
  readonly #secrets: ReadonlyMap<string, readonly string[]>;
  readonly #log: Logger;
  readonly #byUrl = new Map<string, CachedKeySet>();

  constructor(secrets: ReadonlyMap<string, readonly string[]>, log: Logger) {
    this.#secrets = secrets;
    this.#log = log;
  }

  /**
   * Null: the source is not configured.
   * @throws AppError `keys_unavailable` when a key set was never fetched and cannot be
   */
  async secretsOf(carrier: CarrierAdapter): Promise<readonly string[] | null> {
    const secrets = this.#secrets.get(carrier.source) ?? null;
    if (secrets === null || carrier.secretKind === 'text') return secrets;
    const asked = secrets.map((secret) => (isKeySetDocument(secret) ? secret : this.#documentAt(secret)));
    const settled = await Promise.allSettled(asked);
    const documents = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const failed = settled.find((one) => one.status === 'rejected');
    // While keys move from one place to another, what is at the one is good though the other is away.
    if (documents.length === 0 && failed) throw failed.reason;
    return documents;
  }

  /** As `secretsOf`, fetched anew for a key that was not in them; null where that is not to be done again now. */
  async secretsAfterUnknownKey(carrier: CarrierAdapter): Promise<readonly string[] | null> {
    const secrets = this.#secrets.get(carrier.source) ?? [];
    const urls = secrets.filter((secret) => !isKeySetDocument(secret));
    if (urls.length === 0 || !urls.every((url) => this.#mayRefetch(url))) return null;
    await Promise.allSettled(urls.map((url) => this.#fetch(url)));
    return this.secretsOf(carrier);
  }

  async #documentAt(url: string): Promise<string> {
    const cached = this.#cached(url);
    const { failure } = cached;
    if (cached.document === null) {
      if (failure !== null && Date.now() - failure.atMs < LEFT_ALONE_MS) throw failure.error;
      return this.#fetch(url);
    }
    if (Date.now() - cached.fetchedAtMs < FRESH_FOR_MS) return cached.document;
    // An old set is better than none: a key server that is away must not stop the webhooks.
    return this.#fetch(url).catch(() => cached.document ?? '');
  }

  #mayRefetch(url: string): boolean {
    const cached = this.#cached(url);
    const now = Date.now();
    cached.refetchedAtMs = cached.refetchedAtMs.filter((at) => now - at < 60_000);
    if (cached.refetchedAtMs.length >= REFETCHES_PER_MINUTE) return false;
    if (cached.fetching === null) cached.refetchedAtMs.push(now);
    return true;
  }

  #fetch(url: string): Promise<string> {
    const cached = this.#cached(url);
    cached.fetching ??= fetchKeySet(url)
      .then((document) => {
        cached.document = document;
        cached.fetchedAtMs = Date.now();
        cached.failure = null;
        return document;
      })
      .catch((error: unknown) => {
        // The next attempt of a set that is there waits for its time, so that every webhook does not try in vain.
        if (cached.document !== null) cached.fetchedAtMs = Date.now() - FRESH_FOR_MS + 60_000;
        cached.failure = { atMs: Date.now(), error };
        this.#log.warn({ err: error, host: new URL(url).host }, 'a key set cannot be fetched');
        throw error;
      })
      .finally(() => {
        cached.fetching = null;
      });
    return cached.fetching;
  }

  #cached(url: string): CachedKeySet {
    const known = this.#byUrl.get(url);
    if (known) return known;
    const fresh: CachedKeySet = { document: null, fetchedAtMs: 0, fetching: null, refetchedAtMs: [], failure: null };
    this.#byUrl.set(url, fresh);
    return fresh;
  }
}

/**
 * A JSON Web Key Set over HTTP(S). Redirects are not followed: the keys come from where the configuration says.
 * @throws AppError `keys_unavailable`
 */
export async function fetchKeySet(url: string): Promise<string> {
  let text: string;
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    text = await readBounded(response);
  } catch (error) {
    throw new AppError('keys_unavailable', 'The key set of this source cannot be fetched.', { cause: error });
  }
  if (readKeySet(text) === null) {
    throw new AppError('keys_unavailable', 'What is at the address of the key set of this source is none.');
  }
  return text;
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LARGEST_KEY_SET) throw new Error('the answer is too large for a key set');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
