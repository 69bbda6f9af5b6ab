import { hash } from 'node:crypto';
import type { EventTime } from '../shipments/tracking-event.js';
import type { Scan } from './adapter.js';

/** What identifies a scan: who says it, of which parcel, and everything it says. */
export interface ScanIdentity {
  /** The name of the source in `POST /webhooks/{source}`. */
  readonly source: string;
  /** Carrier and tracking number as sent. */
  readonly carrier: string;
  readonly trackingNumber: string;
  readonly scan: Pick<Scan, 'time' | 'place' | 'code' | 'text'>;
}

/** The tracking number that is compared: upper case, without white space and hyphens. Empty if nothing else was there. */
export function trackingKeyOf(trackingNumber: string): string {
  return trackingNumber.replace(/[\s\-\u2010\u2011]/g, '').toUpperCase();
}

/**
 * The carrier's name that is compared: its letters and digits in lower case, so that `RoyalMail`, `royal_mail` and
 * `Royal-Mail` are one. Accents and width variants are folded (NFKD), since sources disagree on those too.
 */
export function carrierKeyOf(carrier: string): string {
  return carrier
    .normalize('NFKD')
    .replace(/[^\p{L}\p{Nd}]/gu, '')
    .toLowerCase();
}

/**
 * The key by which one scan is one event, however often and in whatever snapshot it is sent: a UUID-shaped digest of
 * its identity. The status we give a scan is no part of it, so a corrected table does not double the history.
 */
export function scanKeyOf({ source, carrier, trackingNumber, scan }: ScanIdentity): string {
  return digestAsUuid([
    'scan',
    source,
    carrierKeyOf(carrier),
    trackingKeyOf(trackingNumber),
    ...timeParts(scan.time),
    scan.place,
    scan.code,
    scan.text,
  ]);
}

/** The key by which a repeated webhook is recognised: of its source and its very bytes. */
export function deliveryKeyOf(source: string, rawBody: Buffer): string {
  return digestAsUuid(['delivery-body', source, hash('sha256', rawBody)]);
}

/** Kind and text of a time. An instant and a wall-clock reading with the same digits are two different statements. */
function timeParts(time: EventTime): readonly (string | number | null)[] {
  if ('at' in time) return ['at', time.at.getTime(), null];
  if ('local' in time) return ['local', time.local, time.timeZone ?? null];
  return ['on', time.on, time.timeZone ?? null];
}

/**
 * The first 128 bits of SHA-256 in the form of a UUID, which is what the database indexes best. The parts are encoded
 * as a JSON array because concatenation is ambiguous: ('ab', 'c') and ('a', 'bc') must not collide. Version and variant
 * bits are not set; they would only cost collision resistance.
 */
function digestAsUuid(parts: readonly (string | number | null)[]): string {
  const hex = hash('sha256', JSON.stringify(parts));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
