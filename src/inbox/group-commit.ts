import { AppError, ERROR_CODES } from '../errors.js';

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Batches that form by themselves: what arrived while the last batch was in flight is the next one. A lone item is its own
 * batch and waits for nothing; a flood makes batches of hundreds. No timer, nothing to tune.
 */
export class GroupCommit<T, R> {
  readonly #commit: (items: readonly T[]) => Promise<readonly R[]>;
  readonly #maxBatch: number;
  readonly #maxWaiting: number;
  readonly #lanes: number;
  #waiting: Waiting<T, R>[] = [];
  #inFlight = 0;

  /**
   * @param commit makes a batch durable, all or nothing, and answers one result an item, in order
   * @param options.maxBatch items in one batch: more hold their transaction longer, fewer pay more commits
   * @param options.maxWaiting items that may wait: beyond it a caller is told to come back, so that memory stays bounded
   * @param options.lanes batches in flight at once: with one, the database idles while the next batch is built
   */
  constructor(
    commit: (items: readonly T[]) => Promise<readonly R[]>,
    options: { maxBatch: number; maxWaiting: number; lanes: number },
  ) {
    this.#commit = commit;
    this.#maxBatch = options.maxBatch;
    this.#maxWaiting = options.maxWaiting;
    this.#lanes = options.lanes;
  }

  /**
   * Resolves when the item is durable.
   * @throws AppError `overloaded` at once when too many wait; whatever `commit` throws for this item
   */
  submit(item: T): Promise<R> {
    if (this.#waiting.length >= this.#maxWaiting) {
      return Promise.reject(new AppError('overloaded', 'Too much is waiting to be stored. Try again shortly.'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      // Items of the same turn of the event loop share a batch.
      setImmediate(() => this.#fly());
    });
  }

  #fly(): void {
    while (this.#inFlight < this.#lanes && this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#maxBatch);
      this.#inFlight++;
      void this.#settle(batch).finally(() => {
        this.#inFlight--;
        this.#fly();
      });
    }
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
