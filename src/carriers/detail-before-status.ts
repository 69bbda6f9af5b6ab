import type { Meaning } from './adapter.js';
import { lookUpIn, orWeather, UNKNOWN } from './meanings.js';
import type { WireScan } from './report.js';
import type { WireTime } from './wire-time.js';

/** What a scan says of itself in a source that has a coarse status and a detail beside it. */
export interface StatusWords {
  readonly status: string | null;
  readonly detail: string | null;
  readonly text: string | null;
}

/**
 * Reads the words of a source that has a coarse status and a detail, by the tables of that source. A detail whose row is
 * null says nothing about how the parcel fares: the status decides.
 */
export function detailBeforeStatus(tables: {
  readonly statuses: Readonly<Record<string, Meaning>>;
  readonly details: Readonly<Record<string, Meaning | null>>;
}): {
  /**
   * The meaning of a scan's words; null where they name no status at all. The detail goes before the coarse status, except
   * that what was delivered stays delivered. Words we do not know say nothing: an unknown detail leaves the status, an
   * unknown status is `unknown`. The text is the last resort, only where the codes name no kind of exception.
   */
  meaningOf(words: StatusWords): Meaning | null;
  /** The word that is in neither table, the status before the detail; null when all are known. */
  unrecognisedOf(words: Omit<StatusWords, 'text'>): string | null;
  /** The scan that says these words. */
  scanOf(when: WireTime, words: StatusWords, place: string | null): WireScan;
} {
  const meaningOfStatus = lookUpIn(tables.statuses);
  const meaningOfDetail = lookUpIn(tables.details);
  function meaningOf({ status, detail, text }: StatusWords): Meaning | null {
    const coarse = status === null ? null : (meaningOfStatus(status) ?? UNKNOWN);
    const detailed = detail === null ? null : meaningOfDetail(detail);
    if (coarse?.status === 'delivered') return detailed?.status === 'delivered' ? detailed : coarse;
    return orWeather(detailed === undefined ? (coarse ?? UNKNOWN) : (detailed ?? coarse), text);
  }
  function unrecognisedOf({ status, detail }: Omit<StatusWords, 'text'>): string | null {
    if (status !== null && meaningOfStatus(status) === undefined) return status;
    return detail !== null && meaningOfDetail(detail) === undefined ? codeOf(status, detail) : null;
  }
  return {
    meaningOf,
    unrecognisedOf,
    scanOf: ({ time, order }, words, place) => ({
      time,
      order,
      meaning: meaningOf(words),
      code: codeOf(words.status, words.detail),
      text: words.text,
      place,
      unrecognised: unrecognisedOf(words),
    }),
  };
}

/** The source's own code of a scan: its status, and behind a slash its detail if there is one. Empty without either. */
export function codeOf(status: string | null, detail: string | null): string {
  return detail === null ? (status ?? '') : `${status ?? ''}/${detail}`;
}
