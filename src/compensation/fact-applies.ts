import { localDateOf } from '../calendar.js';
import type { DecisionCase } from './decision-input.js';
import type { Fact } from './policy-settings.js';

/** Whether a dated fact speaks of a parcel, and why not. What is not known of the parcel matches no name. */
export function factApplies(fact: Fact, input: DecisionCase): { readonly applies: boolean; readonly because: string } {
  const { carrier, service, destination } = input;
  const promisedOn = promisedDateOf(input);
  const country = destination?.country?.toUpperCase();
  const told = (applies: boolean, because: string) => ({ applies, because });
  if (fact.carriers && !isNamed(carrier, fact.carriers)) return told(false, `carrier ${carrier ?? 'not known'}`);
  if (fact.services && !isNamed(service, fact.services)) return told(false, `service ${service ?? 'not known'}`);
  if (fact.countries && (country === undefined || !fact.countries.includes(country))) {
    return told(false, `destination ${country ?? 'not known'}`);
  }
  const within = fact.validFrom <= promisedOn && (fact.validTo === null || promisedOn <= fact.validTo);
  const dates = fact.validTo === null ? `from ${fact.validFrom} on` : `from ${fact.validFrom} to ${fact.validTo}`;
  return told(within, `promised for ${promisedOn}, it holds ${dates}`);
}

/** The date that was promised, at the destination. */
export function promisedDateOf({ promise }: Pick<DecisionCase, 'promise'>): string {
  return 'on' in promise ? promise.on : localDateOf(promise.at, promise.timeZone);
}

/** Whether a carrier or service is one of these, by its letters and digits alone: sources write one name in many ways. */
export function isNamed(name: string | null | undefined, names: readonly string[]): boolean {
  const key = nameKeyOf(name ?? '');
  return key !== '' && names.some((wanted) => nameKeyOf(wanted) === key);
}

/** The same key as that by which scans find their parcel: letters and digits in lower case, accents and widths folded. */
function nameKeyOf(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/[^\p{L}\p{Nd}]/gu, '')
    .toLowerCase();
}
