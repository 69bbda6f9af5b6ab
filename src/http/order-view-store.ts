import type { RemedyProvider } from '../awards/remedy-providers.js';
import type { AwardKind } from '../compensation/award.js';
import type { Surplus } from '../compensation/over-compensation.js';
import type { Database } from '../db/database.js';
import { loadFirstContacts } from '../promises/before-contact-store.js';
import { loadScansEverTold, loadShipmentsOfOrders } from '../shipments/shipment-store.js';
import { beforeContactToJson } from './before-contact-view.js';
import type { OrderView } from './order-view.js';

/** Everything that is known of one order. null: there is none. */
export async function loadOrderView(
  db: Database,
  id: string,
  remedyProviders: ReadonlyMap<AwardKind, RemedyProvider>,
): Promise<OrderView | null> {
  const order = await db.prisma.order.findUnique({
    where: { id },
    include: {
      shipments: { orderBy: { position: 'asc' } },
      awards: { orderBy: [{ decidedAt: 'asc' }, { id: 'asc' }] },
      reports: { orderBy: [{ at: 'asc' }, { id: 'asc' }] },
      messages: { orderBy: { createdAt: 'asc' } },
      tasks: { orderBy: { createdAt: 'asc' }, include: { assignee: true } },
    },
  });
  if (!order) return null;
  const verdict = order.verdictId ? await db.prisma.verdict.findUnique({ where: { id: order.verdictId } }) : null;
  const scans = await loadScansEverTold(db.pool, await loadShipmentsOfOrders(db.pool, [id]));
  const firstContactAt = (await loadFirstContacts(db.pool, [id])).get(id) ?? null;

  return {
    id: order.id,
    customerId: order.customerId,
    promisedUntil: order.promisedUntil.toISOString(),
    registeredAt: order.registeredAt.toISOString(),
    digital: order.digital,
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
      mode: verdict.mode,
      arm: order.arm,
    },
    awards: order.awards.map((award) => ({
      id: award.id,
      kind: award.kind,
      ...(award.months === null ? {} : { months: award.months }),
      ...(award.amountMinor === null
        ? {}
        : { amount: { amountMinor: Number(award.amountMinor), currency: award.currency ?? '' } }),
      ...(award.points === null ? {} : { points: award.points }),
      ...(award.shipping === null ? {} : { shipping: award.shipping }),
      ...(award.shipOn === null ? {} : { shipOn: award.shipOn.toISOString().slice(0, 10) }),
      status: award.status,
      stoppedBy: award.stoppedBy,
      incident: award.incident,
      rule: award.rule,
      reason: award.reason,
      policyVersion: award.policyVersion,
      proposedBy: award.proposedBy,
      provider: award.provider,
      decidedAt: award.decidedAt.toISOString(),
      reviewedAt: award.reviewedAt?.toISOString() ?? null,
      reviewReason: award.reviewReason,
      appliedAt: award.appliedAt?.toISOString() ?? null,
      expiresAt: award.expiresAt?.toISOString() ?? null,
      beforeContact: beforeContactToJson(award, firstContactAt),
    })),
    overCompensation: surplusOf(verdict?.decision),
    reports: order.reports.map((report) => ({
      id: report.id,
      kind: report.kind,
      title: report.title,
      evidence: report.evidence as Record<string, unknown>,
      at: report.at.toISOString(),
      recordedAt: report.recordedAt.toISOString(),
      recordedBy: report.recordedBy,
    })),
    tasks: order.tasks.map((task) => ({
      id: task.id,
      kind: task.kind,
      rule: task.rule,
      status: task.status,
      createdAt: task.createdAt.toISOString(),
      dueAt: task.dueAt?.toISOString() ?? null,
      // A key that was revoked holds no task.
      assignee: task.assignee && task.assignee.revokedAt === null ? task.assignee.name : null,
      escalatedAt: task.escalatedAt?.toISOString() ?? null,
      tries: task.tries,
      talkingPoints: task.talkingPoints,
      outcome: task.outcome,
      note: task.note,
      completedAt: task.completedAt?.toISOString() ?? null,
    })),
    messages: order.messages.map((message) => ({
      id: message.id,
      template: message.template,
      to: message.toAddress,
      status: message.status,
      messageId: message.messageId,
      sentAt: message.sentAt?.toISOString() ?? null,
      sendAfter: message.sendAfter?.toISOString() ?? null,
      response: message.response,
      answer: message.answer as 'yes' | 'no' | null,
    })),
    explanation: [...(verdict?.explanation ?? []), ...waitingAwards(order.awards, remedyProviders)],
    explanationForCustomer: verdict?.customerWording ?? [],
  };
}

/** Of what was recorded with the verdict; rows from before it was recorded have none. */
function surplusOf(decision: unknown): Surplus[] {
  return (decision as { overCompensation?: Surplus[] } | null | undefined)?.overCompensation ?? [];
}

interface WaitingAward {
  readonly kind: string;
  readonly status: string;
  readonly rule: string;
  readonly stoppedBy: readonly string[];
  readonly provider: string | null;
}

/** Why something that was decided is not there yet. */
function waitingAwards(
  awards: readonly WaitingAward[],
  remedyProviders: ReadonlyMap<AwardKind, RemedyProvider>,
): string[] {
  return awards.flatMap(({ kind, status, rule, stoppedBy, provider }) => {
    const by = stoppedBy.length === 0 ? '' : ` (stopped by ${stoppedBy.join(', ')})`;
    if (status === 'held') return [`${kind} (${rule}) is held for a look${by}.`];
    if (status === 'awaiting_approval') return [`${kind} (${rule}) waits for approval${by}.`];
    if (status === 'failed') return [`${kind} (${rule}) could not be carried out by ${provider}: a person must look.`];
    if (status !== 'pending') return [];
    const who = provider ?? remedyProviders.get(kind as AwardKind) ?? null;
    if (who === 'ledger') return [`${kind} (${rule}) is being granted.`];
    if (who !== null) return [`${kind} (${rule}) is being carried out by ${who}. The letter waits for it.`];
    return [
      `${kind} (${rule}) is decided and pending: nothing is connected that carries it out (REMEDY_PROVIDERS). The letter waits for it.`,
    ];
  });
}
