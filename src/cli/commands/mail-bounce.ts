import { type BounceOutcome, recordBounce } from '../../messages/bounces.js';
import { readInput } from '../read-input.js';
import { openSession } from '../session.js';
import { actor } from './recheck.js';

/**
 * `makegood mail bounce`: takes in a mail that came back, as a mail server sends it.
 * @throws AppError `invalid_request`: a file that cannot be read, or that is no such report
 */
export async function mailBounceCommand(file: string): Promise<BounceOutcome> {
  // Read before anything is opened: what cannot be read waits for no database.
  const source = await readInput(file);
  const { deps, close } = await openSession();
  try {
    return await recordBounce(deps, source, actor());
  } finally {
    await close();
  }
}

export function describeMailBounce({ outcome, messageId, suppressed }: BounceOutcome): string {
  switch (outcome) {
    case 'bounced':
      return `The letter ${messageId} came back.${suppressed ? ' Nothing is sent to its address any more.' : ''}`;
    case 'delivered':
      return `The letter ${messageId}, of which it was not known, has arrived.`;
    case 'ignored':
      return messageId === null
        ? 'It names no letter: nothing was changed.'
        : `It says nothing final of a letter of ours (${messageId}): nothing was changed.`;
  }
}
