import type { Meaning } from '../adapter.js';
import { lookUpIn, WEATHER } from '../meanings.js';

const PRE_TRANSIT: Meaning = { status: 'pre_transit', exception: null };
const IN_TRANSIT: Meaning = { status: 'in_transit', exception: null };
const OUT_FOR_DELIVERY: Meaning = { status: 'out_for_delivery', exception: null };
const ATTEMPTED: Meaning = { status: 'attempted', exception: null };
const DELIVERED: Meaning = { status: 'delivered', exception: null };
const RETURN: Meaning = { status: 'return_to_sender', exception: null };
const ALERT: Meaning = { status: 'exception', exception: 'other' };
const ADDRESS: Meaning = { status: 'exception', exception: 'address' };

/** `eventCode`, the documented ones. USPS has many more; of those, the text is read. */
export const CODES: Readonly<Record<string, Meaning>> = {
  '01': DELIVERED,
  '03': IN_TRANSIT,
  '07': IN_TRANSIT,
  '10': IN_TRANSIT,
  A1: IN_TRANSIT,
  GX: PRE_TRANSIT,
  OF: OUT_FOR_DELIVERY,
  SF: IN_TRANSIT,
  T1: IN_TRANSIT,
  TL: IN_TRANSIT,
};

/** `statusCategory`, all values. */
export const CATEGORIES: Readonly<Record<string, Meaning>> = {
  'Pre-Shipment': PRE_TRANSIT,
  Accepted: IN_TRANSIT,
  'In Transit': IN_TRANSIT,
  'Out for Delivery': OUT_FOR_DELIVERY,
  Delivered: DELIVERED,
  'Available for Pickup': { status: 'available_for_pickup', exception: null },
  'Delivery Attempt': ATTEMPTED,
  Alert: ALERT,
};

/**
 * `eventType` and `status` in lower case: the whole text, or what stands before its first comma or bracket (`Delivered,
 * Parcel Locker`). The categories besides, which occur as texts too.
 */
export const TEXTS: Readonly<Record<string, Meaning>> = {
  ...Object.fromEntries(Object.entries(CATEGORIES).map(([word, meaning]) => [word.toLowerCase(), meaning])),
  'shipping label created': PRE_TRANSIT,
  'label created': PRE_TRANSIT,
  'pre-shipment info sent to usps': PRE_TRANSIT,
  'usps awaiting item': PRE_TRANSIT,
  'usps in possession of item': IN_TRANSIT,
  'usps picked up item': IN_TRANSIT,
  'accepted at usps origin facility': IN_TRANSIT,
  'accepted at usps regional origin facility': IN_TRANSIT,
  'accepted at usps destination facility': IN_TRANSIT,
  'arrived at post office': IN_TRANSIT,
  'arrived at military post office': IN_TRANSIT,
  'arrived at usps facility': IN_TRANSIT,
  'arrived at usps regional facility': IN_TRANSIT,
  'arrived at usps regional origin facility': IN_TRANSIT,
  'arrived at usps regional destination facility': IN_TRANSIT,
  'departed post office': IN_TRANSIT,
  'departed usps facility': IN_TRANSIT,
  'departed usps regional facility': IN_TRANSIT,
  'departed usps regional origin facility': IN_TRANSIT,
  'departed usps regional destination facility': IN_TRANSIT,
  'in transit to next facility': IN_TRANSIT,
  'moving through network': IN_TRANSIT,
  'processed through usps facility': IN_TRANSIT,
  'processed through usps regional facility': IN_TRANSIT,
  'sorting complete': IN_TRANSIT,
  forwarded: IN_TRANSIT,
  'return to sender': RETURN,
  'return to sender processed': RETURN,
  'returned to sender': RETURN,
  'unclaimed/being returned to sender': RETURN,
  unclaimed: { status: 'exception', exception: 'unclaimed' },
  refused: { status: 'exception', exception: 'refused' },
  'held at post office': { status: 'exception', exception: 'held' },
  'held at post office, at customer request': { status: 'exception', exception: 'customer_request' },
  'held in customs': { status: 'exception', exception: 'customs' },
  'addressee unknown': ADDRESS,
  'forward expired': ADDRESS,
  'insufficient address': ADDRESS,
  'moved, left no address': ADDRESS,
  'no such number': ADDRESS,
  'undeliverable as addressed': ADDRESS,
  vacant: ADDRESS,
  missent: { status: 'exception', exception: 'misrouted' },
  'disposed by post office': { status: 'exception', exception: 'disposed' },
  'delivery exception': ALERT,
  'processing exception': ALERT,
};

