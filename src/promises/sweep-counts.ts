import { type DecidedAward, measureOf } from '../compensation/award.js';
import type { JudgedOutcome, LookedAt } from './decide-order.js';
import { quietParcels } from './quiet-parcels.js';
import type { Verdict } from './verdict.js';

/** Awards, and what they come to: by unit (`months`, `points`, `replacement`, or minor units of a currency). */
export interface AwardTotals {
  readonly awards: number;
  readonly totals: Readonly<Record<string, number>>;
}

/** How many there are of something, and the first of them. */
export interface Findings {
  readonly count: number;
  readonly first: readonly string[];
}

/** What the chunks of a sweep have come to so far. Plain data: it is stored with the cursor of the run. */
export interface SweepCounts {
  /** Orders looked at. */
  readonly judged: number;
  /** Orders whose verdict changed. */
  readonly changed: number;
  /** Orders newly found late, or overdue. */
  readonly late: number;
  /** Orders that could not be judged: each is set aside with its error. */
  readonly failed: number;
  /** Decided and let through; what grants them follows. */
  readonly paid: AwardTotals;
  /** Decided and stopped, for a person. */
  readonly held: AwardTotals & {
    /** By what they were stopped: an award that two things stop counts for both. */
    readonly why: Readonly<Record<string, number>>;
  };
  /** Orders newly overdue. */
  readonly overdue: Findings;
  /** Parcels that are silent on their way. */
  readonly stalled: Findings;
  /** Parcels that no carrier has ever seen. */
  readonly neverScanned: Findings;
}

/** Named of each kind. Fewer, and nobody sees a pattern; more, and the report is a list. */
export const SHOWN = 20;

const NOTHING: Findings = { count: 0, first: [] };

export const NO_COUNTS: SweepCounts = {
  judged: 0,
  changed: 0,
  late: 0,
  failed: 0,
  paid: { awards: 0, totals: {} },
  held: { awards: 0, totals: {}, why: {} },
  overdue: NOTHING,
  stalled: NOTHING,
  neverScanned: NOTHING,
};

/** What a chunk found out. */
export interface JudgedChunk {
  readonly ids: readonly string[];
  readonly asOf: Date;
  readonly looked: readonly LookedAt[];
  readonly outcomes: readonly JudgedOutcome[];
  readonly failed: number;
}

/** Adds what a chunk found out. A pure function. */
export function addChunk(counts: SweepCounts, { ids, asOf, looked, outcomes, failed }: JudgedChunk): SweepCounts {
  const changed = outcomes.filter(({ before, judgement }) => before !== judgement.verdict);
  const became = (...verdicts: Verdict[]) =>
    changed.filter(
      ({ before, judgement }) => verdicts.includes(judgement.verdict) && !verdicts.includes(before ?? 'pending'),
    );
  const awards = outcomes.flatMap(({ decision }) => decision.awards);
  const stopped = awards.filter(({ status }) => status !== 'pending');
  const quiet = looked.flatMap((one) => quietParcels(one, asOf));
  const quietOf = (what: (typeof quiet)[number]['what']) =>
    quiet
      .filter((parcel) => parcel.what === what)
      .map(({ orderId, carrier, trackingNumber }) => `${orderId} (${carrier} ${trackingNumber})`);
  return {
    judged: counts.judged + ids.length,
    changed: counts.changed + changed.length,
    late: counts.late + became('late', 'overdue').length,
    failed: counts.failed + failed,
    paid: addAwards(
      counts.paid,
      awards.filter(({ status }) => status === 'pending'),
    ),
    held: {
      ...addAwards(counts.held, stopped),
      why: addAll(
        counts.held.why,
        stopped.flatMap(({ stoppedBy }) => stoppedBy.map((stop) => [stop, 1] as const)),
      ),
    },
    overdue: addFindings(
      counts.overdue,
      became('overdue').map(({ orderId }) => orderId),
    ),
    stalled: addFindings(counts.stalled, quietOf('stalled')),
    neverScanned: addFindings(counts.neverScanned, quietOf('neverScanned')),
  };
}

function addFindings({ count, first }: Findings, found: readonly string[]): Findings {
  return { count: count + found.length, first: [...first, ...found].slice(0, SHOWN) };
}

function addAwards(sums: AwardTotals, awards: readonly DecidedAward[]): AwardTotals {
  const measures = awards.map((award) => measureOf(award)).map(({ unit, quantity }) => [unit, quantity] as const);
  return { awards: sums.awards + awards.length, totals: addAll(sums.totals, measures) };
}

function addAll(
  sums: Readonly<Record<string, number>>,
  more: readonly (readonly [string, number])[],
): Record<string, number> {
  const added: Record<string, number> = { ...sums };
  for (const [name, quantity] of more) added[name] = (added[name] ?? 0) + quantity;
  return added;
}
