import { AppError, ERROR_CODES } from '../errors.js';

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupCommitLimits<T> {
  /** Items in one batch: more hold their transaction longer, fewer pay more commits. */
  readonly maxBatch: number;
  /** Items that may wait: beyond it a caller is told to come back, so that memory stays bounded. */
  readonly maxWaiting: number;
  /** What an item weighs, and both bounds again by weight: items may be a thousand times as heavy as others. */
  weightOf(item: T): number;
  readonly maxBatchWeight: number;
  readonly maxWaitingWeight: number;
  /** Batches in flight at once: with one, the database idles while the next batch is built. */
  readonly lanes: number;
}

/**
 * Batches that form by themselves: what arrived while the last batch was in flight is the next one. A lone item is its own
 * batch and waits for nothing; a flood makes batches of hundreds. No timer, nothing to tune.
 */
export class GroupCommit<T, R> {
  readonly #commit: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #limits: GroupCommitLimits<T>;
  #waiting: Waiting<T, R>[] = [];
  #waitingWeight = 0;
  #inFlight = 0;

  /**
   * @param commit makes a batch durable, all or nothing, and answers one result an item, in order
   */
  constructor(commit: (items: readonly T[]) => Promise<readonly R[]>, limits: GroupCommitLimits<T>) {
    this.#commit = commit;
    this.#limits = limits;
  }

  /**
   * Resolves when the item is durable.
   * @throws AppError `overloaded` at once when too many wait; whatever `commit` throws for this item
   */
  submit(item: T): Promise<R> {
    const { maxWaiting, maxWaitingWeight, weightOf } = this.#limits;
    if (this.#waiting.length >= maxWaiting || this.#waitingWeight >= maxWaitingWeight) {
      return Promise.reject(new AppError('overloaded', 'Too much is waiting to be stored. Try again shortly.'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#waitingWeight += weightOf(item);
      // Items of the same turn of the event loop share a batch.
      setImmediate(() => this.#fly());
    });
  }

  #fly(): void {
    while (this.#inFlight < this.#limits.lanes && this.#waiting.length > 0) {
      const batch = this.#nextBatch();
      this.#inFlight++;
      void this.#settle(batch).finally(() => {
        this.#inFlight--;
        this.#fly();
      });
    }
  }

  /** As many as go into one batch; one at least, however heavy it is. */
  #nextBatch(): Waiting<T, R>[] {
    const { maxBatch, maxBatchWeight, weightOf } = this.#limits;
    let count = 0;
    let weight = 0;
    for (const { item } of this.#waiting) {
      const own = weightOf(item);
      if (count === maxBatch || (count > 0 && weight + own > maxBatchWeight)) break;
      count++;
      weight += own;
    }
    this.#waitingWeight -= weight;
    return this.#waiting.splice(0, count);
  }

  async #settle(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#commit(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as R);
      });
    } catch (error) {
      const waitsForEverybody = error instanceof AppError && ERROR_CODES[error.code].retry;
      if (batch.length === 1 || waitsForEverybody) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One item that cannot be stored must not take the others with it.
      const middle = Math.ceil(batch.length / 2);
      await this.#settle(batch.slice(0, middle));
      await this.#settle(batch.slice(middle));
    }
  }
}