const meaningOfCode = lookUpIn(CODES);
const meaningOfCategory = lookUpIn(CATEGORIES);
const meaningOfText = lookUpIn(TEXTS);

interface Words {
  readonly code: string | null;
  readonly text: string | null;
}

/**
 * The meaning of a scan's words; null where they name no status that we know. The code goes before the text, except that
 * what was delivered to the original sender came back: USPS gives that the code of any delivery.
 */
export function meaningOf({ code, text }: Words): Meaning | null {
  const coded = code === null ? undefined : meaningOfCode(code);
  if (coded === undefined) return text === null ? null : readText(text);
  return coded === DELIVERED && text !== null && isBackWithSender(text.toLowerCase()) ? RETURN : coded;
}

/** The code, else the text, of a scan that has words of which none is known. */
export function unrecognisedOf({ code, text }: Words): string | null {
  if (code !== null && meaningOfCode(code) !== undefined) return null;
  return text === null || readText(text) === null ? (code ?? text) : null;
}

/**
 * What the status of the parcel as a whole means for its latest scan; null: nothing. It speaks for a scan without words: the
 * status in detail, then the category, which alone settles that something was delivered. If it is an alert, it speaks also
 * for a scan whose words are not known, because an alert is told by its text.
 * @param latest the words of that scan
 */
export function headlineOf(
  { category, status }: { readonly category: string | null; readonly status: string | null },
  latest: Words,
): Meaning | null {
  const coarse = category === null ? undefined : (meaningOfCategory(category) ?? readText(category) ?? undefined);
  const detailed = status === null ? null : readText(status);
  const isAlert = coarse === ALERT || (coarse === undefined && detailed === ALERT);
  if (!isAlert) {
    if (latest.code !== null || latest.text !== null) return null;
    const isDelivered = coarse === DELIVERED && !isBackWithSender(status?.toLowerCase() ?? '');
    return isDelivered ? DELIVERED : (detailed ?? coarse ?? null);
  }
  for (const text of [latest.text, status]) {
    if (text === null) continue;
    const said = readText(text);
    if (said !== null && said !== ALERT) return said;
    if (text.toLowerCase().includes('return')) return RETURN;
  }
  return ALERT;
}

/** Null for a text that says nothing to us. Of trouble of no kind, and of what no row has, single words are the last resort. */
function readText(text: string): Meaning | null {
  const lower = text.toLowerCase();
  if (lower.startsWith('delivered')) return isBackWithSender(lower) ? RETURN : DELIVERED;
  const row = meaningOfText(lower) ?? meaningOfText(beginningOf(lower));
  if (row !== undefined && row !== ALERT) return row.status === 'exception' && lower.includes('return') ? RETURN : row;
  if (ATTEMPT_WORDS.some((words) => lower.includes(words))) return ATTEMPTED;
  if (lower.includes('weather')) return WEATHER;
  const isAlert = row === ALERT || lower.startsWith('alert');
  return isAlert ? (lower.includes('return') ? RETURN : ALERT) : null;
}

/** `Delivered, To Original Sender`. */
function isBackWithSender(lower: string): boolean {
  return lower.includes('original sender');
}

const ATTEMPT_WORDS = ['attempt', 'notice left', 'not available'];
const COMMA = 0x2c;
const BRACKET = 0x28;

/** Up to the first comma or bracket. */
function beginningOf(text: string): string {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === COMMA || code === BRACKET) return text.slice(0, index).trimEnd();
  }
  return text.trimEnd();
}
