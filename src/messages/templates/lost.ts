import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** It is not going to come. */
export const lost: Template = (letter, phrases) => {
  const { format } = phrases;
  const lastNews =
    letter.lastScan === null
      ? null
      : `The last news of it is from ${format.day(format.dayOf(letter.lastScan.at))}, and there has been none since.`;
  return {
    subject: `Order ${phrases.orderId} has been lost`,
    blocks: [
      paragraph(
        `We promised you order ${phrases.orderId} ${phrases.promised}.`,
        'It has been lost on its way to you.',
        lastNews,
      ),
      paragraph(
        `We gave you that ${phrases.promisedUnit} and did not keep it.`,
        'We are sorry that you waited for something that did not come.',
      ),
      ...remedyBlocks(letter, phrases),
      { kind: 'facts', rows: phrases.facts.filter((fact) => fact.label !== 'Expected now') },
    ],
  };
};
