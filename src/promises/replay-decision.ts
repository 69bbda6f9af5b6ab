import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AWARD_CLASSES, type DecidedAward, type PastAward } from '../compensation/award.js';
import { type Decision, decideForOrder } from '../compensation/decide.js';
import { parseDecisionCase } from '../compensation/decision-case.js';
import type { DecisionCase, DecisionMode } from '../compensation/decision-input.js';
import type { Policy } from '../compensation/policy.js';
import { passTill, type Till } from '../compensation/till.js';
import type { FieldError } from '../errors.js';
import { type Judgement, worstIndex } from './verdict.js';

/** What is stored of a judgement besides its answer: all that is needed to come to that answer once more. */
export interface Replayable {
  /** As it lies in the record: `{order, …, history, cases: [{promise, asOf, events, …}]}`, instants as text. */
  readonly inputs: unknown;
  readonly policy: Policy;
  readonly policyVersion: number;
  /** The till as it was found; null where none was recorded, as nothing passed one. */
  readonly till: Till | null;
  readonly mode: DecisionMode;
}

export type Replayed =
  | {
      readonly outcome: 'replayed';
      /** Of the worst shipment, which is that of the order. */
      readonly judgement: Judgement;
      readonly decision: Decision;
    }
  /** The inputs are not what a judgement stores. */
  | { readonly outcome: 'unreadable'; readonly errors: readonly FieldError[] };

/** Judges and decides once more from what was stored. A pure function: it knows nothing but the record and its policy. */
export function replayDecision({ inputs, policy, policyVersion, till, mode }: Replayable): Replayed {
  const read = readInputs(inputs, policy);
  if (read.outcome === 'unreadable') return read;
  const { cases } = read;
  const judgement = cases[worstIndex(cases.map((one) => one.judgement))]?.judgement;
  const ruled = decideForOrder(cases, policy, policyVersion);
  const leading = cases[ruled.leading];
  if (!judgement || !leading) return unreadable('cases', 'has no shipment that leads');
  // What only would have been given takes nothing from the till, and is not stopped by it.
  const decision = till !== null && mode === 'active' ? passTill(ruled, leading, till, policy) : ruled;
  return { outcome: 'replayed', judgement, decision };
}

/**
 * Judges and decides as of the record, whatever the till held, as if the order had been given `own` and nothing else: with
 * nothing, the answer is what rules and limits give it from scratch; with what it has now, what of that is too much.
 */
export function replayWith(record: Replayable, own: readonly PastAward[]): Replayed {
  const { inputs } = record;
  if (!isObject(inputs)) return replayDecision(record);
  const order = isObject(inputs.order) ? inputs.order.id : undefined;
  const history = Array.isArray(inputs.history) ? inputs.history : [];
  const others = history.filter((past) => !isObject(past) || past.orderId !== order);
  return replayDecision({ ...record, till: null, inputs: { ...inputs, history: others.concat(plain(own)) } });
}

type ReadInputs =
  | { readonly outcome: 'ok'; readonly cases: readonly DecisionCase[] }
  | Extract<Replayed, { outcome: 'unreadable' }>;

/** One case a shipment. What belongs to the order is the same in each. */
function readInputs(inputs: unknown, policy: Policy): ReadInputs {
  if (!isObject(inputs)) return unreadable('', 'is no object');
  const { cases: stored, ...shared } = inputs;
  if (!Array.isArray(stored) || stored.length === 0) return unreadable('cases', 'has no shipment');
  const cases: DecisionCase[] = [];
  const errors: FieldError[] = [];
  for (const [place, one] of stored.entries()) {
    const parsed = parseDecisionCase(isObject(one) ? { ...shared, ...one } : one, policy);
    if (parsed.outcome === 'ok') cases.push(parsed.case);
    else errors.push(...parsed.errors.map(({ field, message }) => ({ field: `cases[${place}].${field}`, message })));
  }
  return errors.length > 0 ? { outcome: 'unreadable', errors } : { outcome: 'ok', cases };
}

