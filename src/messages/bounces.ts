import { recordAudit } from '../db/audit-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { isAddressDead, readDeliveryReport } from './bounce.js';
import { saveBounce, saveDelivery } from './bounce-store.js';
import { settleLetterAlarms } from './letter-alarms-store.js';
import { addSuppression } from './suppression-store.js';

/** What a report came to. */
export interface BounceOutcome {
  /** `bounced`: the letter came back. `delivered`: a letter that was unknown has arrived. `ignored`: it says nothing final, or of no letter of ours. */
  readonly outcome: 'bounced' | 'delivered' | 'ignored';
  /** The letter; null: none of ours. */
  readonly messageId: string | null;
  /** The address is on the list of those that nothing is sent to. */
  readonly suppressed: boolean;
}

/**
 * Takes in what a mail server sent back about a letter. Only what names a letter of ours by its Message-ID, which nobody but its
 * recipient and the servers on the way knows, and its recipient, changes anything. The same report twice changes nothing more.
 * @param source the report, a mail as it came
 * @throws AppError `invalid_request` when it is no such report
 */
export async function recordBounce(
  deps: Pick<Deps, 'config' | 'db' | 'clock'>,
  source: Uint8Array,
  actor: string,
): Promise<BounceOutcome> {
  const report = await readDeliveryReport(source);
  if (report === null) {
    throw new AppError(
      'invalid_request',
      'This is no report about a mail that was not delivered: it has no part of type message/delivery-status.',
    );
  }
  const { messageId } = report;
  if (messageId === null) return { outcome: 'ignored', messageId, suppressed: false };
  return deps.db.transaction(async (sql) => {
    const now = await readNow(sql, deps.clock);
    for (const { address, action, status, diagnostic } of report.recipients) {
      if (action === 'delivered' && (await saveDelivery(sql, { messageId, address, now }))) {
        await settleLetterAlarms(sql, deps.config, now);
        return { outcome: 'delivered', messageId, suppressed: false };
      }
      if (action !== 'failed') continue;
      const said = [status, diagnostic].filter((part) => part !== null).join(' ');
      const letter = await saveBounce(sql, {
        messageId,
        address,
        response: `came back: ${said || 'without a reason'}`,
      });
      if (letter === null) continue;
      const dead = isAddressDead(null, status ?? diagnostic ?? '');
      if (dead) {
        const entry = {
          address,
          scope: 'all',
          reason: 'bounced',
          detail: said,
          createdAt: now,
          createdBy: actor,
        } as const;
        await addSuppression(sql, entry);
      }
      await settleLetterAlarms(sql, deps.config, now);
      await recordAudit(sql, {
        at: now,
        actor,
        action: 'letter.bounce',
        subject: letter.id,
        reason: null,
        details: { orderId: letter.orderId, status, suppressed: dead },
      });
      return { outcome: 'bounced', messageId, suppressed: dead };
    }
    return { outcome: 'ignored', messageId, suppressed: false };
  });
}
