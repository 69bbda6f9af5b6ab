import { reconcileLedger } from '../awards/reconcile-ledger.js';
import type { LedgerDifference } from '../awards/reconcile-store.js';
import { type AlarmKind, clearAlarm, raiseAlarm } from '../compensation/alarm-store.js';
import type { Sql } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Deps } from '../deps.js';
import {
  countCompensatedOrders,
  findCompensatedOrders,
  finishAuditRun,
  loadRecordedVerdicts,
  loadStandings,
  type RecordedVerdictRow,
  type Standing,
  sampleVerdicts,
  startAuditRun,
} from './audit-awards-store.js';
import { answerWith, checkAnswer } from './check-answer.js';
import { dueAndNotPaid, paidAndNotDue, type Quantity } from './compare-standing.js';
import { type Difference, readRecordedDecision } from './replay-decision.js';

/** How much was looked at, how much of it is wrong, and the first of that. */
export interface Findings<T> {
  readonly looked: number;
  readonly found: number;
  readonly listed: readonly T[];
}

export interface WrongAnswer {
  readonly orderId: string;
  readonly verdictId: string;
  readonly differences: readonly Difference[];
}
export interface Due extends Quantity {
  readonly orderId: string;
  readonly incident: string;
  readonly rule: string;
}
export interface NotDue extends Quantity {
  readonly orderId: string;
}

export interface AuditReport {
  readonly asOf: string;
  /** Nothing is wrong. What is shown as over-compensation is not. */
  readonly ok: boolean;
  /** Verdicts whose stored inputs give another answer than the one in the record. */
  readonly wrongAnswers: Findings<WrongAnswer>;
  readonly dueAndNotPaid: Findings<Due>;
  /** Given, not earned, and nothing in the record says why. */
  readonly paidAndNotDue: Findings<NotDue>;
  /** Given, and not earned any more since tracking was corrected: known, and never taken back. */
  readonly overCompensation: Findings<NotDue>;
  readonly ledger: Omit<Findings<LedgerDifference>, 'looked'>;
}

/** Verdicts of each kind, newest and random, that are run again. Fewer, and a fault that is rare stays unseen for weeks. */
const SAMPLE = 500;
/** Of each finding. More, and nobody reads the report. */
const LISTED = 100;
/** Rows in memory at once; each may hold hundreds of scans. */
const CHUNK = 100;
/** How far back what was given is compared with what is due. Further, and policies have changed more than orders. */
const LOOK_BACK_DAYS = 60;
const DAY_MS = 86_400_000;

/**
 * audit-awards: proves each night that the record is right: runs stored inputs again, and compares what is due with what
 * was given, and both sides of the ledger with each other.
 * Reads:    verdicts, orders, incidents, awards, policies, ledger
 * Writes:   audit runs, alarms
 * Twice:    it changes nothing that it looks at; an alarm that is open stays the same alarm.
 * If lost:  the next night looks at the same again.
 * @param options.sample how many of the newest verdicts, and how many random ones, are run again
 */
export async function auditAwards(
  deps: Pick<Deps, 'db' | 'clock' | 'log' | 'policies'>,
  options: { sample?: number; onProgress?: (done: number, total: number) => Promise<void> | void } = {},
): Promise<AuditReport> {
  const { sample = SAMPLE, onProgress = () => {} } = options;
  const { pool } = deps.db;
  const now = await readNow(pool, deps.clock);
  const run = await startAuditRun(pool, now);
  const verdictIds = await sampleVerdicts(pool, sample);
  const total = verdictIds.length + (await countCompensatedOrders(pool));
  let done = 0;
  const advance = async (rows: number) => {
    done += rows;
    await onProgress(done, Math.max(done, total));
  };

  const answers = collect<WrongAnswer>();
  for (let start = 0; start < verdictIds.length; start += CHUNK) {
    const rows = await loadRecordedVerdicts(pool, verdictIds.slice(start, start + CHUNK));
    for (const row of rows) {
      const differences = await checkAnswer(deps, row);
      answers.look(differences.length === 0 ? [] : [{ orderId: row.orderId, verdictId: row.id, differences }]);
    }
    await advance(rows.length);
  }

  const standings = { due: collect<Due>(), notDue: collect<NotDue>(), shown: collect<NotDue>() };
  const since = new Date(now.getTime() - LOOK_BACK_DAYS * DAY_MS);
  for (let after = ''; ; ) {
    const ids = await findCompensatedOrders(pool, after, CHUNK);
    if (ids.length === 0) break;
    after = ids.at(-1) ?? after;
    for (const standing of await loadStandings(pool, ids, since)) {
      const { due, notDue, shown } = await checkStanding(deps, standing);
      standings.due.look(due);
      standings.notDue.look(notDue);
      standings.shown.look(shown);
    }
    await advance(ids.length);
  }
  const books = await reconcileLedger(pool);

  const wrong = {
    wrongAnswers: answers.findings(),
    dueAndNotPaid: standings.due.findings(),
    paidAndNotDue: standings.notDue.findings(),
    ledger: { found: countDifferences(books), listed: books },
  };
  const report: AuditReport = {
    asOf: now.toISOString(),
    ok: Object.values(wrong).every(({ found }) => found === 0),
    ...wrong,
    overCompensation: standings.shown.findings(),
  };
  await deps.db.transaction(async (sql) => {
    const at = await readNow(sql, deps.clock);
    await sound(sql, report, at);
    await finishAuditRun(sql, run, at, report);
  });
  deps.log[report.ok ? 'info' : 'error'](countsOf(report), 'audit-awards');
  return report;
}

