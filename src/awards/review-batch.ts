import { createHash } from 'node:crypto';
import { clearAlarm } from '../compensation/alarm-store.js';
import { noticeDeclined } from '../compensation/notice-store.js';
import type { Policy } from '../compensation/policy.js';
import { recordAudit } from '../db/audit-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { newId } from '../ids.js';
import { issueTickets } from '../queue/outbox-store.js';
import { type Person, proposerOf } from './agent-limits.js';
import { budgeted } from './budgeted.js';
import { holdKey } from './hold-key.js';
import { type BatchFilter, closeTrip, findBatch, lockOpenTrip } from './review-batch-store.js';
import {
  countAsSpent,
  loadAwards,
  lockAwards,
  type Review,
  type ReviewedAward,
  removeStop,
  settleAwards,
} from './review-store.js';

export type BatchDecision = 'approve' | 'decline';

/** Which awards, as whoever previews it names them. */
export interface BatchRequest {
  readonly status: string;
  readonly stoppedBy: string | null;
  readonly rule: string | null;
  /** null: up to now. */
  readonly before: Date | null;
}

export interface BatchPreview {
  /** How many awards would be decided. */
  readonly count: number;
  /** What they are worth together: minor units by currency, and months, points, replacements. */
  readonly totals: Readonly<Record<string, number>>;
  readonly sample: readonly string[];
  /** How many the caller proposed, and so cannot approve. */
  readonly own: number;
  /** How many wait for somebody to name their amount: they cannot be approved together. */
  readonly unnamed: number;
  /** There are more than one batch takes: they come with the next. */
  readonly more: boolean;
  readonly token: string;
}

/** Awards of one batch. More, and its transaction holds its locks for longer than a request may take. */
const MOST_IN_BATCH = 10_000;
/** The breaker's are one batch, however many: they were stopped together and are let go together. */
const MOST_OF_BREAKER = 200_000;
const SAMPLE = 10;
/** Ids in one audit entry. */
const IDS_PER_ENTRY = 500;

/** What deciding on all these awards would come to. Changes nothing; the token binds a decision to exactly this. */
export async function previewBatch(
  deps: Deps,
  person: Person,
  decision: BatchDecision,
  request: BatchRequest,
): Promise<BatchPreview> {
  refuseApprovalOfFailed(decision, request);
  return preview(deps, person, decision, request, MOST_IN_BATCH);
}

/**
 * Decides on exactly what was previewed: if anything of it has changed since, on nothing. One transaction.
 * @throws AppError `amount_changed`, `invalid_request` for a token that is none
 */
export async function decideBatch(
  deps: Deps,
  person: Person,
  { token, reason }: { readonly token: string; readonly reason: string },
): Promise<{ decided: number; own: number; unnamed: number; totals: Readonly<Record<string, number>> }> {
  const trace = newId();
  const { answer, tickets } = await deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: false });
    const { decision, filter, awards } = await lockPreviewed(sql, person, token, 'queue', MOST_IN_BATCH);
    const made: Review = { by: proposerOf(person), at: await readNow(sql, deps.clock), reason };
    const sorted = sortOut(awards, decision, person);
    const { policy } = await deps.policies.active(sql);
    const issued = await settle(sql, sorted.chosen, decision, made, policy, trace);
    await audit(sql, person, `awards.${decision}`, made, sorted.chosen, { filter, trace });
    const { chosen, own, unnamed } = sorted;
    return { answer: { decided: chosen.length, own, unnamed, totals: totalsOf(chosen) }, tickets: issued };
  });
  await deps.queues.announce(tickets);
  return answer;
}

const OF_BREAKER: BatchRequest = { status: 'held', stoppedBy: 'breaker', rule: null, before: null };

/** What releasing, or declining, everything that the breaker holds would come to. */
export function previewBreaker(deps: Deps, person: Person, release: boolean): Promise<BatchPreview> {
  return preview(deps, person, release ? 'approve' : 'decline', OF_BREAKER, MOST_OF_BREAKER);
}

/**
 * Resets the breaker, and releases or declines exactly what was previewed. A released award loses this one stop: what
 * something else stops as well goes on waiting for that. What was stopped after the preview stays held, to be seen among
 * the approvals, or to be reset once more.
 * @throws AppError `already_decided` when it is not open and holds nothing, `amount_changed`
 */
