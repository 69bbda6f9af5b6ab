import { minuteCount, monthCount, pointCount, showMeasure, showMoney } from '../../compensation/wording.js';
import {
  type AwardExplained,
  explainOrder,
  type OrderExplained,
  type VerdictExplained,
} from '../../promises/explain-order.js';
import type { ExplainedAward, ExplainedLetter, ExplainedTask } from '../../promises/explain-store.js';
import { withSession } from '../session.js';

/** `makegood explain ORDER`. */
export const explainCommand = ({ orderId }: { readonly orderId: string }): Promise<OrderExplained> =>
  withSession(({ deps }) => explainOrder(deps, orderId));

/** For a person at a terminal: headings, and below each what there is to say. */
export function describeExplanation(explained: OrderExplained): string {
  const { order, current, verdicts, awards, tasks, letters, overCompensation } = explained;
  const { promise } = order;
  const promised = promise === null ? '' : ` (${'on' in promise ? promise.on : iso(promise.at)}, ${promise.timeZone})`;
  const heads = [
    `promised until ${iso(order.promisedUntil)}${promised}`,
    `customer ${order.customerId}, registered ${iso(order.registeredAt)}`,
    ...(order.backfill ? ['registered long after its promise had ended: judged, and not compensated'] : []),
    ...(order.arm === null ? [] : [`arm ${order.arm}`]),
  ];
  if (current === null) return [section(`Order ${order.id}`, heads), 'It has not been judged yet.'].join('\n\n');
  return [
    section(`Order ${order.id}`, heads),
    section('Verdict', answerLines(current)),
    section('Why, for the agent', current.explanation),
    section(
      'What to tell the customer',
      current.customerWording.length > 0 ? current.customerWording : ['(not recorded)'],
    ),
    section('Awards', awards.length > 0 ? awards.flatMap(awardLines) : ['none']),
    ...(overCompensation.length > 0
      ? [
          section(
            'Given beyond what is earned now',
            overCompensation.map((one) => `${showMeasure(one.quantity, one.unit)} (${one.class}); it stays given`),
          ),
        ]
      : []),
    ...(tasks.length > 0 ? [section('Tasks', tasks.map(taskLine))] : []),
    section('Letters', letters.length > 0 ? letters.map(letterLine) : ['none']),
    section('History', verdicts.map(historyLine)),
    section('Run again', replayLines(verdicts)),
  ].join('\n\n');
}

function section(heading: string, lines: readonly string[]): string {
  return [heading, '-'.repeat(heading.length), ...lines.map((line) => `  ${line}`)].join('\n');
}

function answerLines(verdict: VerdictExplained): string[] {
  const { incident, declinedBecause, mode, arm, policyVersion, policyName, judgedAt, trigger } = verdict;
  return [
    facts(verdict),
    incident === null ? 'no incident' : `incident ${incident}`,
    ...(declinedBecause === null ? [] : [`nothing given: ${declinedBecause}`]),
    `policy ${policyVersion} "${policyName}", mode ${mode}${arm === null ? '' : `, arm ${arm}`}`,
    `judged ${iso(judgedAt)} (${trigger})`,
  ];
}

function facts({ verdict, metAt, lateDays, lateMinutes, fault }: VerdictExplained): string {
  return [
    verdict,
    ...(metAt === null ? [] : [`met at ${iso(metAt)}`]),
    ...(lateDays === null ? [] : [`late by days ${lateDays}, minutes ${lateMinutes}`]),
    ...(fault === null ? [] : [`fault ${fault}`]),
  ].join(', ');
}

