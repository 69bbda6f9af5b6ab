import { daysBetween } from '../calendar.js';
import type { Policy } from './policy.js';

/** Something that is allowed, and that whoever keeps the policy should look at. */
export interface PolicyWarning {
  readonly path: string;
  readonly message: string;
}

/** After so long a fact is hearsay: carriers change their terms every year. */
const STALE_AFTER_DAYS = 730;

/** Facts that are over, or that nobody has looked up for two years. @param today a calendar date */
export function policyWarnings({ facts }: Pick<Policy, 'facts'>, today: string): PolicyWarning[] {
  return facts.flatMap(({ id, validTo, seenOn }, place) => [
    ...(validTo !== null && validTo < today
      ? [
          {
            path: `facts[${place}].validTo`,
            message: `the fact ${id} ended on ${validTo}: name the next one, or drop it`,
          },
        ]
      : []),
    ...(daysBetween(seenOn, today) > STALE_AFTER_DAYS
      ? [{ path: `facts[${place}].seenOn`, message: `the fact ${id} was last looked up on ${seenOn}: look again` }]
      : []),
  ]);
}
