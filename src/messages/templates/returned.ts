import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** It is on its way back. Why is left out: it may have been an address, and this is no letter to discuss that in. */
export const returned: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId} is on its way back to us`,
  blocks: [
    paragraph(
      `We promised you order ${phrases.orderId} ${phrases.promised}.`,
      'It turned back before it reached you and is on its way to us.',
    ),
    paragraph('We are sorry that you waited for something that did not come.'),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts.filter((fact) => fact.label !== 'Expected now') },
  ],
});
