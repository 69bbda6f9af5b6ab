import { countOpenAlarms } from '../compensation/alarm-store.js';
import type { Deps } from '../deps.js';
import { countWaitingAwards } from './watch-awards-store.js';

/** Sets the gauges of alarms and waiting awards. Without the database they stay as they were: the other metrics still tell. */
export async function sampleAwards({ db, metrics, log }: Pick<Deps, 'db' | 'metrics' | 'log'>): Promise<void> {
  try {
    const [alarms, awards] = [await countOpenAlarms(db.pool), await countWaitingAwards(db.pool)];
    for (const [kind, count] of Object.entries(alarms)) metrics.openAlarms.set({ kind }, count);
    for (const [status, count] of Object.entries(awards)) metrics.waitingAwards.set({ status }, count);
  } catch (error) {
    log.warn({ err: error }, 'metrics: alarms and awards could not be counted');
  }
}
