import { isTimeZone, localDateOf } from './calendar.js';
import { formatMoney, type Money } from './money.js';

/**
 * Days, times and money as one customer reads them: in the customer's locale, in the zone of the destination.
 * Days are handled as calendar days (`2026-11-05`), so that no day can slip by one between two zones.
 */
export interface LocalFormat {
  /** The tag in use: the customer's own, reduced to language, script and region, or `en-US`. */
  readonly locale: string;
  /** The local calendar day of an instant, by the same rule as the verdict's days. */
  dayOf(at: Date): string;
  /** `November 5`, for subjects. */
  shortDay(on: string): string;
  /** `Thursday, November 5`; with its year when that is not the year of `asOf`. */
  day(on: string): string;
  /** `Thursday, November 5, 2026`. */
  fullDay(on: string): string;
  /** `6:00 PM EST`: never without its zone, the customer may be somewhere else. */
  time(at: Date): string;
  money(amount: Money): string;
  number(value: number): string;
}

const FALLBACK_LOCALE = 'en-US';
const FALLBACK_ZONE = 'UTC';

/** `asOf` decides which year goes without saying. An unusable locale or zone falls back (en-US, UTC); nothing throws. */
export function localFormat(wanted: { locale: string | null; timeZone: string; asOf: Date }): LocalFormat {
  const locale = usableLocale(wanted.locale);
  const timeZone = isTimeZone(wanted.timeZone) ? wanted.timeZone : FALLBACK_ZONE;
  const dayOf = (at: Date) => localDateOf(at, timeZone);
  const sayDay = (on: string, also: Intl.DateTimeFormatOptions) =>
    formatter(locale, { timeZone: 'UTC', day: 'numeric', month: 'long', ...also }).format(new Date(`${on}T12:00:00Z`));
  const thisYear = dayOf(wanted.asOf).slice(0, 4);
  return {
    locale,
    dayOf,
    shortDay: (on) => sayDay(on, {}),
    day: (on) => sayDay(on, { weekday: 'long', ...(on.slice(0, 4) === thisYear ? {} : { year: 'numeric' }) }),
    fullDay: (on) => sayDay(on, { weekday: 'long', year: 'numeric' }),
    time: (at) => formatter(locale, { timeZone, hour: 'numeric', minute: '2-digit', timeZoneName: 'short' }).format(at),
    money: (amount) => formatMoney(amount, locale),
    number: (value) => numberFormatter(locale).format(value),
  };
}

/**
 * Only language, script and region are kept: extensions could ask for another calendar, and they would make the number
 * of cached formatters unbounded. A tag that this runtime has no data for must not fall to the server's own locale.
 */
function usableLocale(locale: string | null): string {
  if (locale === null) return FALLBACK_LOCALE;
  const known = usable.get(locale);
  if (known !== undefined) return known;
  // Shops write them as they like, and whoever sends orders could send a new one each time.
  if (usable.size >= MOST_LOCALES) usable.clear();
  const found = findUsable(locale);
  usable.set(locale, found);
  return found;
}

const usable = new Map<string, string>();
const MOST_LOCALES = 1_000;

function findUsable(locale: string): string {
  try {
    const { language, script, region } = new Intl.Locale(locale.replaceAll('_', '-'));
    const tag = [language, script, region].filter((part) => part !== undefined).join('-');
    return Intl.DateTimeFormat.supportedLocalesOf(tag).length > 0 ? tag : FALLBACK_LOCALE;
  } catch {
    return FALLBACK_LOCALE;
  }
}

/** Making a formatter costs a hundred times what using it does, and letters come in thousands. */
const formatters = new Map<string, Intl.DateTimeFormat>();
const numberFormatters = new Map<string, Intl.NumberFormat>();

function numberFormatter(locale: string): Intl.NumberFormat {
  let known = numberFormatters.get(locale);
  if (known === undefined) {
    known = new Intl.NumberFormat(locale);
    numberFormatters.set(locale, known);
  }
  return known;
}

function formatter(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let known = formatters.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat(locale, options);
    formatters.set(key, known);
  }
  return known;
}
