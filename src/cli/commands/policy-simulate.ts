import { writeFile } from 'node:fs/promises';
import { isCalendarDate, parseInstant, startOfLocalDay } from '../../calendar.js';
import { showMoney } from '../../compensation/wording.js';
import { readNow } from '../../db/now.js';
import { AppError } from '../../errors.js';
import { VERDICTS } from '../../promises/verdict.js';
import { type Cost, SIDES } from '../../simulation/compare-outcomes.js';
import { simulatePolicy } from '../../simulation/simulate-policy.js';
import { type OrderAnswer, type SimulationAnswer, simulationAnswer } from '../../simulation/simulation-answer.js';
import { isCurrency, renderWeeklyPlot } from '../../simulation/weekly-plot.js';
import { table } from '../print.js';
import { progressBar } from '../progress-bar.js';
import { readPolicyFile } from '../read-policy-file.js';
import { openSession } from '../session.js';

/**
 * `makegood policy simulate F [--since T] [--until T] [--svg FILE]`: what the policy in F would have cost on the recorded past,
 * beside the policy in force. Changes nothing.
 * @throws AppError `invalid_request` when the policy is not valid (with line and column), a time cannot be read, or the plot
 *   cannot be written
 */
export async function simulatePolicyCommand(input: {
  readonly file: string;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly svg: string | undefined;
}): Promise<SimulationAnswer> {
  const candidate = await readPolicyFile(input.file);
  const since = input.since === undefined ? null : readTime('--since', input.since);
  const until = input.until === undefined ? null : readTime('--until', input.until);
  const { deps, close } = await openSession();
  let bar = progressBar('judging');
  try {
    const now = await readNow(deps.db.pool, deps.clock);
    if (until !== null && until > now)
      throw new AppError(
        'invalid_request',
        `--until ${until.toISOString()} is in the future: nobody knows yet what will be.`,
      );
    const simulation = await simulatePolicy(deps, {
      candidate,
      asOf: until ?? now,
      since,
      onJudged: (done, total) => bar.update(done, total),
      onStage: () => {
        bar.stop();
        bar = progressBar('deciding');
      },
      onDecided: (done, total) => bar.update(done, total),
    });
    const { policy, version } = simulation.active;
    const answer = simulationAnswer(simulation, {
      active: { name: policy.name, version },
      candidate: { name: candidate.name, version: null },
      svg: input.svg ?? null,
    });
    if (input.svg !== undefined) await writePlot(input.svg, answer);
    return answer;
  } finally {
    bar.stop();
    await close();
  }
}

/** An instant, or a date: its beginning in UTC. */
function readTime(option: string, text: string): Date {
  const instant = isCalendarDate(text) ? startOfLocalDay(text, 'UTC') : parseInstant(text);
  if (instant !== null) return instant;
  throw new AppError(
    'invalid_request',
    `${option} is an ISO 8601 instant with offset, such as 2026-11-05T12:00:00Z, or a date such as 2026-11-05.`,
  );
}

