import type { Person } from '../awards/agent-limits.js';
import type { ContactReason } from '../compensation/decision-input.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { caseEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { casePoints } from './case-points.js';
import { contactAnswer } from './contact-answer.js';
import { insertContact, loadCustomerOfOrder, loadOnlyOrder, loadOrderRecord } from './contact-store.js';
import { LOOKS_BACK_DAYS } from './talking-points.js';
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
  /** What can be told the customer now; null without an order. */
  readonly answer: string | null;
}

/** How far the clock of whoever tells us may be ahead. More, and the time is a mistake of theirs. */
const AHEAD_MS = 5 * 60_000;
const DAY_MS = 86_400_000;
/** A case is looked at within a day. */
const CASE_MS = DAY_MS;

/**
 * Notes that a customer got in touch, in the caller's transaction. What is said not to have come, or to have come broken, is
 * judged at once and opens a case for a person, one for each order and reason; a case that was closed opens again.
 * A customer without an order in the message is understood where there is only one order.
 * @returns what was noted, and the tickets to announce after COMMIT
 * @throws AppError `not_found`, also for an order of another customer; `invalid_request` for a time to come
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

  const since = new Date(now.getTime() - LOOKS_BACK_DAYS * DAY_MS);
  const record = orderId === null ? null : await loadOrderRecord(sql, orderId, { contactId: id, since, now });
  const opensCase = record !== null && (reason === 'not_received' || reason === 'damaged');
  const dueAt = new Date(now.getTime() + CASE_MS);
  const rule = `contact-${reason.replace('_', '-')}`;
  const task = opensCase
    ? await openCase(sql, {
        orderId: record.orderId,
        customerId,
        incident: reason,
        rule,
        at,
        now,
        dueAt,
        talkingPoints: casePoints({ record, contact: { reason, channel, at }, now }),
      })
    : null;
  const taskId = task?.id ?? null;
  if (task?.isNew && record) {
    const { orderId: ofOrder } = record;
    const opened = { taskId: task.id, orderId: ofOrder, customerId, incident: reason, rule, dueAt, at: now };
    await recordEvents(sql, [caseEvent(opened)]);
  }
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
    ? await issueTickets(sql, { stage: 'judge-promises', ids: [record.orderId], trigger: 'contact', trace })
    : [];
  const answer = record && contactAnswer(record, { reason, now });
  const noted = { id, customerId, orderId, reason, at, taskId, answer };
  return { noted, tickets };
}

async function whose(
  sql: Sql,
  { orderId, customerId }: Contact,
): Promise<{ customerId: string; orderId: string | null }> {
  if (orderId !== undefined) {
    const found = await loadCustomerOfOrder(sql, orderId);
    // Whose order it is, nobody learns by guessing: that of another customer is answered as one that is not there.
    if (found === null || (customerId !== undefined && customerId !== found))
      throw new AppError('not_found', 'There is no order with this id.');
    return { customerId: found, orderId };
  }
  if (customerId === undefined) throw invalid('orderId', 'name the order, or the customer');
  const only = await loadOnlyOrder(sql, customerId);
  if (only === null) throw new AppError('not_found', 'There is no customer with this id.');
  return { customerId, orderId: only.orderId };
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', `The contact cannot be noted: ${field} ${message}.`, {
    errors: [{ field, message }],
  });
}
