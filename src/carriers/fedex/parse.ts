import type { Meaning, ParcelReport, ParseOutcome } from '../adapter.js';
import { codeOf } from '../detail-before-status.js';
import { latestOf, reportOf, type WireScan } from '../report.js';
import { isObject, type JsonObject, malformed, partOf, TEXT_LIMIT, WireReader } from '../wire-reader.js';
import { isoEstimate, isoTimeOrMidnightDate } from '../wire-time.js';
import { inBadWeather, meaningOf, refinedByText, unrecognisedOf } from './statuses.js';

/**
 * Reads a push of the Shipment Visibility Webhook in either of its envelopes, `{trackResults}` or
 * `{output: {completeTrackResults: [{trackingNumber, trackResults}]}}`. Each result is a report of its own, also where
 * several have one number. A result with an error and without scans is no
 * report. Malformed is a document with neither envelope, a result without a tracking number, scans that are no list of
 * objects, a scan without a readable `date`, and what cannot be kept. All else that is missing or of another type counts as
 * not said. Never throws.
 */
export function parseFedex(document: unknown): ParseOutcome {
  if (!isObject(document)) return malformed('body', 'must be a JSON object');
  const { trackResults, output } = document;
  const reader = new WireReader();
  const parcels: ParcelReport[] = [];
  const readResults = (results: unknown, envelope: JsonObject) =>
    reader.each(
      results,
      'trackResults',
      (result) => {
        const report = readResult(reader, result, envelope);
        if (report !== null) parcels.push(report);
      },
      PARCELS,
    );

  if (trackResults !== undefined && trackResults !== null) {
    readResults(trackResults, document);
  } else if (!isObject(output)) {
    return malformed('trackResults', 'must be a list, unless output.completeTrackResults is one');
  } else if (!Array.isArray(output.completeTrackResults)) {
    return malformed('output.completeTrackResults', 'must be a list');
  } else {
    const field = 'output.completeTrackResults';
    reader.each(output.completeTrackResults, field, (each) => readResults(each.trackResults, each), PARCELS);
  }
  if (reader.errors.length === 0 && parcels.length === 0) {
    return { outcome: 'ignored', reason: 'no track result without an error' };
  }
  return reader.outcome(parcels);
}

/** FedEx tracks 30 numbers at once. Less might refuse a real push; more would let one hold the database for long. */
const PARCELS: { readonly most: number; readonly of: string } = { most: 200, of: 'parcels' };

/** `outputMetaData` with its `sentAt` is the log of a test tool: when FedEx speaks is when its newest scan was. */
function readResult(reader: WireReader, result: JsonObject, envelope: JsonObject): ParcelReport | null {
  const { scanEvents, error } = result;
  const hasScans = Array.isArray(scanEvents) ? scanEvents.length > 0 : scanEvents !== undefined && scanEvents !== null;
  if (!hasScans && isObject(error)) return null;

  const info = partOf(result, 'trackingNumberInfo');
  const latestStatus = partOf(result, 'latestStatusDetail');
  return reportOf({
    carrier: 'fedex',
    trackingNumber: readTrackingNumber(reader, info, result, envelope),
    estimate: readEstimate(result),
    scans: readScans(reader, scanEvents, latestStatus),
    headline: () => headlineOf(latestStatus),
    newestFirst: true,
    snapshot: true,
  });
}

function readTrackingNumber(reader: WireReader, info: JsonObject, result: JsonObject, envelope: JsonObject): string {
  for (const place of [info, result, envelope]) {
    const { trackingNumber } = place;
    if (typeof trackingNumber !== 'string' || trackingNumber.trim() === '') continue;
    return reader.trackingNumber(place, 'trackingNumber', place === info ? 'trackingNumberInfo.' : '');
  }
  return reader.trackingNumber(info, 'trackingNumber', 'trackingNumberInfo.');
}

