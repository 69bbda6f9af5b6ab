import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { type BeforeContact, beforeContact } from './before-contact.js';
import { loadFirstContacts } from './before-contact-store.js';
import { checkAnswer } from './check-answer.js';
import type { Quantity } from './compare-standing.js';
import {
  type ExplainedAward,
  type ExplainedLetter,
  type ExplainedOrder,
  type ExplainedTask,
  type ExplainedVerdict,
  loadExplainedAwards,
  loadExplainedLetters,
  loadExplainedOrder,
  loadExplainedTasks,
  loadExplainedVerdicts,
} from './explain-store.js';
import { type Difference, readRecordedDecision } from './replay-decision.js';

/** A verdict, without the scans it was made of, and whether they give it again. */
export interface VerdictExplained extends Omit<ExplainedVerdict, 'inputs' | 'decision' | 'orderId'> {
  /** In what the answer differs when the stored inputs are run again; empty: in nothing. */
  readonly differences: readonly Difference[];
}

export interface AwardExplained extends ExplainedAward {
  readonly beforeContact: BeforeContact;
}

/** Everything there is to say about what an order got, or did not get. */
export interface OrderExplained {
  readonly order: Omit<ExplainedOrder, 'verdictId'>;
  /** The verdict that stands; null: not judged yet. */
  readonly current: VerdictExplained | null;
  /** Oldest first, the current one last. */
  readonly verdicts: readonly VerdictExplained[];
  readonly awards: readonly AwardExplained[];
  readonly tasks: readonly ExplainedTask[];
  readonly letters: readonly ExplainedLetter[];
  /** What was given beyond what is earned as things stand. */
  readonly overCompensation: readonly Quantity[];
}

/**
 * Explains an order from the record alone, and proves it: every verdict is made again from what is stored of it.
 * @throws AppError `not_found`
 */
export async function explainOrder(deps: Pick<Deps, 'db' | 'policies'>, orderId: string): Promise<OrderExplained> {
  const { pool } = deps.db;
  const found = await loadExplainedOrder(pool, orderId);
  if (!found) throw new AppError('not_found', `There is no order ${orderId}.`);
  const { verdictId, ...order } = found;
  const rows = await loadExplainedVerdicts(pool, orderId);
  const verdicts: VerdictExplained[] = [];
  for (const row of rows) {
    const { inputs: _inputs, decision: _decision, orderId: _order, ...told } = row;
    verdicts.push({ ...told, differences: await checkAnswer(deps, row) });
  }
  const firstContactAt = (await loadFirstContacts(pool, [orderId])).get(orderId) ?? null;
  const awards = await loadExplainedAwards(pool, orderId);
  const standing = rows.find(({ id }) => id === verdictId);
  return {
    order,
    current: verdicts.find(({ id }) => id === verdictId) ?? null,
    verdicts,
    awards: awards.map((award) => ({ ...award, beforeContact: beforeContact({ ...award, firstContactAt }) })),
    tasks: await loadExplainedTasks(pool, orderId),
    letters: await loadExplainedLetters(pool, orderId),
    overCompensation: readRecordedDecision(standing?.decision)?.overCompensation ?? [],
  };
}
