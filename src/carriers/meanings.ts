import type { Meaning } from './adapter.js';

/** The word was not understood, or means nothing. It can neither cause nor deny a payment. */
export const UNKNOWN: Meaning = { status: 'unknown', exception: null };

/**
 * Looks words of a source up in one of its tables; undefined for a word that is not a row. A map, because a plain object
 * would also answer to `constructor` and `__proto__`, and these words come from outside.
 */
export function lookUpIn<T>(rows: Readonly<Record<string, T>>): (word: string) => T | undefined {
  const byWord = new Map(Object.entries(rows));
  return (word) => byWord.get(word);
}
