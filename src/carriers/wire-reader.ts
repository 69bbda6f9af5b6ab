import type { FieldError } from '../errors.js';
import type { ParcelReport, ParseOutcome } from './adapter.js';
import { trackingKeyOf } from './matching.js';

/** Far above what carriers write. Less would cut real texts; more would let one webhook fill the table. */
export const TEXT_LIMIT = 500;
/** Carriers use at most about 40 characters. Longer is refused and not cut: a cut number is another parcel's. */
const TRACKING_NUMBER_LIMIT = 100;
/** Real parcels have fewer than a hundred. Less would refuse a parcel going round in circles; more, a slow batch. */
const SCAN_LIMIT = 1000;
/** Enough to see what is wrong with a document; a thousand bad scans need no thousand sentences. */
const ERROR_LIMIT = 20;

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A part of a document; an empty one where it is missing, or no object. */
export function partOf(object: JsonObject, key: string): JsonObject {
  const part = object[key];
  return isObject(part) ? part : NOTHING;
}

const NOTHING: JsonObject = {};

/** The outcome of a document of which one field is wrong. */
export function malformed(field: string, message: string): ParseOutcome {
  return { outcome: 'malformed', errors: [{ field, message }] };
}

/** What a source calls the parts of a place. */
export interface PlaceKeys {
  readonly city: string;
  readonly region: string | null;
  readonly country: string;
  readonly postalCode: string;
}

/**
 * Reads the parts of a document and collects what is wrong with them, each with the path of its field. Hand-written and
 * not a schema, because it runs for every webhook, and unknown parts of a document are never walked.
 */
export class WireReader {
  readonly errors: FieldError[] = [];
  /** The path of the object that is being read: `shipments[3].`, put together only when something is wrong with it. */
  #base = '';
  #list = '';
  #index = -1;

  /** Notes an error of the object that is being read; an empty field is the object itself. */
  fail(field: string, message: string): void {
    if (this.errors.length >= ERROR_LIMIT) return;
    const path = this.#path() + field;
    this.errors.push({ field: field === '' ? path.replace(/\.$/, '') : path, message });
  }

  /**
   * A text as sent, cut to what is kept; null for a blank and for anything but a string. PostgreSQL can store neither NUL,
   * which is an error, nor half a surrogate pair, which becomes U+FFFD.
   * @param within the path from the object that is being read to `object`, with its dot, such as `location.`
   */
  text(object: JsonObject, key: string, within = ''): string | null {
    const value = object[key];
    if (typeof value !== 'string' || value === '' || isBlank(value)) return null;
    if (isPlain(value)) return value;
    if (value.includes('\0')) {
      this.fail(`${within}${key}`, 'must not contain a NUL character');
      return null;
    }
    return cut(value);
  }

  /** A tracking number as sent; an error, and empty, where there is none. */
  trackingNumber(object: JsonObject, key: string, within = ''): string {
    const value = object[key];
    if (typeof value !== 'string' || trackingKeyOf(value) === '') {
      this.fail(`${within}${key}`, 'must be a tracking number');
      return '';
    }
    if (value.length > TRACKING_NUMBER_LIMIT) {
      this.fail(`${within}${key}`, `must have at most ${TRACKING_NUMBER_LIMIT} characters`);
      return '';
    }
    return this.text(object, key, within) ?? '';
  }

  /** `OMAHA, NE, US 68102`, of whatever parts there are; null of none. */
  place(object: JsonObject, keys: PlaceKeys, within = ''): string | null {
    const city = this.text(object, keys.city, within);
    const region = keys.region === null ? null : this.text(object, keys.region, within);
    const country = this.text(object, keys.country, within);
    const postalCode = this.text(object, keys.postalCode, within);
    const place = joined(joined(city, ', ', region), ', ', joined(country, ' ', postalCode));
    return place !== null && place.length > TEXT_LIMIT ? cut(place) : place;
  }

  /** The provider's id of a delivery or of a history: kept whole or not at all. */
  id(object: JsonObject, key: string, within = ''): string | null {
    const value = object[key];
    return typeof value === 'string' && value.length <= TEXT_LIMIT ? this.text(object, key, within) : null;
  }

  /**
   * Reads each object of a list; errors noted meanwhile are of that object. A missing list is an empty one; anything but a
   * list, a list that is too long, and members that are no objects are errors.
   */
  each(
    value: unknown,
    field: string,
    read: (item: JsonObject, index: number) => void,
    limit: { readonly most: number; readonly of: string } = { most: SCAN_LIMIT, of: 'scans' },
  ): void {
    if (value === undefined || value === null) return;
    if (!Array.isArray(value) || value.length > limit.most) {
      this.fail(field, Array.isArray(value) ? `must have at most ${limit.most} ${limit.of}` : 'must be a list');
      return;
    }
    const outer = { base: this.#base, list: this.#list, index: this.#index };
    this.#base = this.#path();
    this.#list = field;
    for (let index = 0; index < value.length && this.errors.length < ERROR_LIMIT; index++) {
      this.#index = index;
      const item = value[index];
      if (isObject(item)) read(item, index);
      else this.fail('', 'must be an object');
    }
    ({ base: this.#base, list: this.#list, index: this.#index } = outer);
  }

  /** What the document comes to: malformed where anything was wrong with it. */
  outcome(parcels: readonly ParcelReport[], deliveryId: string | null = null): ParseOutcome {
    if (this.errors.length > 0) return { outcome: 'malformed', errors: this.errors };
    return { outcome: 'parsed', deliveryId, parcels };
  }

  #path(): string {
    return this.#index < 0 ? this.#base : `${this.#base}${this.#list}[${this.#index}].`;
  }
}

function joined(left: string | null, separator: string, right: string | null): string | null {
  return left === null ? right : right === null ? left : left + separator + right;
}

/** Mostly the first character tells. */
function isBlank(text: string): boolean {
  return text.charCodeAt(0) <= 32 && text.trim() === '';
}

/** Short, and without anything that would have to be looked at: nearly every text is. */
function isPlain(text: string): boolean {
  if (text.length > TEXT_LIMIT) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0 || (code >= 0xd800 && code <= 0xdfff)) return false;
  }
  return true;
}

/** At most so long as is kept, and each half of a pair without the other replaced. */
function cut(text: string): string {
  return text.slice(0, TEXT_LIMIT).replace(/\p{Surrogate}/gu, '\uFFFD');
}
