import type { TrackingEvent } from '../shipments/tracking-event.js';
import type { DeliveryPromise } from './promise.js';

export const VERDICTS = [
  'on_time',
  'late',
  'overdue',
  'pending',
  'uncertain',
  'lost',
  'damaged',
  'returned',
  'cancelled',
] as const;
export type Verdict = (typeof VERDICTS)[number];

export const FAULTS = ['customer', 'customs', 'force_majeure', 'merchant', 'carrier'] as const;
export type Fault = (typeof FAULTS)[number];

/** The settings of a policy that bear on the verdict. */
export interface JudgingSettings {
  readonly graceMinutes: number;
  readonly attemptCounts: boolean;
  readonly lostAfterDays: number;
}

/** Everything the verdict depends on, and nothing else. */
export interface VerdictCase extends JudgingSettings {
  readonly promise: DeliveryPromise;
  readonly asOf: Date;
  readonly shipBy: Date | null;
  readonly events: readonly TrackingEvent[];
}

/** The answer. `restsOnSilence`: no scan says so, only the absence of one (overdue, or lost without a `lost` scan). */
export interface Judgement {
  readonly verdict: Verdict;
  readonly promisedUntil: Date;
  readonly metAt: Date | null;
  readonly lateMinutes: number | null;
  readonly lateDays: number | null;
  readonly fault: Fault | null;
  readonly restsOnSilence: boolean;
  /** The next instant at which time alone, without any new scan, can change this answer; null when it cannot. */
  readonly changesAt: Date | null;
}
