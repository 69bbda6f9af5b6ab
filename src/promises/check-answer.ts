import type { PastAward } from '../compensation/award.js';
import type { Deps } from '../deps.js';
import type { RecordedVerdictRow } from './audit-awards-store.js';
import {
  compareReplay,
  type Difference,
  type Replayable,
  type Replayed,
  readRecordedDecision,
  replayDecision,
  replayWith,
} from './replay-decision.js';

type Needed = Pick<Deps, 'db' | 'policies'>;

/**
 * Runs the stored inputs of a verdict again, with the policy it was made by. Empty: the answer is the same. What a person gave
 * by hand came of no rule: there is nothing to run again.
 */
export async function checkAnswer(deps: Needed, row: RecordedVerdictRow): Promise<Difference[]> {
  if (row.incident === 'manual') return [];
  const record = await replayableOf(deps, row);
  return compareReplay(
    row,
    safely(() => replayDecision(record)),
  );
}

/** The answer for an order that was given `own` and nothing else. */
export async function answerWith(deps: Needed, row: RecordedVerdictRow, own: readonly PastAward[]): Promise<Replayed> {
  const record = await replayableOf(deps, row);
  return safely(() => replayWith(record, own));
}

async function replayableOf(
  { db, policies }: Needed,
  { inputs, policyVersion, decision, mode }: RecordedVerdictRow,
): Promise<Replayable> {
  const policy = await policies.version(db.pool, policyVersion);
  return { inputs, policy, policyVersion, till: readRecordedDecision(decision)?.till ?? null, mode };
}

/** A record that our own code cannot bear is a finding, and must not cost the others their turn. */
function safely(replay: () => Replayed): Replayed {
  try {
    return replay();
  } catch (error) {
    return { outcome: 'unreadable', errors: [{ field: '', message: `cannot be judged: ${(error as Error).message}` }] };
  }
}