async function writePlot(file: string, answer: SimulationAnswer): Promise<void> {
  const svg = renderWeeklyPlot({
    names: { active: answer.active.name, candidate: answer.candidate.name },
    weeks: answer.weeks,
    subtitle: `${ordersOf(answer)}, judged as of ${answer.asOf}`,
  });
  try {
    await writeFile(file, svg);
  } catch (cause) {
    throw new AppError('invalid_request', `--svg ${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

export function describeSimulation(answer: SimulationAnswer): string {
  const { active, candidate, totals, weeks, changes, mostDifferent, svg } = answer;
  return [
    `${ordersOf(answer)}, judged as of ${answer.asOf}. Nothing was changed.`,
    `Active: "${active.name}", version ${active.version}. Candidate: "${candidate.name}".`,
    '',
    'Orders by verdict, and what became of them',
    table(['', 'active', 'candidate'], [...verdictRows(answer), ...countRows(answer)]),
    '',
    'Awards',
    table(
      ['kind', 'active: given', 'held', 'awaiting approval', 'candidate: given', 'held', 'awaiting approval'],
      awardRows(answer),
    ),
    '',
    'Cost in all',
    table(
      ['unit', 'active', 'candidate', 'difference'],
      totals.map((total) => [total.unit, ...costCells(total)]),
    ),
    '',
    'Cost by week of the decision (ISO 8601, UTC)',
    table(
      ['unit', 'week', 'active', 'candidate', 'difference'],
      weeks.map((week) => [week.unit, week.week, ...costCells(week)]),
    ),
    '',
    'Who would get more, and who less',
    table(
      ['', 'winners', 'losers', 'mixed', 'same'],
      (['orders', 'customers'] as const).map((who) => {
        const { winners, losers, mixed, same } = changes[who];
        return [who, winners, losers, mixed, same];
      }),
    ),
    '',
    mostDifferent.length === 0 ? 'No order differs.' : 'The orders that differ most',
    ...(mostDifferent.length === 0
      ? []
      : [
          table(
            ['order', 'verdict', 'late days', 'active gives', 'candidate gives'],
            mostDifferent.map((order) => [
              order.orderId,
              either(order.active.verdict, order.candidate.verdict),
              either(order.active.lateDays, order.candidate.lateDays),
              givenText(order.active),
              givenText(order.candidate),
            ]),
          ),
        ]),
    ...(svg === null ? [] : ['', `The plot of the weeks is in ${svg}.`]),
  ].join('\n');
}

function ordersOf({ orders, customers, since }: SimulationAnswer): string {
  const which = since === null ? '' : ` whose promise ended at ${since} or later`;
  return `${orders} orders of ${customers} customers${which}`;
}

function verdictRows({ active, candidate }: SimulationAnswer): (string | number)[][] {
  return VERDICTS.filter((verdict) => active.verdicts[verdict] + candidate.verdicts[verdict] > 0).map((verdict) => [
    verdict,
    active.verdicts[verdict],
    candidate.verdicts[verdict],
  ]);
}

function countRows({ active, candidate }: SimulationAnswer): (string | number)[][] {
  return [
    ['orders with an incident', active.ordersWithIncident, candidate.ordersWithIncident],
    ['tasks (calls)', active.tasks, candidate.tasks],
    ['awards withheld by the holdout', active.awardsWithheld, candidate.awardsWithheld],
  ];
}

function awardRows(answer: SimulationAnswer): (string | number)[][] {
  const kinds = [...new Set(SIDES.flatMap((side) => answer[side].awards.map(({ kind }) => kind)))].sort();
  return kinds.map((kind) => [
    kind,
    ...SIDES.flatMap((side) => {
      const counts = answer[side].awards.find((one) => one.kind === kind);
      return [counts?.given ?? 0, counts?.held ?? 0, counts?.awaitingApproval ?? 0];
    }),
  ]);
}

function costCells(row: { readonly unit: string; readonly active: Cost; readonly candidate: Cost }): string[] {
  const show = (quantity: number) => showQuantity(row.unit, quantity);
  const cell = ({ given, waiting }: Cost) =>
    waiting === 0 ? show(given) : `${show(given)} + ${show(waiting)} waiting`;
  const difference = row.candidate.given + row.candidate.waiting - row.active.given - row.active.waiting;
  return [...SIDES.map((side) => cell(row[side])), `${difference > 0 ? '+' : ''}${show(difference)}`];
}

function showQuantity(unit: string, quantity: number): string {
  return isCurrency(unit) ? showMoney({ amountMinor: quantity, currency: unit }) : String(quantity);
}

function either(active: string | number | null, candidate: string | number | null): string {
  return active === candidate ? String(active ?? '') : `${active ?? 'none'}, then ${candidate ?? 'none'}`;
}

function givenText({ awards, calls }: OrderAnswer): string {
  const lines = [
    ...awards.map(({ kind, status, unit, quantity, rule }) => {
      const measure = unit === 'replacement' ? '' : ` ${showQuantity(unit, quantity)}`;
      const what = isCurrency(unit) || unit === 'replacement' ? measure : `${measure} ${unit}`;
      return `${kind}${what} by ${rule}${status === 'pending' ? '' : ` (${status})`}`;
    }),
    ...calls.map((rule) => `call by ${rule}`),
  ];
  return lines.length > 0 ? lines.join('\n') : 'nothing';
}
