import type { Policy } from '../compensation/policy.js';
import type { PolicyBook } from '../compensation/policy-store.js';
import type { Database } from '../db/database.js';
import { type Simulation, startSimulation } from './simulate.js';
import { countPastOrders, loadPastOrders, lookOnly } from './simulation-store.js';

export interface PolicySimulation extends Simulation {
  readonly active: { readonly version: number; readonly policy: Policy };
}

/** Orders that are read at once. Fewer, and asking costs more than reading; many more, and their scans fill the memory. */
const CHUNK = 2_000;

/**
 * Runs a candidate and the policy in force over every order of the database, side by side. Reads one state of the database, in a
 * transaction that can write nothing.
 * @param work.asOf judge with what was known then
 * @param work.since count only orders whose promise ended then or later; null: all
 */
export function simulatePolicy(
  { db, policies }: { readonly db: Database; readonly policies: PolicyBook },
  work: {
    readonly candidate: Policy;
    readonly asOf: Date;
    readonly since: Date | null;
    readonly onJudged?: (done: number, total: number) => void;
    /** All is judged: deciding begins. */
    readonly onStage?: () => void;
    readonly onDecided?: (done: number, total: number) => void;
  },
): Promise<PolicySimulation> {
  const { candidate, asOf, since, onJudged = () => {}, onStage = () => {}, onDecided = () => {} } = work;
  return db.transaction(async (sql) => {
    await lookOnly(sql);
    const active = await policies.active(sql);
    const simulation = startSimulation({ active: active.policy, candidate }, { asOf, since });
    const total = await countPastOrders(sql, asOf);
    let judged = 0;
    onJudged(judged, total);
    for (let after = ''; ; ) {
      const orders = await loadPastOrders(sql, { after, limit: CHUNK, asOf });
      const last = orders.at(-1);
      if (!last) break;
      simulation.add(orders);
      after = last.order.id;
      judged += orders.length;
      onJudged(judged, total);
    }
    onStage();
    return { ...simulation.finish(onDecided), active };
  });
}
