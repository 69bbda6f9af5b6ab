import { readdirSync, readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { ParcelReport, ParseOutcome, Scan } from '../../src/carriers/adapter.js';
import { EXCEPTION_KINDS, TRACKING_STATUSES } from '../../src/shipments/tracking-event.js';

const FIXTURES = new URL('../fixtures/', import.meta.url);

/** The names of a source's fixtures: pairs of `NAME.raw.json`, bytes as on the wire, and `NAME.expected.json`, what they mean. */
export function fixtureNames(source: string): string[] {
  return readdirSync(new URL(`${source}/`, FIXTURES))
    .filter((name) => name.endsWith('.raw.json'))
    .map((name) => name.slice(0, -'.raw.json'.length));
}

export function rawFixture(source: string, name: string): Buffer {
  return readFileSync(new URL(`${source}/${name}.raw.json`, FIXTURES));
}

/** The document of a fixture, each time a new one. */
export function documentOf(source: string, name: string) {
  return JSON.parse(rawFixture(source, name).toString('utf8'));
}

export function expectedOf(source: string, name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${source}/${name}.expected.json`, FIXTURES), 'utf8'));
}

/** The parcels of an outcome that must have been parsed. */
export function parcelsOf(outcome: ParseOutcome): readonly ParcelReport[] {
  if (outcome.outcome !== 'parsed') throw new Error(`expected parcels, got ${JSON.stringify(outcome)}`);
  return outcome.parcels;
}

/** The one parcel of an outcome. */
export function parcelOf(outcome: ParseOutcome): ParcelReport {
  const [parcel, ...others] = parcelsOf(outcome);
  if (parcel === undefined || others.length > 0) throw new Error(`expected one parcel, got ${JSON.stringify(outcome)}`);
  return parcel;
}

/** The one scan of the one parcel of an outcome. */
export function scanOf(outcome: ParseOutcome): Scan {
  const [scan, ...others] = parcelOf(outcome).scans;
  if (scan === undefined || others.length > 0) throw new Error(`expected one scan, got ${JSON.stringify(outcome)}`);
  return scan;
}

/** The fields that are named as malformed; else the outcome. */
export function wrongFields(outcome: ParseOutcome): readonly string[] {
  return outcome.outcome === 'malformed' ? outcome.errors.map((error) => error.field) : [outcome.outcome];
}

/** `exception weather`, `delivered`; null for no meaning. */
export function meaningAsText(meaning: Pick<Scan, 'status' | 'exception'> | null | undefined): string | null {
  return meaning ? [meaning.status, meaning.exception].filter((part) => part !== null).join(' ') : null;
}

/** Whatever came in: what is parsed can be stored and judged, and what is malformed says where. */
export function checkOutcome(outcome: ParseOutcome): void {
  const kept: (string | null)[] = [];
  switch (outcome.outcome) {
    case 'ignored':
      return;
    case 'malformed':
      expect(outcome.errors.length).toBeGreaterThan(0);
      return;
    case 'handshake':
      kept.push(outcome.handshake.subscription, outcome.handshake.secret);
      break;
    default:
      expect(outcome.outcome).toBe('parsed');
      kept.push(outcome.deliveryId);
      for (const parcel of outcome.parcels) kept.push(...checkParcel(parcel));
  }
  for (const text of kept) expect(text ?? '').not.toMatch(/\0|\p{Surrogate}/u);
}

/** @returns the texts that are stored */
function checkParcel({ carrier, trackingNumber, estimate, reportedAt, scans, snapshot }: ParcelReport) {
  expect(trackingNumber.trim()).not.toBe('');
  expect(reportedAt.getTime()).not.toBeNaN();
  if (estimate !== null && 'at' in estimate) expect(estimate.at.getTime()).not.toBeNaN();
  if (estimate !== null && 'on' in estimate) expect(estimate.on).toMatch(/^\d{4}-\d\d-\d\d$/);
  if (snapshot !== null) expect(snapshot.reachesBackTo.getTime()).toBeLessThanOrEqual(reportedAt.getTime());
  for (const { status, exception, time, text } of scans) {
    expect(TRACKING_STATUSES).toContain(status);
    if (status === 'exception') expect(EXCEPTION_KINDS).toContain(exception);
    if ('at' in time) expect(time.at.getTime()).not.toBeNaN();
    if ('local' in time) expect(time.local).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?$/);
    if ('on' in time) expect(time.on).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(text?.length ?? 0).toBeLessThanOrEqual(500);
  }
  const texts = scans.flatMap(({ code, text, place, unrecognised }) => [code, text, place, unrecognised]);
  return [carrier, trackingNumber, ...texts];
}

/** Anything that JSON can hold, and what makes parsers stumble. */
export const anyValue = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\0', '\ud800', 'delivered', '__proto__', '2026-04-08T03:12:00', '2026-02-30', 'x'.repeat(900)),
  fc.constantFrom('20260408', '031200', '-04.00', '25:99', '{"a":', '9'.repeat(400)),
  fc.constantFrom(undefined, Number.NaN, 0, -1, 1e300, Number.MAX_SAFE_INTEGER, true, null),
);

/** The seed of a random test, to see a failure again: SEED=… npm test. */
export const seeded = process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) };
