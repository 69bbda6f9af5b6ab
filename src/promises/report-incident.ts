import type { Person } from '../awards/agent-limits.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError, assert } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import type { Ticket } from '../queue/ticket.js';
import { loadCustomerOfOrder } from './contact-store.js';
import { insertReport, loadReport } from './report-store.js';

/** A service that was measured and found poor. */
export interface IncidentReport {
  readonly orderId: string;
  /** What was poor: `poor_playback`. */
  readonly kind: string;
  /** Of what, as the customer knows it. */
  readonly title: string | null;
  /** What was measured. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** null: just now. */
  readonly at: Date | null;
}

export interface ReportedIncident {
  readonly id: string;
  readonly orderId: string;
  readonly incident: 'service';
  readonly kind: string;
  readonly title: string | null;
  readonly at: Date;
  /** The order had a report of this kind before, which stands; this one was not stored. */
  readonly known: boolean;
}

/** How far the clock of whoever tells us may be ahead. More, and the time is a mistake of theirs. */
const AHEAD_MS = 5 * 60_000;

/**
 * Notes that a service was poor, once for each order and kind, in the caller's transaction, and has the order judged: at once
 * where a person says so, as its turn comes where a system does.
 * @returns what was noted, and the tickets to announce after COMMIT
 * @throws AppError `not_found`; `invalid_request` for a time to come
 */
export async function reportIncident(
  deps: Pick<Deps, 'clock'>,
  sql: Sql,
  person: Person,
  { orderId, kind, title, evidence, at: said }: IncidentReport,
): Promise<{ noted: ReportedIncident; tickets: Ticket[] }> {
  const now = await readNow(sql, deps.clock);
  if (said !== null && said.getTime() > now.getTime() + AHEAD_MS) {
    throw new AppError('invalid_request', 'The incident cannot be noted: at lies in the future.', {
      errors: [{ field: 'at', message: 'lies in the future' }],
    });
  }
  // Nothing counts before it is known: a clock that is a little ahead would hide it from the judgement that it causes.
  const at = new Date(Math.min(said?.getTime() ?? now.getTime(), now.getTime()));
  if ((await loadCustomerOfOrder(sql, orderId)) === null)
    throw new AppError('not_found', 'There is no order with this id.');
  const id = newId();
  const isNew = await insertReport(sql, {
    id,
    orderId,
    kind,
    title,
    evidence,
    at,
    recordedAt: now,
    recordedBy: person.actor,
  });
  const common = { orderId, incident: 'service', kind } as const;
  if (!isNew) {
    const standing = await loadReport(sql, orderId, kind);
    assert(standing, 'a report that is there can be read');
    return { noted: { ...common, ...standing, known: true }, tickets: [] };
  }
  const trace = newId();
  await recordAudit(sql, {
    at: now,
    actor: person.actor,
    action: 'incident.report',
    subject: id,
    reason: null,
    details: { orderId, kind, trace },
  });
  const trigger = person.role === 'ingest' ? 'report' : 'contact';
  const tickets = await issueTickets(sql, { stage: 'judge-promises', ids: [orderId], trigger, trace });
  return { noted: { ...common, id, title, at, known: false }, tickets };
}
