import { userInfo } from 'node:os';
import { orderOfParcel, type RecheckAnswer, recheck } from '../../promises/recheck.js';
import { openSession } from '../session.js';

export type RecheckReport = RecheckAnswer & { readonly orderId: string };

/** `makegood recheck ORDER_ID` or `makegood recheck CARRIER TRACKING_NUMBER`. */
export async function recheckCommand(input: {
  readonly first: string;
  readonly trackingNumber: string | undefined;
  readonly reason: string | null;
}): Promise<RecheckReport> {
  const { deps, finish, close } = await openSession();
  try {
    const { first, trackingNumber } = input;
    const orderId =
      trackingNumber === undefined ? first : await orderOfParcel(deps, { carrier: first, trackingNumber });
    const answer = await recheck(deps, orderId, { actor: actor(), reason: input.reason });
    await finish(answer.trace);
    return { orderId, ...answer };
  } finally {
    await close();
  }
}

export function describeRecheck({ orderId, before, after, changed, awards }: RecheckReport): string {
  const was = before ? before.verdict : 'not judged';
  const late = after.lateDays === null ? '' : `, ${after.lateDays} days late, fault: ${after.fault}`;
  const gave = awards === 0 ? 'Nothing new was given.' : `${awards} new awards.`;
  return `Order ${orderId}: ${changed ? `${was} → ${after.verdict}` : `still ${after.verdict}`}${late}. ${gave}`;
}

/** Who sits at the terminal, for the audit. */
export function actor(): string {
  return `cli:${userInfo().username}`;
}
