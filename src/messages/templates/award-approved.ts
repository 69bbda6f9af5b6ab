import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** More of what was decided, told when a person had looked at it: what happened stood in the letter before. */
export const awardApproved: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId}: we have added to it`,
  blocks: [
    paragraph(
      `We wrote to you before about order ${phrases.orderId}, which we had promised you ${phrases.promised}.`,
      'One of us has looked at it again since, and has done more for you. We are sorry that it took a second look.',
    ),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts.filter(({ label }) => label !== 'Expected now') },
  ],
});
