import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** It came, after the promise had ended. */
export const lateDelivered: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId} came ${phrases.lateness ?? 'late'}`,
  blocks: [
    paragraph(`We promised you order ${phrases.orderId} ${phrases.promised}.`, phrases.whatHappened, phrases.whereItIs),
    paragraph(
      `We gave you that ${phrases.promisedUnit} and did not keep it.`,
      phrases.promisedUnit === 'day'
        ? 'We are sorry that you waited that day and nothing came.'
        : 'We are sorry for the time you spent waiting for us.',
    ),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts },
  ],
});
