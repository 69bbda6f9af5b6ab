import { type NewAlarm, raiseAlarms } from '../compensation/alarm-store.js';
import { recordAudits } from '../db/audit-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { type EscalatedTask, escalateTasks } from './task-store.js';

/**
 * A call is overdue for so long before anybody else hears of it. It is due when the customer's hours begin or soon after:
 * shorter, and each morning is full of alarms; longer, and the hours are over before somebody steps in.
 */
const CALL_GRACE_MS = 4 * 3_600_000;
/** Cases have none: they are due a day after the customer got in touch, and that day is the grace. */
const CASE_GRACE_MS = 0;
/** Tasks of one transaction, each with a line of the audit: fewer, and a flood takes long; more, and others wait for the audit. */
const BATCH = 200;

/**
 * watch-tasks: sees that nothing that a person was to do is forgotten: marks what is overdue for too long as escalated and raises
 * an alarm for it, which stands until the task is done or put off.
 * Reads:    tasks
 * Writes:   tasks, alarms, audit   one transaction a batch
 * Twice:    a task that is escalated is not found again; two at once skip what the other holds.
 * If lost:  the next run finds the same.
 * @returns how many were escalated
 */
export async function watchTasks(deps: Pick<Deps, 'db' | 'clock' | 'log'>): Promise<number> {
  let escalated = 0;
  for (;;) {
    const taken = await deps.db.transaction(async (sql) => {
      const at = await readNow(sql, deps.clock);
      const before = (graceMs: number) => new Date(at.getTime() - graceMs);
      const due = { calls: before(CALL_GRACE_MS), others: before(CASE_GRACE_MS) };
      const tasks = await escalateTasks(sql, due, at, BATCH);
      await raiseAlarms(
        sql,
        tasks.map((task) => alarmOf(task, at)),
      );
      await recordAudits(
        sql,
        tasks.map(({ id, orderId, kind, rule, dueAt, assigneeKeyId }) => ({
          at,
          actor: 'makegood',
          action: 'task.escalate',
          subject: id,
          reason: null,
          details: { orderId, kind, rule, dueAt, assigneeKeyId },
        })),
      );
      return tasks.length;
    });
    escalated += taken;
    if (taken < BATCH) break;
  }
  if (escalated > 0) deps.log.warn({ tasks: escalated }, 'watch-tasks: tasks are overdue');
  return escalated;
}

function alarmOf({ id, kind, orderId, rule, dueAt, assigneeKeyId }: EscalatedTask, at: Date): NewAlarm {
  const message = `The ${kind} for order ${orderId} (${rule}) was due at ${dueAt.toISOString()} and is not done.`;
  const details = { task: id, order: orderId, kind, rule, dueAt, assigneeKeyId };
  return { kind: 'task_overdue', subject: id, message, details, at };
}
