import { type NewAlarm, raiseAlarms } from '../compensation/alarm-store.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { expireCredits } from './expire-credits.js';
import { refusedAlarm } from './refused-alarm.js';
import { clearAlarmsOfAwards, countStuckAwards, findStuckAwards, type StuckAward } from './watch-awards-store.js';

/** Decided and not granted for so long is an alarm. */
const PENDING_ALARM_MS = 3_600_000;
/** Alarms of one run. More, and nobody reads them; the rest is counted in the log. */
const MOST_ALARMS = 1_000;

export interface WatchedAwards {
  /** Pending for more than an hour, or refused by their provider. */
  readonly stuck: number;
  readonly newAlarms: number;
  readonly clearedAlarms: number;
  /** Grants in the ledger whose time has ended. */
  readonly expired: number;
}

/**
 * watch-awards: sees that nothing that was decided is forgotten: raises an alarm for an award that has been pending for an
 * hour or that its provider has refused, clears it when that is over, and ends what has expired in the ledger.
 * Reads:    awards, provider calls, ledger lots
 * Writes:   alarms   one transaction; expiries in the ledger, one transaction a batch
 * Twice:    an alarm that is open stays the same alarm; what has expired has nothing left to expire.
 * If lost:  the next run finds the same.
 */
export async function watchAwards(deps: Pick<Deps, 'db' | 'clock' | 'config' | 'log'>): Promise<WatchedAwards> {
  const { remedyProviders } = deps.config;
  const seen = await deps.db.transaction(async (sql) => {
    const at = await readNow(sql, deps.clock);
    const before = new Date(at.getTime() - PENDING_ALARM_MS);
    const clearedAlarms = await clearAlarmsOfAwards(sql, before, at);
    const found = await findStuckAwards(sql, before, MOST_ALARMS);
    const newAlarms = await raiseAlarms(
      sql,
      found.map((award) => alarmOf(award, remedyProviders.get(award.kind) ?? null, at)),
    );
    const stuck = found.length < MOST_ALARMS ? found.length : await countStuckAwards(sql, before);
    return { stuck, newAlarms, clearedAlarms };
  });
  const { grants: expired } = await expireCredits(deps);
  const result = { ...seen, expired };
  if (seen.newAlarms > 0 || seen.stuck > MOST_ALARMS) {
    deps.log.warn({ ...result, withoutAlarm: Math.max(0, seen.stuck - MOST_ALARMS) }, 'watch-awards: awards are stuck');
  } else if (seen.clearedAlarms > 0 || expired > 0) {
    deps.log.info(result, 'watch-awards');
  }
  return result;
}

/** @param configured who carries out awards of its kind now; null: nobody */
function alarmOf(award: StuckAward, configured: string | null, at: Date): NewAlarm {
  const { id, status, kind, orderId, attempts, error, since } = award;
  const provider = award.provider ?? configured;
  if (status === 'failed') return refusedAlarm({ ...award, provider }, at);
  const details = { award: id, order: orderId, kind, provider, attempts, since };
  const why =
    provider === null
      ? `no provider is configured for ${kind} (REMEDY_PROVIDERS)`
      : attempts === 0
        ? `${provider} has not been asked`
        : `${provider} was asked ${attempts === 1 ? 'once' : `${attempts} times`}${said(error)}`;
  const message = `The ${kind} of order ${orderId} is pending since ${since.toISOString()}: ${why}.`;
  return { kind: 'award_pending', subject: id, message, details, at };
}

function said(error: string | null): string {
  return error === null ? '' : `: ${error.replace(/\.$/, '')}`;
}