/** The answer that stands in the record. Older ones have no `decision`: then the rest is what there is to compare. */
export interface RecordedAnswer {
  readonly verdict: string;
  readonly metAt: Date | null;
  readonly lateMinutes: number | null;
  readonly lateDays: number | null;
  readonly fault: string | null;
  readonly incident: string | null;
  readonly declinedBecause: string | null;
  /** `{answer, earned, withheld, overCompensation, till}`, or null. */
  readonly decision: unknown;
}

/** One thing in which the answer in the record is not the one that its inputs give. */
export interface Difference {
  readonly field: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

/**
 * In what the record and the answer that its inputs give differ: nothing, as long as both are right. Facts and figures are
 * compared, not sentences: a better wording is no other answer.
 */
export function compareReplay(recorded: RecordedAnswer, replayed: Replayed): Difference[] {
  if (replayed.outcome === 'unreadable') {
    return replayed.errors.map(({ field, message }) => ({
      field: `inputs.${field}`,
      recorded: message,
      replayed: null,
    }));
  }
  const { judgement, decision } = replayed;
  const pairs: [field: string, recorded: unknown, replayed: unknown][] = [
    ['verdict', recorded.verdict, judgement.verdict],
    ['metAt', recorded.metAt, judgement.metAt],
    ['lateMinutes', recorded.lateMinutes, judgement.lateMinutes],
    ['lateDays', recorded.lateDays, judgement.lateDays],
    ['fault', recorded.fault, judgement.fault],
    ['incident', recorded.incident, decision.incident],
    ['declinedBecause', recorded.declinedBecause, decision.declinedBecause],
  ];
  if (isObject(recorded.decision)) {
    const { answer, earned, withheld, overCompensation } = recorded.decision;
    const told = isObject(answer) ? answer : {};
    pairs.push(
      ['awards', listOf(told.awards, awardFigures), decision.awards.map(awardFigures)],
      ['tasks', listOf(told.tasks, taskFigures), decision.tasks.map(taskFigures)],
      ['earned', earned, decision.earned],
      ['withheld', listOf(withheld, awardFigures), decision.withheld.map(awardFigures)],
      ['overCompensation', overCompensation, decision.overCompensation],
    );
  }
  return pairs.flatMap(([field, one, other]) => {
    if (one === undefined) return [];
    const [was, is] = [plain(one), plain(other)];
    return isDeepStrictEqual(was, is) ? [] : [{ field, recorded: was, replayed: is }];
  });
}

const recordedDecisionSchema = z.object({
  earned: z.array(z.object({ class: z.enum(AWARD_CLASSES), unit: z.string(), quantity: z.number() })).catch([]),
  overCompensation: z
    .array(z.object({ class: z.enum(AWARD_CLASSES), unit: z.string(), quantity: z.number() }))
    .catch([]),
  till: z
    .object({ breakerOpen: z.boolean(), spentToday: z.record(z.string(), z.number()) })
    .nullable()
    .catch(null),
});

/** The parts of a recorded decision that are figures; null where none was recorded. */
export type RecordedFigures = z.infer<typeof recordedDecisionSchema>;

export function readRecordedDecision(decision: unknown): RecordedFigures | null {
  const parsed = recordedDecisionSchema.safeParse(decision);
  return parsed.success ? parsed.data : null;
}

function awardFigures(award: Partial<DecidedAward>): Record<string, unknown> {
  const { reason: _sentence, ...figures } = award;
  return figures;
}

function taskFigures({ kind, rule }: { readonly kind?: unknown; readonly rule?: unknown }): Record<string, unknown> {
  return { kind, rule };
}

function listOf(value: unknown, figures: (item: Record<string, unknown>) => unknown): unknown {
  return Array.isArray(value) ? value.map((item) => (isObject(item) ? figures(item) : item)) : value;
}

/** As it comes back from the database: no dates, nothing undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function unreadable(field: string, message: string): Extract<Replayed, { outcome: 'unreadable' }> {
  return { outcome: 'unreadable', errors: [{ field, message }] };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
