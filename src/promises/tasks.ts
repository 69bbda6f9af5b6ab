import type { Person } from '../awards/agent-limits.js';
import { recordAudit } from '../db/audit-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { lockTask, saveOutcome, type Task } from './task-store.js';

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
    const task = await lockTask(sql, id);
    if (!task) throw new AppError('not_found', 'There is no task with this id.');
    if (task.status === 'done') throw new AppError('already_decided', 'This task is done already.');
    const at = await readNow(sql, deps.clock);
    await saveOutcome(sql, id, { outcome, note, at, by: person.actor });
    const { orderId, kind, rule } = task;
    await recordAudit(sql, {
      at,
      actor: person.actor,
      action: 'task.complete',
      subject: id,
      reason: null,
      details: { orderId, kind, rule, outcome, keyId: person.keyId },
    });
    return { ...task, status: 'done', outcome, note, completedAt: at, completedBy: person.actor };
  });
}
