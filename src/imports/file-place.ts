import { createHash, type Hash } from 'node:crypto';
import type { ChunkReader } from './read-chunk.js';

/** A place in a file at which reading can go on: between two records. */
export interface FilePlace {
  /** Bytes before it. */
  readonly bytesDone: number;
  /** The line that begins there. */
  readonly nextLine: number;
  /** SHA-256 of the bytes before it. A file that begins otherwise is another file. */
  readonly prefixHash: Buffer;
}

/**
 * Finds the last of these places before which a file still has the very bytes that it had. Reads it up to the last one, once.
 * @returns the place, and the running hash that goes on there
 */
export async function findPlace<Place extends FilePlace>(
  reader: ChunkReader,
  places: readonly Place[],
  onProgress: (bytesRead: number) => void,
): Promise<{ readonly place: Place; readonly hash: Hash } | null> {
  const hash = createHash('sha256');
  let found: { place: Place; hash: Hash } | null = null;
  let offset = 0;
  for (const place of places.toSorted((one, other) => one.bytesDone - other.bytesDone)) {
    while (offset < place.bytesDone) {
      const chunk = await reader.read(offset, place.bytesDone - offset);
      // The file is shorter than it was.
      if (chunk.length === 0) return found;
      hash.update(chunk);
      offset += chunk.length;
      onProgress(offset);
    }
    if (hash.copy().digest().equals(place.prefixHash)) found = { place, hash: hash.copy() };
  }
  return found;
}

/** The running hash of the beginning of a file. */
export class PrefixHash {
  readonly #hash: Hash;
  #until: number;

  /** @param hash of the first `until` bytes */
  constructor(hash: Hash, until: number) {
    this.#hash = hash;
    this.#until = until;
  }

  /**
   * @param offset how many bytes; not fewer than were asked for before
   * @param bytes a piece of the file that has all that are new, and `start`, where it begins
   * @returns SHA-256 of the first `offset` bytes
   */
  upTo(offset: number, bytes: Buffer, start: number): Buffer {
    this.#hash.update(bytes.subarray(this.#until - start, offset - start));
    this.#until = offset;
    return this.#hash.copy().digest();
  }
}
