import { z } from 'zod';
import type { RowError } from './order-of-row.js';

/** How far an import has come, and what it found: enough for a later one to go on as if nothing had happened. */
export type ImportProgress = z.output<typeof importProgressSchema>;

export interface ImportReport {
  readonly rows: number;
  readonly registered: number;
  readonly completed: number;
  readonly unchanged: number;
  readonly rejected: number;
  /** Of the registered, those that are for the record alone. */
  readonly backfill: number;
  /** Rows that are no orders of their own, and orders that were cancelled: only where the format of the file knows such. */
  readonly lineItems?: number;
  readonly cancelled?: number;
  /** The first of them. */
  readonly errors: readonly (RowError & { readonly line: number })[];
  /** How many more there were; left out where these are all. */
  readonly moreErrors?: number;
}

/** Fewer, and a mistake of one column in many rows hides another; more, and the answer of a bad file fills the memory. */
const MOST_ERRORS = 1000;

const count = z.int().min(0);

/** The form in which it is stored. What another version stored and this one does not understand begins anew. */
export const importProgressSchema = z
  .object({
    counts: z
      .object({
        rows: count,
        registered: count,
        completed: count,
        unchanged: count,
        rejected: count,
        backfill: count,
        lineItems: count,
        cancelled: count,
      })
      .readonly(),
    errors: z.array(z.object({ line: z.int(), column: z.string().nullable(), message: z.string() })).readonly(),
    errorCount: count,
    /** The file of rejects as it was then. */
    rejects: z.object({ file: z.string(), bytes: count, sha256: z.string() }).readonly().nullable(),
    /** The order that the next row may be a further line of; null: it cannot be told. */
    orderAbove: z.string().nullable(),
  })
  .readonly();

/** What became of a row. */
export type RowResult =
  | { readonly outcome: 'registered' | 'completed' | 'unchanged'; readonly line: number; readonly backfill: boolean }
  | { readonly outcome: 'passed over'; readonly line: number; readonly as: 'lineItems' | 'cancelled' }
  | {
      readonly outcome: 'rejected';
      readonly line: number;
      readonly cells: readonly string[];
      readonly errors: readonly RowError[];
    };

export const NOTHING_YET: ImportProgress = {
  counts: {
    rows: 0,
    registered: 0,
    completed: 0,
    unchanged: 0,
    rejected: 0,
    backfill: 0,
    lineItems: 0,
    cancelled: 0,
  },
  errors: [],
  errorCount: 0,
  rejects: null,
  orderAbove: '',
};

/** Adds up what became of further rows, in the order of the file. */
export function addResults(progress: ImportProgress, results: readonly RowResult[]): ImportProgress {
  const counts = { ...progress.counts };
  const errors = [...progress.errors];
  let { errorCount } = progress;
  for (const result of results) {
    counts.rows++;
    if (result.outcome === 'passed over') counts[result.as]++;
    else counts[result.outcome]++;
    if (result.outcome === 'rejected') {
      errorCount += result.errors.length;
      for (const { column, message } of result.errors)
        if (errors.length < MOST_ERRORS) errors.push({ line: result.line, column, message });
    } else if (result.outcome !== 'passed over' && result.backfill) counts.backfill++;
  }
  return { ...progress, counts, errors, errorCount };
}

/** @param options.passesOver whether the format of the file knows rows that are no orders to register */
export function reportOf(
  { counts, errors, errorCount }: ImportProgress,
  options: { readonly passesOver: boolean },
): ImportReport {
  const { lineItems, cancelled, ...always } = counts;
  return {
    ...always,
    ...(options.passesOver ? { lineItems, cancelled } : {}),
    errors,
    ...(errorCount > errors.length ? { moreErrors: errorCount - errors.length } : {}),
  };
}