export async function resetBreaker(
  deps: Deps,
  person: Person,
  { token, release, reason }: { readonly token: string; readonly release: boolean; readonly reason: string },
): Promise<{ decided: number; goingOn: number; totals: Readonly<Record<string, number>> }> {
  const trace = newId();
  const { answer, tickets } = await deps.db.transaction(async (sql) => {
    await holdKey(sql, person, { alone: false });
    const wasOpen = await lockOpenTrip(sql);
    const { decision, awards } = await lockPreviewed(sql, person, token, 'breaker', MOST_OF_BREAKER);
    if ((decision === 'approve') !== release)
      throw new AppError('amount_changed', 'The preview was of the opposite. Preview what you want to do.');
    if (!wasOpen && awards.length === 0)
      throw new AppError('already_decided', 'The breaker is not open, and nothing is held by it.');
    const made: Review = { by: proposerOf(person), at: await readNow(sql, deps.clock), reason };
    const ids = awards.map(({ id }) => id);
    const { policy } = await deps.policies.active(sql);
    const goingOn = release ? new Set(await removeStop(sql, ids, 'breaker', made)) : null;
    const issued = goingOn
      ? await carryOn(
          sql,
          awards.filter(({ id }) => goingOn.has(id)),
          made,
          policy,
          trace,
        )
      : await settle(sql, awards, 'decline', made, policy, trace);
    await closeTrip(sql, made);
    await clearAlarm(sql, { kind: 'breaker', subject: 'breaker', at: made.at });
    await audit(sql, person, 'breaker.reset', made, awards, { release, goingOn: goingOn?.size ?? 0, trace });
    const counts = { decided: awards.length, goingOn: goingOn?.size ?? 0, totals: totalsOf(awards) };
    return { answer: counts, tickets: issued };
  });
  await deps.queues.announce(tickets);
  return answer;
}

async function preview(
  deps: Deps,
  person: Person,
  decision: BatchDecision,
  request: BatchRequest,
  most: number,
): Promise<BatchPreview> {
  return deps.db.transaction(async (sql) => {
    const ofBreaker = request === OF_BREAKER;
    // Everything that is there when we look, also what was decided in this very millisecond.
    const before = request.before ?? new Date((await readNow(sql, deps.clock)).getTime() + 1);
    const filter: BatchFilter = {
      statuses: ofBreaker ? ['held', 'awaiting_approval'] : [request.status],
      stoppedBy: request.stoppedBy,
      rule: request.rule,
      before,
    };
    const ids = await findBatch(sql, filter, most + 1);
    const awards = await loadAwards(sql, ids.slice(0, most));
    // Who releases the breaker approves nobody's amount, so that nothing is left out there.
    const { chosen, own, unnamed } = ofBreaker
      ? { chosen: awards, own: 0, unnamed: 0 }
      : sortOut(awards, decision, person);
    const worth = (award: ReviewedAward) => award.amountMinor ?? 0;
    const sample = [...chosen].sort((a, b) => worth(b) - worth(a) || (a.id < b.id ? -1 : 1)).slice(0, SAMPLE);
    const content = { of: ofBreaker ? 'breaker' : 'queue', decision, filter, hash: hashOf(awards, person) };
    return {
      count: chosen.length,
      totals: totalsOf(chosen),
      sample: sample.map(({ id }) => id),
      own,
      unnamed,
      more: ids.length > most,
      token: Buffer.from(JSON.stringify(content)).toString('base64url'),
    };
  });
}

/** Finds again what a token speaks of, takes it, and compares. */
async function lockPreviewed(
  sql: Sql,
  person: Person,
  token: string,
  of: 'queue' | 'breaker',
  most: number,
): Promise<{ decision: BatchDecision; filter: BatchFilter; awards: ReviewedAward[] }> {
  const content = readToken(token);
  if (content === null || content.of !== of)
    throw new AppError('invalid_request', 'This is not the token of a preview.', {
      errors: [{ field: 'token', message: 'is not what a preview answered' }],
    });
  const { decision, filter, hash } = content;
  const awards = await lockAwards(sql, await findBatch(sql, filter, most));
  if (hashOf(awards, person) !== hash)
    throw new AppError('amount_changed', 'Something of this has changed since the preview. Look at it again.');
  return { decision, filter, awards };
}

