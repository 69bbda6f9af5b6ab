import type { Person } from '../awards/agent-limits.js';
import { holdKey } from '../awards/hold-key.js';
import { clearAlarm } from '../compensation/alarm-store.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { nextCallAt } from './call-time.js';
import {
  holdAssignee,
  loadZoneOfOrder,
  lockTask,
  saveAssignee,
  saveOutcome,
  savePostponed,
  type Task,
} from './task-store.js';

/** The next try comes so much later at the least. Sooner, and whoever could not be reached is rung again and again. */
const LEAST_WAIT_MS = 3_600_000;
/** And so much at the most. Later, and what a task was about is forgotten by the customer before it is done. */
const MOST_WAIT_DAYS = 14;
const DAY_MS = 86_400_000;

/**
 * Notes what came of a task. It is done once: of two who do it at once the second hears so.
 * @throws AppError `not_found`, `already_decided`
 */
export async function completeTask(
  deps: Pick<Deps, 'db' | 'clock'>,
  id: string,
  person: Person,
  { outcome, note }: { readonly outcome: string; readonly note: string | null },
): Promise<Task> {
  return deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: false });
    const task = await lockOpenTask(sql, id);
    const at = await readNow(sql, deps.clock);
    await saveOutcome(sql, id, { outcome, note, at, by: person.actor });
    await clearAlarm(sql, { kind: 'task_overdue', subject: id, at });
    await recordAct(sql, 'complete', { task, person, at, details: { outcome } });
    return { ...task, status: 'done', outcome, note, completedAt: at, completedBy: person.actor };
  });
}

/**
 * Gives a task to somebody, or back to all. Whoever names nobody takes it for themselves, if it is free: of two who do so at
 * once the second hears that it is taken. An agent takes what is free and gives back what is theirs; only a supervisor gives
 * to others and takes from them, and does so by naming whom it goes to. What is so already stays so, and is no act.
 * @param assignee id of a key; null: nobody; undefined: whoever asks
 * @throws AppError `not_found`, `already_decided` when it is done or somebody has it, `forbidden`, `invalid_request` for a key
 *   that is not an active one of a person
 */
export async function assignTask(
  deps: Pick<Deps, 'db' | 'clock'>,
  id: string,
  person: Person,
  assignee: string | null | undefined,
): Promise<Task> {
  const leads = person.role !== 'agent';
  const to = assignee === undefined ? person.keyId : assignee;
  if (!leads && to !== null && to !== person.keyId) throw forbidden('gives a task to somebody else');
  return deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: false });
    const name = to === null ? null : await holdAssignee(sql, to);
    if (to !== null && name === null) throw invalid('assignee', 'is no active key of an agent, supervisor or admin');
    const task = await lockOpenTask(sql, id);
    const from = task.assigneeKeyId;
    if (from === to) return task;
    if (from !== null && from !== person.keyId) {
      if (to === null && !leads) throw forbidden('takes a task from somebody else');
      if (to !== null && !(leads && assignee !== undefined)) {
        throw new AppError('already_decided', `${task.assignee} has taken this task.`);
      }
    }
    const at = await readNow(sql, deps.clock);
    await saveAssignee(sql, id, to, at);
    await recordAct(sql, 'assign', { task, person, at, details: { from, to } });
    return { ...task, assigneeKeyId: to, assignee: name };
  });
}

/**
 * Notes that nobody was reached, and when the next try is due: an hour later or, when that is later, at `notBefore`; a call in the
 * customer's hours after that. What it was overdue for is over.
 * @param options.note for whoever tries next; without one the last stays
 * @throws AppError `not_found`, `already_decided` when it is done, `invalid_request` for more than 14 days ahead
 */
export async function postponeTask(
  deps: Pick<Deps, 'db' | 'clock' | 'policies'>,
  id: string,
  person: Person,
  { note, notBefore }: { readonly note: string | null; readonly notBefore: Date | null },
): Promise<Task> {
  return deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: false });
    const task = await lockOpenTask(sql, id);
    const at = await readNow(sql, deps.clock);
    const earliest = new Date(Math.max(at.getTime() + LEAST_WAIT_MS, notBefore?.getTime() ?? 0));
    const { dueAt, timeZone } = await nextTry(deps, sql, task, earliest);
    if (dueAt.getTime() > at.getTime() + MOST_WAIT_DAYS * DAY_MS) {
      throw invalid(
        'notBefore',
        `makes it due at ${dueAt.toISOString()}, which is more than ${MOST_WAIT_DAYS} days ahead`,
      );
    }
    const next = { dueAt, timeZone, note: note ?? task.note };
    await savePostponed(sql, id, next);
    await clearAlarm(sql, { kind: 'task_overdue', subject: id, at });
    const tries = task.tries + 1;
    await recordAct(sql, 'postpone', {
      task,
      person,
      at,
      reason: note,
      details: { tries, from: task.dueAt, to: dueAt },
    });
    return { ...task, ...next, tries, escalatedAt: null };
  });
}

/** Whether a task should have been done by now. */
export function isOverdue({ status, dueAt }: Pick<Task, 'status' | 'dueAt'>, now: Date): boolean {
  return status === 'open' && dueAt !== null && dueAt <= now;
}

/** A case can be looked at whenever somebody is there; a call has to find the customer awake. */
async function nextTry(
  deps: Pick<Deps, 'policies'>,
  sql: Sql,
  { kind, orderId, timeZone: known }: Task,
  earliest: Date,
): Promise<{ dueAt: Date; timeZone: string | null }> {
  if (kind !== 'call') return { dueAt: earliest, timeZone: known };
  const timeZone = known ?? (await loadZoneOfOrder(sql, orderId));
  const { policy } = await deps.policies.active(sql);
  return { dueAt: nextCallAt(earliest, timeZone, policy.calls), timeZone };
}

async function lockOpenTask(sql: Sql, id: string): Promise<Task> {
  const task = await lockTask(sql, id);
  if (!task) throw new AppError('not_found', 'There is no task with this id.');
  if (task.status === 'done') throw new AppError('already_decided', 'This task is done already.');
  return task;
}

async function recordAct(
  sql: Sql,
  act: 'complete' | 'assign' | 'postpone',
  one: {
    readonly task: Task;
    readonly person: Person;
    readonly at: Date;
    readonly reason?: string | null;
    readonly details: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const { orderId, kind, rule } = one.task;
  await recordAudit(sql, {
    at: one.at,
    actor: one.person.actor,
    action: `task.${act}`,
    subject: one.task.id,
    reason: one.reason ?? null,
    details: { orderId, kind, rule, ...one.details, keyId: one.person.keyId },
  });
}

function forbidden(act: string): AppError {
  return new AppError('forbidden', `Only a supervisor or an admin ${act}.`);
}

function invalid(field: string, message: string): AppError {
  return new AppError('invalid_request', `This cannot be done with the task: ${field} ${message}.`, {
    errors: [{ field, message }],
  });
}
