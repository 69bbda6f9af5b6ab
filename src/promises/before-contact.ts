import type { ContactReason } from '../compensation/decision-input.js';
import type { AwardIncident } from '../compensation/incident.js';

/** Whether an award came before its customer got in touch, and by how long. */
export interface BeforeContact {
  /** The contact that it is measured against; null: there is none so far. */
  readonly firstContactAt: Date | null;
  /** null: not decided yet, because it was not applied and nobody has complained. */
  readonly cameFirst: boolean | null;
  /** Whole minutes from the award to the contact: positive when it was ahead, negative when it came after. Null without both. */
  readonly minutes: number | null;
}

/**
 * The contacts that an award is measured against: those that name its order, whenever they were, and those of its customer
 * that name none, since the order was registered. `other` is left out: a question about an invoice, or a change of address
 * an hour after ordering, is no complaint, and if it counted hardly any award could come first.
 */
export const COMPLAINTS = ['late', 'not_received', 'damaged'] as const satisfies ContactReason[];

/**
 * Measures one award by "before the customer complains". It was there when it was applied, not when it was decided: what
 * waits for a person helps nobody. A complaint at the very instant was not forestalled. Who gets something without ever
 * complaining got it first.
 *
 * What was given by hand never came first: a person gave it, mostly with the customer on the telephone, and that nobody noted
 * the contact proves nothing. For an incident that the customer's own word opened no rule is needed: its contact is
 * earlier than the award that it led to.
 *
 * A pure function; before-contact-store.ts says the same in SQL, for sums over a period.
 */
export function beforeContact({
  incident,
  appliedAt,
  firstContactAt,
}: {
  /** `manual`: given by hand. What a rule found and a person named the amount of is not. */
  readonly incident: AwardIncident;
  readonly appliedAt: Date | null;
  /** The first of the contacts that count. */
  readonly firstContactAt: Date | null;
}): BeforeContact {
  const ahead = appliedAt === null || firstContactAt === null ? null : firstContactAt.getTime() - appliedAt.getTime();
  const minutes = ahead === null ? null : wholeMinutes(ahead);
  // Ahead of a contact, and yet not first: how far says nothing.
  if (incident === 'manual')
    return { firstContactAt, cameFirst: false, minutes: ahead !== null && ahead > 0 ? null : minutes };
  if (firstContactAt === null) return { firstContactAt, cameFirst: appliedAt === null ? null : true, minutes: null };
  return { firstContactAt, cameFirst: ahead !== null && ahead > 0, minutes };
}

/** Towards nothing: 59 seconds ahead are 0 minutes, as are 59 seconds late. */
function wholeMinutes(ms: number): number {
  return Math.trunc(ms / 60_000) || 0;
}