interface TokenContent {
  readonly of: string;
  readonly decision: BatchDecision;
  readonly filter: BatchFilter;
  readonly hash: string;
}

/** The token is no secret and proves nothing: what it says is looked up again, and whoever sends it has the role. */
function readToken(token: string): TokenContent | null {
  try {
    const { of, decision, filter, hash } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    const { statuses, stoppedBy, rule } = filter;
    const before = new Date(filter.before);
    const texts = [of, decision, hash, stoppedBy ?? '', rule ?? '', ...statuses];
    if (texts.some((text) => typeof text !== 'string' || text.includes('\0')) || Number.isNaN(before.getTime()))
      return null;
    if (decision !== 'approve' && decision !== 'decline') return null;
    return { of, decision, hash, filter: { statuses, stoppedBy, rule, before } };
  } catch {
    return null;
  }
}

/** Of exactly these awards, as they are, for this caller. */
function hashOf(awards: readonly ReviewedAward[], person: Person): string {
  const hash = createHash('sha256').update(person.keyId);
  for (const award of [...awards].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { id, amountMinor, currency, months, points, status, stoppedBy, proposedBy } = award;
    hash.update(JSON.stringify([id, amountMinor, currency, months, points, status, stoppedBy, proposedBy]));
  }
  return hash.digest('base64url');
}

function refuseApprovalOfFailed(decision: BatchDecision, { status }: BatchRequest): void {
  if (decision !== 'approve' || status !== 'failed') return;
  throw new AppError('invalid_request', 'What failed is tried again one by one, when its cause is mended.', {
    errors: [{ field: 'decision', message: 'failed awards can be declined together, not approved' }],
  });
}

function sortOut(awards: readonly ReviewedAward[], decision: BatchDecision, person: Person) {
  if (decision === 'decline') return { chosen: awards, own: 0, unnamed: 0 };
  const others = awards.filter(({ proposedBy }) => proposedBy !== proposerOf(person));
  const chosen = others.filter(({ amountMinor }) => amountMinor !== 0);
  return { chosen, own: awards.length - others.length, unnamed: others.length - chosen.length };
}

async function settle(
  sql: Sql,
  awards: readonly ReviewedAward[],
  decision: BatchDecision,
  made: Review,
  policy: Policy,
  trace: string,
) {
  await settleAwards(
    sql,
    awards.map(({ id }) => id),
    decision === 'approve' ? 'pending' : 'declined',
    made,
  );
  if (decision === 'approve') return carryOn(sql, awards, made, policy, trace);
  const decisions = [...new Set(awards.map(({ decisionId }) => decisionId))];
  const ids = [...decisions, ...(await noticeDeclined(sql, decisions, made.at))];
  return issueTickets(sql, { stage: 'send-messages', ids, trigger: 'agent', trace });
}

/** What was let through is granted, and counts as spent today. */
async function carryOn(sql: Sql, awards: readonly ReviewedAward[], made: Review, policy: Policy, trace: string) {
  await countAsSpent(sql, made.at, budgeted(awards, policy));
  const ids = awards.map(({ id }) => id);
  return issueTickets(sql, { stage: 'grant-awards', ids, trigger: 'agent', trace });
}

function totalsOf(awards: readonly ReviewedAward[]): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { kind, amountMinor, currency, months, points } of awards) {
    const unit = currency ?? (months === null ? (points === null ? kind : 'points') : 'membership_months');
    totals[unit] = (totals[unit] ?? 0) + (amountMinor ?? months ?? points ?? 1);
  }
  return totals;
}

async function audit(
  sql: Sql,
  person: Person,
  action: string,
  { at, reason }: Review,
  awards: readonly ReviewedAward[],
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (let start = 0; start === 0 || start < awards.length; start += IDS_PER_ENTRY) {
    const some = awards.slice(start, start + IDS_PER_ENTRY);
    await recordAudit(sql, {
      at,
      actor: person.actor,
      action,
      subject: action === 'breaker.reset' ? 'breaker' : 'approvals',
      reason,
      details: { ...details, keyId: person.keyId, totals: totalsOf(some), awards: some.map(({ id }) => id) },
    });
  }
}
