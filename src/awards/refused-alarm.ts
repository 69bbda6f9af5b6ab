import type { NewAlarm } from '../compensation/alarm-store.js';

/** The alarm of an award that its provider refuses for good. What was said may name the customer, and stands with the call. */
export function refusedAlarm(
  award: { id: string; kind: string; orderId: string; provider: string | null; attempts: number },
  at: Date,
): NewAlarm {
  const { id, kind, orderId, provider, attempts } = award;
  return {
    kind: 'award_failed',
    subject: id,
    message: `${provider ?? 'Its provider'} refuses the ${kind} of order ${orderId} for good. The call of award ${id} says why.`,
    details: { award: id, order: orderId, kind, provider, attempts },
    at,
  };
}