function readScans(reader: WireReader, scanEvents: unknown, latestStatus: JsonObject): WireScan[] {
  const scans: WireScan[] = [];
  reader.each(scanEvents, 'scanEvents', (scan) => {
    const when = isoTimeOrMidnightDate(scan.date);
    if (when === null) reader.fail('date', 'must be an ISO 8601 date and time');
    const type = reader.text(scan, 'eventType') ?? reader.text(scan, 'derivedStatusCode');
    const exceptionCode = reader.text(scan, 'exceptionCode');
    const description = reader.text(scan, 'eventDescription');
    const exceptionText = reader.text(scan, 'exceptionDescription');
    const place = reader.place(partOf(scan, 'scanLocation'), PLACE, 'scanLocation.');
    if (when === null) return;
    const plain = refinedByText(refinedByText(meaningOf(type), exceptionText), description);
    scans.push({
      time: when.time,
      order: when.order,
      meaning: isWeather(scan.delayDetail) ? inBadWeather(plain) : plain,
      code: codeOf(type, exceptionCode),
      text: textOf(description, exceptionText),
      place,
      unrecognised: unrecognisedOf(type),
    });
  });
  const latest = latestOf(scans, true);
  if (latest === undefined || !isWeather(latestStatus.delayDetail)) return scans;
  const meaning = weatherOfLatest(latest.meaning);
  if (meaning === latest.meaning) return scans;
  return scans.map((scan) => (scan === latest ? { ...scan, meaning, isBorrowed: true } : scan));
}

/**
 * The delay detail of the parcel as a whole says why the latest scan is a delay. It outlives the delay, so it makes none of
 * a scan that tells of movement.
 */
function weatherOfLatest(meaning: Meaning | null): Meaning | null {
  return meaning?.status === 'exception' || meaning?.status === 'attempted' ? inBadWeather(meaning) : meaning;
}

/** `Delay: Adverse weather conditions`, unless that is longer than a text may be. */
function textOf(description: string | null, exceptionText: string | null): string | null {
  if (description === null || exceptionText === null) return description ?? exceptionText;
  const both = `${description}: ${exceptionText}`;
  return both.length > TEXT_LIMIT ? description : both;
}

/** `ON_TIME` and `EARLY` name the type of a delay that did not come about. */
function isWeather(delayDetail: unknown): boolean {
  if (!isObject(delayDetail) || delayDetail.type !== 'WEATHER') return false;
  return delayDetail.status !== 'ON_TIME' && delayDetail.status !== 'EARLY';
}

function headlineOf({ code, derivedCode, delayDetail }: JsonObject): Meaning | null {
  const word = typeof code === 'string' && code !== '' ? code : derivedCode;
  const meaning = meaningOf(typeof word === 'string' && word !== '' ? word : null);
  return isWeather(delayDetail) ? weatherOfLatest(meaning) : meaning;
}

const PLACE = { city: 'city', region: 'stateOrProvinceCode', country: 'countryCode', postalCode: 'postalCode' };

/** The end of the window, else the estimate among the dates; a local midnight is the date alone. */
function readEstimate({ estimatedDeliveryTimeWindow, dateAndTimes }: JsonObject): ParcelReport['estimate'] {
  if (isObject(estimatedDeliveryTimeWindow) && isObject(estimatedDeliveryTimeWindow.window)) {
    const ends = estimateOf(estimatedDeliveryTimeWindow.window.ends);
    if (ends !== null) return ends;
  }
  if (!Array.isArray(dateAndTimes)) return null;
  for (const each of dateAndTimes) {
    const estimate = isObject(each) && each.type === 'ESTIMATED_DELIVERY' ? estimateOf(each.dateTime) : null;
    if (estimate !== null) return estimate;
  }
  return null;
}

function estimateOf(value: unknown): ParcelReport['estimate'] {
  const read = isoTimeOrMidnightDate(value);
  return read !== null && 'on' in read.time ? { on: read.time.on } : isoEstimate(value);
}
