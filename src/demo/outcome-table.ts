import { table } from '../cli/print.js';
import type { OrderView } from '../http/order-view.js';
import { formatMoney } from '../money.js';
import type { Story } from './story.js';

export interface StoryOutcome {
  readonly story: Story;
  readonly view: OrderView;
}

/** The day in one table. */
export function outcomeTable(outcomes: readonly StoryOutcome[]): string {
  return table(
    ['order', 'promised', 'what happened', 'verdict', 'award', 'letter'],
    outcomes.map(({ story, view }) => [
      `${story.id}\nby ${story.source}`,
      `${story.promise.on.slice(5)} ${story.promise.timeZone.split('/')[1]?.replace('_', ' ')}`,
      story.happened,
      verdictOf(view),
      [...awardsOf(view), ...view.tasks.map(({ kind }) => `${kind} task`)].join('\n') || whyNothing(view),
      lettersOf(view).join('\n') || '-',
    ]),
    [9, 18, 34, 21, 24, 17],
  );
}

/** What does not stand as it should, in words; empty when all is well. */
export function disappointments(outcomes: readonly StoryOutcome[]): string[] {
  return outcomes.flatMap(({ story, view }) => {
    const is = JSON.stringify({ verdict: view.verdict?.verdict, awards: awardsOf(view), letters: lettersOf(view) });
    const should = JSON.stringify(story.expected);
    return is === should ? [] : [`${story.id}: expected ${should}, got ${is}`];
  });
}

function verdictOf({ verdict }: OrderView): string {
  if (!verdict) return 'not judged';
  const late = verdict.lateDays === null ? '' : `, ${verdict.lateDays} ${verdict.lateDays === 1 ? 'day' : 'days'}`;
  return `${verdict.verdict}${late}${verdict.fault ? `\nfault: ${verdict.fault}` : ''}`;
}

function awardsOf({ awards }: OrderView): string[] {
  return awards.map(({ kind, months, amount, status }) => {
    const what =
      kind === 'membership_extension'
        ? `${months} free ${months === 1 ? 'month' : 'months'}`
        : amount
          ? `${formatMoney(amount, 'en-US')} ${kind === 'store_credit' ? 'credit' : kind}`
          : kind;
    return status === 'applied' ? what : `${what} (${status})`;
  });
}

function whyNothing({ verdict }: OrderView): string {
  return verdict?.declinedBecause ? `none: ${verdict.declinedBecause}` : '-';
}

function lettersOf({ messages }: OrderView): string[] {
  return messages.map(({ template, status }) => (status === 'sent' ? template : `${template} (${status})`));
}
