import { isGrantable } from '../awards/posting.js';
import type { AwardKind, AwardStatus } from '../compensation/award.js';
import type { Database } from '../db/database.js';
import { loadScansEverTold, loadShipmentsOfOrders } from '../shipments/shipment-store.js';
import type { OrderView } from './order-view.js';

/** Everything that is known of one order. null: there is none. */
export async function loadOrderView(db: Database, id: string): Promise<OrderView | null> {
  const order = await db.prisma.order.findUnique({
    where: { id },
    include: {
      shipments: { orderBy: { position: 'asc' } },
      awards: { orderBy: [{ decidedAt: 'asc' }, { id: 'asc' }] },
      messages: { orderBy: { createdAt: 'asc' } },
      tasks: { orderBy: { createdAt: 'asc' } },
    },
  });
  if (!order) return null;
  const verdict = order.verdictId ? await db.prisma.verdict.findUnique({ where: { id: order.verdictId } }) : null;
  const scans = await loadScansEverTold(db.pool, await loadShipmentsOfOrders(db.pool, [id]));

  return {
    id: order.id,
    customerId: order.customerId,
    promisedUntil: order.promisedUntil.toISOString(),
    registeredAt: order.registeredAt.toISOString(),
    shipments: order.shipments.map((shipment) => ({
      carrier: shipment.carrier,
      trackingNumber: shipment.trackingNumber,
      service: shipment.service,
      status: shipment.status,
      deliveredAt: shipment.deliveredAt?.toISOString() ?? null,
      estimatedDeliveryAt: shipment.estimatedAt?.toISOString() ?? null,
      estimatedDeliveryOn: shipment.estimatedOn?.toISOString().slice(0, 10) ?? null,
      events: (scans.get(shipment.id) ?? [])
        .sort((a, b) => a.interval.earliest.getTime() - b.interval.earliest.getTime())
        .map(({ status, interval, exception, source, code, text, superseded }) => ({
          status,
          at: interval.earliest.toISOString(),
          latestAt: interval.latest.toISOString(),
          exception,
          source,
          code,
          text,
          superseded,
        })),
    })),
    verdict: verdict && {
      verdict: verdict.verdict,
      metAt: verdict.metAt?.toISOString() ?? null,
      lateMinutes: verdict.lateMinutes,
      lateDays: verdict.lateDays,
      fault: verdict.fault,
      incident: verdict.incident,
      declinedBecause: verdict.declinedBecause,
      judgedAt: verdict.judgedAt.toISOString(),
      policyVersion: verdict.policyVersion,
    },
    awards: order.awards.map((award) => ({
      id: award.id,
      kind: award.kind,
      ...(award.months === null ? {} : { months: award.months }),
      ...(award.amountMinor === null
        ? {}
        : { amount: { amountMinor: Number(award.amountMinor), currency: award.currency ?? '' } }),
      ...(award.shipping === null ? {} : { shipping: award.shipping }),
      status: award.status,
      incident: award.incident,
      rule: award.rule,
      reason: award.reason,
      decidedAt: award.decidedAt.toISOString(),
      appliedAt: award.appliedAt?.toISOString() ?? null,
    })),
    tasks: order.tasks.map(({ id: taskId, kind, rule, status, createdAt }) => ({
      id: taskId,
      kind,
      rule,
      status,
      createdAt: createdAt.toISOString(),
    })),
    messages: order.messages.map((message) => ({
      template: message.template,
      to: message.toAddress,
      status: message.status,
      messageId: message.messageId,
      sentAt: message.sentAt?.toISOString() ?? null,
      response: message.response,
    })),
    explanation: [...(verdict?.explanation ?? []), ...waitingAwards(order.awards)],
  };
}

/** Why something that was decided is not there yet. */
function waitingAwards(awards: readonly { kind: string; status: string; rule: string }[]): string[] {
  return awards.flatMap(({ kind, status, rule }) => {
    if (status === 'held') return [`${kind} (${rule}) is held for a look.`];
    if (status === 'awaiting_approval') return [`${kind} (${rule}) waits for approval.`];
    if (status !== 'pending') return [];
    return isGrantable({ kind: kind as AwardKind, status: status as AwardStatus })
      ? [`${kind} (${rule}) is being granted.`]
      : [
          `${kind} (${rule}) is decided and pending: nothing is connected yet that carries it out. The letter waits for it.`,
        ];
  });
}
