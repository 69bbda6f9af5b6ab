import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** It has become so much later that more is due than was given, and told, before. */
export const topUp: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId} ${letter.metAt === null ? 'is' : 'came'} ${phrases.lateness ?? 'late'}`,
  blocks: [
    paragraph(
      `We wrote to you before about order ${phrases.orderId}, which we had promised you ${phrases.promised}.`,
      phrases.whatHappened,
    ),
    paragraph(
      'What we gave you then was meant for a shorter wait.',
      letter.metAt === null
        ? 'We are sorry that yours is still going on.'
        : 'We are sorry that yours went on for so much longer.',
    ),
    ...(phrases.whereItIs === null ? [] : [paragraph(phrases.whereItIs)]),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts },
  ],
});
