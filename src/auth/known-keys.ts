import { hash } from 'node:crypto';

/** Keys that are remembered. Fewer, and good ones are forgotten while they are in use; more, and nobody is helped. */
const REMEMBERED = 2_000;

/**
 * Keys that were good when this process last looked, as hashes. They tell whom to go on listening to at an address from which
 * somebody tries one key after the other; whether a key is still good, only the database knows.
 */
export class KnownKeys {
  readonly #hashes = new Set<string>();

  has(key: string): boolean {
    return this.#hashes.has(hash('sha256', key));
  }

  /** Remembers a key; the one that was not used for longest is forgotten for it. */
  add(key: string): void {
    const hashed = hash('sha256', key);
    this.#hashes.delete(hashed);
    this.#hashes.add(hashed);
    const [oldest] = this.#hashes;
    if (this.#hashes.size > REMEMBERED && oldest !== undefined) this.#hashes.delete(oldest);
  }

  forget(key: string): void {
    this.#hashes.delete(hash('sha256', key));
  }
}
