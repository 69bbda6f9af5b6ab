import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** The promise has ended and it is not there. */
export const lateOverdue: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId} is ${phrases.lateness ?? 'late'}`,
  blocks: [
    paragraph(`We promised you order ${phrases.orderId} ${phrases.promised}.`, phrases.whatHappened),
    paragraph(
      `We gave you that ${phrases.promisedUnit} and did not keep it.`,
      'We are sorry that you are still waiting.',
    ),
    ...(phrases.whereItIs === null ? [] : [paragraph(phrases.whereItIs)]),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts },
  ],
});