/** Counts what is found, and keeps the first of it. */
function collect<T>() {
  let [looked, found] = [0, 0];
  const listed: T[] = [];
  return {
    /** @param findings of one thing that was looked at */
    look(findings: readonly T[]): void {
      looked++;
      found += findings.length;
      listed.push(...findings.slice(0, LISTED - listed.length));
    },
    findings: (): Findings<T> => ({ looked, found, listed }),
  };
}

async function checkStanding(
  deps: Parameters<typeof checkAnswer>[0],
  { verdict, awards }: Standing,
): Promise<{ due: Due[]; notDue: NotDue[]; shown: NotDue[] }> {
  const { orderId, mode } = verdict;
  const ours = awards.filter(({ byPolicy }) => byPolicy);
  const scratch = await answerWith(deps, verdict, []);
  const now = await answerWith(deps, verdict, ours);
  // That the record cannot be read is found among the answers.
  if (scratch.outcome === 'unreadable' || now.outcome === 'unreadable') return { due: [], notDue: [], shown: [] };
  const { decision } = scratch;
  const due = mode === 'active' ? dueAndNotPaid(decision, awards) : [];
  const surplus = saysWhatIsTooMuch(verdict)
    ? paidAndNotDue(now.decision.overCompensation, ours, readRecordedDecision(verdict.decision))
    : [];
  const ofOrder = (one: Quantity) => ({ orderId, class: one.class, unit: one.unit, quantity: one.quantity });
  return {
    due: due.map((one) => ({ ...ofOrder(one), incident: decision.incident ?? 'none', rule: one.rule })),
    notDue: surplus.filter(({ accountedFor }) => !accountedFor).map(ofOrder),
    shown: surplus.filter(({ accountedFor }) => accountedFor).map(ofOrder),
  };
}

/** Records from before over-compensation was recorded know nothing of it: their silence is no fault. */
function saysWhatIsTooMuch({ inputs }: RecordedVerdictRow): boolean {
  return typeof inputs === 'object' && inputs !== null && 'arm' in inputs;
}

/** Of each kind only some are listed, and each says how many there are. */
function countDifferences(differences: readonly LedgerDifference[]): number {
  const byKind = new Map(differences.map(({ kind, found }) => [kind, found]));
  return [...byKind.values()].reduce((sum, found) => sum + found, 0);
}

/** One alarm for each kind of finding, as long as there is any. */
async function sound(sql: Sql, report: AuditReport, at: Date): Promise<void> {
  const { wrongAnswers, dueAndNotPaid: due, paidAndNotDue: notDue, ledger } = report;
  const ordersOf = (findings: Findings<{ readonly orderId: string }>) => ({
    found: findings.found,
    orders: findings.listed.slice(0, NAMED_IN_ALARM).map(({ orderId }) => orderId),
  });
  const alarms: [kind: AlarmKind, subject: string, found: number, message: string, details: Record<string, unknown>][] =
    [
      [
        'audit',
        'wrong_answers',
        wrongAnswers.found,
        `${wrongAnswers.found} of ${wrongAnswers.looked} verdicts are not what their stored inputs give. \`makegood explain ORDER\` shows in what.`,
        ordersOf(wrongAnswers),
      ],
      ['audit', 'due_and_not_paid', due.found, `${due.found} remedies are due and were not given.`, ordersOf(due)],
      [
        'audit',
        'paid_and_not_due',
        notDue.found,
        `${notDue.found} remedies were given, are not due, and nothing says why.`,
        ordersOf(notDue),
      ],
      [
        'ledger',
        'reconcile',
        ledger.found,
        `The ledger does not add up in ${ledger.found} places.`,
        { found: ledger.found, first: ledger.listed.slice(0, NAMED_IN_ALARM) },
      ],
    ];
  for (const [kind, subject, found, message, details] of alarms) {
    if (found > 0) await raiseAlarm(sql, { kind, subject, message, details, at });
    else await clearAlarm(sql, { kind, subject, at });
  }
}

/** The rest stands in the report. */
const NAMED_IN_ALARM = 5;

function countsOf(report: AuditReport): Record<string, unknown> {
  const entries = Object.entries(report).map(([name, value]) =>
    typeof value === 'object' ? [name, value.found] : [name, value],
  );
  return Object.fromEntries(entries);
}