function awardLines(award: AwardExplained): string[] {
  const { kind, status, stoppedBy, incident, rule, reason, provider, callStatus, attempts, receipt, error } = award;
  const stopped = stoppedBy.length > 0 ? ` by ${stoppedBy.join(', ')}` : '';
  const applied = award.appliedAt === null ? '' : ` at ${iso(award.appliedAt)}`;
  const details = [
    `for ${incident}, rule ${rule}: ${reason}`,
    `id ${award.id}, proposed by ${award.proposedBy} at ${iso(award.decidedAt)}`,
    ...contactLine(award),
    ...(award.reviewedBy === null
      ? []
      : [`reviewed by ${award.reviewedBy} at ${maybe(award.reviewedAt)}: ${award.reviewReason ?? 'no reason given'}`]),
    ...(provider === null
      ? []
      : [`provider ${provider}${callStatus === null ? '' : `, ${callStatus}, tries: ${attempts}`}`]),
    ...(receipt === null ? [] : [`receipt ${referenceOf(receipt)}`]),
    ...(error === null ? [] : [`last error: ${error}`]),
    ...(award.expiresAt === null ? [] : [`ends ${iso(award.expiresAt)}`]),
    ...(award.shipOn === null ? [] : [`leaves on ${award.shipOn}`]),
  ];
  return [`${kind}${worthOf(award)}: ${status}${stopped}${applied}`, ...details.map((line) => `  ${line}`)];
}

/** Whether it came before the customer complained; nothing where nobody knows yet, and nobody did. */
function contactLine({ incident, beforeContact: { firstContactAt, cameFirst, minutes } }: AwardExplained): string[] {
  if (firstContactAt === null) return cameFirst === true ? ['came before any complaint: there is none'] : [];
  const contact = `first complaint at ${iso(firstContactAt)}`;
  if (cameFirst === true) return [`came ${minuteCount(minutes ?? 0)} before the ${contact}`];
  if (incident === 'manual') return [`given by hand; ${contact}`];
  if (minutes === null) return [`not applied before the ${contact}`];
  return [`came ${minuteCount(-minutes)} after the ${contact}`];
}

function worthOf({ months, points, amountMinor, currency, shipping }: ExplainedAward): string {
  if (months !== null) return ` ${monthCount(months)}`;
  if (points !== null) return ` ${pointCount(points)}`;
  if (amountMinor !== null && currency !== null) return ` ${showMoney({ amountMinor, currency })}`;
  return shipping === null ? '' : ` (${shipping})`;
}

/** What the provider calls what it did. */
function referenceOf(receipt: Readonly<Record<string, unknown>>): string {
  const { reference, id } = receipt;
  if (typeof reference === 'string') return reference;
  return typeof id === 'string' ? id : JSON.stringify(receipt);
}

function taskLine({ kind, rule, status, dueAt, outcome }: ExplainedTask): string {
  const due = dueAt === null ? '' : `, due ${iso(dueAt)}`;
  return `${kind} (${rule}): ${status}${due}${outcome === null ? '' : `, ${outcome}`}`;
}

function letterLine({ template, part, status, toAddress, sentAt, createdAt, messageId }: ExplainedLetter): string {
  const when = sentAt === null ? `written ${iso(createdAt)}` : `sent ${iso(sentAt)}`;
  return `${template}${part > 1 ? ` (part ${part})` : ''} to ${toAddress}: ${status}, ${when}, ${messageId}`;
}

function historyLine(verdict: VerdictExplained): string {
  const { judgedAt, incident, declinedBecause, policyVersion, mode, trigger, differences } = verdict;
  const came = incident ?? 'no incident';
  const why = declinedBecause === null ? '' : `, ${declinedBecause}`;
  const same = differences.length === 0 ? '' : '  DIFFERS when run again';
  return `${iso(judgedAt)}  ${facts(verdict)}; ${came}${why}; policy ${policyVersion}, ${mode}, ${trigger}${same}`;
}

function replayLines(verdicts: readonly VerdictExplained[]): string[] {
  const wrong = verdicts.filter(({ differences }) => differences.length > 0);
  if (wrong.length === 0) {
    return verdicts.length === 1
      ? ['The stored inputs, run again, give the same answer.']
      : [`The stored inputs of all ${verdicts.length} verdicts, run again, give the same answers.`];
  }
  return wrong.flatMap(({ judgedAt, differences }) => [
    `The verdict of ${iso(judgedAt)} is NOT what its stored inputs give:`,
    ...differences.map(
      ({ field, recorded, replayed }) =>
        `  ${field}: recorded ${JSON.stringify(recorded)}, run again ${JSON.stringify(replayed)}`,
    ),
  ]);
}

function iso(at: Date): string {
  return at.toISOString();
}

function maybe(at: Date | null): string {
  return at === null ? 'an unknown time' : iso(at);
}
