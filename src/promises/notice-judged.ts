import { counts, type PastAward } from '../compensation/award.js';
import {
  findApologised,
  findShippedNoticed,
  type NewNotice,
  recordNotices,
  tellingIds,
} from '../compensation/notice-store.js';
import type { Policy } from '../compensation/policy.js';
import type { Sql } from '../db/database.js';
import type { Deps } from '../deps.js';
import { atRiskEvent, type NewEvent } from '../events/event.js';
import { recordEvents } from '../events/event-store.js';
import { loadEstimates } from '../shipments/shipment-store.js';
import {
  type JustJudged,
  mayBeCorrected,
  type Notice,
  noticesOf,
  parcelsThatLeft,
  parcelsThatMayBeLate,
} from './notices.js';

/**
 * Notes what customers are to be told of orders that were just judged as of now, in the caller's transaction, which holds the
 * orders. What is known besides is asked for once for all of them, and not at all where nothing may have to be noted.
 * @returns the ids of what is new and has a letter
 */
export async function noticeJudged(
  deps: Pick<Deps, 'config'>,
  sql: Sql,
  judged: readonly JustJudged[],
  { policy, asOf, histories }: { policy: Policy; asOf: Date; histories: ReadonlyMap<string, readonly PastAward[]> },
): Promise<string[]> {
  if (policy.mode !== 'active') return [];
  const { serviceLetters } = deps.config;
  const left = judged.filter(({ looked, outcome }) => parcelsThatLeft(looked, outcome, { serviceLetters }).length > 0);
  const mayBeLate = judged.flatMap(({ looked, outcome }) => parcelsThatMayBeLate(looked, outcome));
  const news = {
    serviceLetters,
    estimates: await loadEstimates(
      sql,
      mayBeLate.map(({ shipment }) => shipment.id),
    ),
    shipped: await findShippedNoticed(sql, idsOf(left)),
    apologised: await findApologised(sql, idsOf(judged.filter(mayBeCorrected))),
    compensated: new Set(
      judged.flatMap(({ looked: { order } }) => {
        const given = histories.get(order.customerId)?.filter(counts);
        return given?.some((past) => past.orderId === order.id) ? [order.id] : [];
      }),
    ),
  };
  const notices = judged.flatMap((one) => noticesOf(one, policy, news));
  const noted = await recordNotices(sql, notices, asOf);
  await recordEvents(sql, atRiskNews(judged, notices, noted, asOf));
  return tellingIds(noted);
}

/** Told to the shop's own systems also where customers get no letter of it. */
function atRiskNews(
  judged: readonly JustJudged[],
  notices: readonly Notice[],
  noted: readonly NewNotice[],
  at: Date,
): NewEvent[] {
  const isNew = new Set(noted.flatMap(({ kind, orderId }) => (kind === 'at-risk' ? [orderId] : [])));
  return judged.flatMap(({ looked: { order }, outcome }) => {
    const notice = notices.find(({ orderId, kind }) => kind === 'at-risk' && orderId === order.id);
    if (!notice || !isNew.has(order.id)) return [];
    const { customerId } = order;
    const { promisedUntil } = outcome.judgement;
    return [atRiskEvent({ orderId: order.id, customerId, promisedUntil, expected: notice.facts.estimate, at })];
  });
}

function idsOf(judged: readonly JustJudged[]): string[] {
  return judged.map(({ looked }) => looked.order.id);
}
