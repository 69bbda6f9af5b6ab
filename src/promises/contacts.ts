import type { Person } from '../awards/agent-limits.js';
import type { ContactReason } from '../compensation/decision-input.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { localFormat } from '../local-format.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { insertContact, loadCustomerOfOrder, loadOnlyOrder, loadToSay, type ToSay } from './contact-store.js';
import { openCase } from './task-store.js';

/** The customer got in touch. */
export interface Contact {
  readonly orderId?: string | undefined;
  readonly customerId?: string | undefined;
  readonly channel: string;
  readonly reason: ContactReason;
  /** null: just now. */
  readonly at: Date | null;
  readonly note: string | null;
}

export interface ContactAnswer {
  readonly id: string;
  readonly customerId: string;
  readonly orderId: string | null;
  readonly reason: ContactReason;
  readonly at: Date;
  /** The case that was opened for it, or was open already; null: none. */
  readonly taskId: string | null;
  /** What can be told the customer, as it stands in the record; null without an order. */
  readonly answer: string | null;
}

/** How far the clock of whoever tells us may be ahead. More, and the time is a mistake of theirs. */
const AHEAD_MS = 5 * 60_000;
/** A case is looked at within a day. */
const CASE_MS = 24 * 3_600_000;

/**
 * Notes that a customer got in touch, in the caller's transaction. What is said not to have come, or to have come broken, is
 * judged at once and opens a case for a person, one for each order and reason; a case that was closed opens again.
 * A customer without an order in the message is understood where there is only one order.
 * @returns what was noted, and the tickets to announce after COMMIT
 * @throws AppError `not_found`, `invalid_request` for a time to come or a customer that is not the order's
 */
export async function recordContact(
  deps: Pick<Deps, 'clock'>,
  sql: Sql,
  person: Person,
  contact: Contact,
): Promise<{ noted: ContactAnswer; tickets: Ticket[] }> {
  const now = await readNow(sql, deps.clock);
  const said = contact.at ?? now;
  if (said.getTime() > now.getTime() + AHEAD_MS) throw invalid('at', 'lies in the future');
  // Nothing counts before it is known: a clock that is a little ahead would hide it from the judgement that it causes.
  const at = new Date(Math.min(said.getTime(), now.getTime()));
  const { customerId, orderId } = await whose(sql, contact);
  const { channel, reason, note } = contact;
  const id = newId();
  await insertContact(sql, { id, customerId, orderId, channel, reason, at, recordedAt: now, recordedBy: person.actor });

  const opensCase = orderId !== null && (reason === 'not_received' || reason === 'damaged');
  const happened = reason === 'damaged' ? 'arrived damaged' : 'was not received';
  const taskId = opensCase
    ? await openCase(sql, {
        orderId,
        customerId,
        incident: reason,
        rule: `contact-${reason.replace('_', '-')}`,
        at,
        now,
        dueAt: new Date(now.getTime() + CASE_MS),
        talkingPoints: [`The customer says that order ${orderId} ${happened} (${channel}).`],
      })
    : null;
  const trace = newId();
  await recordAudit(sql, {
    at: now,
    actor: person.actor,
    action: 'contact.record',
    subject: id,
    reason: note,
    details: { orderId, customerId, channel, reason, taskId, trace },
  });
  const tickets = opensCase
    ? await issueTickets(sql, { stage: 'judge-promises', ids: [orderId], trigger: 'contact', trace })
    : [];
  const toSay = orderId === null ? null : await loadToSay(sql, orderId);
  const noted = { id, customerId, orderId, reason, at, taskId, answer: toSay && answerOf(toSay, now) };
  return { noted, tickets };
}

async function whose(
  sql: Sql,
  { orderId, customerId }: Contact,
): Promise<{ customerId: string; orderId: string | null }> {
  if (orderId !== undefined) {
    const found = await loadCustomerOfOrder(sql, orderId);
    if (found === null) throw new AppError('not_found', 'There is no order with this id.');
    if (customerId !== undefined && customerId !== found)
      throw invalid('customerId', 'is not the customer of the order');
    return { customerId: found, orderId };
  }
  if (customerId === undefined) throw invalid('orderId', 'name the order, or the customer');
  const only = await loadOnlyOrder(sql, customerId);
  if (only === null) throw new AppError('not_found', 'There is no customer with this id.');
  return { customerId, orderId: only.orderId };
}

/** The customer's wording of the current answer; before there is one, the promise alone. */
function answerOf({ promiseOn, promiseAt, timeZone, verdict, wording, locale }: ToSay, now: Date): string {
  if (wording.length > 0) return wording.join(' ');
  const format = localFormat({ locale, timeZone, asOf: now });
  const promised =
    promiseOn !== null
      ? format.day(promiseOn)
      : promiseAt === null
        ? null
        : `${format.day(format.dayOf(promiseAt))}, ${format.time(promiseAt)}`;
  const open = verdict === null || verdict === 'pending';
  const rest = open ? 'We are looking at what the carrier tells us.' : 'Nothing was given for it so far.';
  return promised === null ? rest : `We promised this order for ${promised}. ${rest}`;
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', `The contact cannot be noted: ${field} ${message}.`, {
    errors: [{ field, message }],
  });
}
