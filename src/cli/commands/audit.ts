import { showMeasure } from '../../compensation/wording.js';
import { type AuditReport, auditAwards } from '../../promises/audit-awards.js';
import type { Quantity } from '../../promises/compare-standing.js';
import { table } from '../print.js';
import { progressBar } from '../progress-bar.js';
import { openSession } from '../session.js';

/** `makegood audit [--sample N]`. */
export async function auditCommand(input: { readonly sample: number | undefined }): Promise<AuditReport> {
  const { deps, close } = await openSession();
  const bar = progressBar('auditing');
  try {
    return await auditAwards(deps, {
      ...(input.sample === undefined ? {} : { sample: input.sample }),
      onProgress: bar.update,
    });
  } finally {
    bar.stop();
    await close();
  }
}

export function describeAudit(report: AuditReport): string {
  const { wrongAnswers, dueAndNotPaid, paidAndNotDue, overCompensation, ledger } = report;
  const counts = table(
    ['looked for', 'looked at', 'found'],
    [
      ['verdicts that their stored inputs do not give again', wrongAnswers.looked, wrongAnswers.found],
      ['due and not paid', dueAndNotPaid.looked, dueAndNotPaid.found],
      ['paid and not due, and nothing says why', paidAndNotDue.looked, paidAndNotDue.found],
      ['over-compensation that the record shows (no fault)', overCompensation.looked, overCompensation.found],
      ['places in which the ledger does not add up', null, ledger.found],
    ],
  );
  const lines = [
    ...wrongAnswers.listed.map(
      ({ orderId, differences }) => `Order ${orderId}: ${differences.map(({ field }) => field).join(', ')} differ.`,
    ),
    ...dueAndNotPaid.listed.map(
      (due) => `Order ${due.orderId}: ${amount(due)} by ${due.rule} is due for ${due.incident} and was not given.`,
    ),
    ...paidAndNotDue.listed.map((one) => `Order ${one.orderId}: ${amount(one)} was given and is not due.`),
    ...overCompensation.listed.map(
      (one) => `Order ${one.orderId}: ${amount(one)} more than is earned now, as it shows.`,
    ),
    ...ledger.listed.map((difference) => `Ledger: ${JSON.stringify(difference)}`),
  ];
  const verdict = report.ok
    ? 'Nothing is wrong.'
    : 'Something is wrong: `makegood explain ORDER` shows an order in full.';
  return [`Audit as of ${report.asOf}.`, counts, ...lines, verdict].join('\n');
}

function amount({ class: name, unit, quantity }: Quantity): string {
  return `${showMeasure(quantity, unit)} (${name})`;
}
