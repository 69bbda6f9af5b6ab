import type { Meaning } from './adapter.js';

/** The word was not understood, or means nothing. It can neither cause nor deny a payment. */
export const UNKNOWN: Meaning = { status: 'unknown', exception: null };
export const WEATHER: Meaning = { status: 'exception', exception: 'weather' };

/**
 * Looks words of a source up in one of its tables; undefined for a word that is not a row. A map, because a plain object
 * would also answer to `constructor` and `__proto__`, and these words come from outside.
 */
export function lookUpIn<T>(rows: Readonly<Record<string, T>>): (word: string) => T | undefined {
  const byWord = new Map(Object.entries(rows));
  return (word) => byWord.get(word);
}

/** Free text is the last resort: it makes an exception one of the weather only where the codes name no kind. */
export function orWeather<T extends Meaning | null>(meaning: T, text: string | null): T | Meaning {
  return meaning?.exception === 'other' && text !== null && /weather/i.test(text) ? WEATHER : meaning;
}
