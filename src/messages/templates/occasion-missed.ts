import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/**
 * It was not there on the date that mattered. The occasion's name is the shop's own label ("christmas", "Mia's
 * birthday"), so it stands in brackets after the day: in a sentence of ours it would need grammar that we do not know.
 */
export const occasionMissed: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId} missed ${phrases.occasion?.shortDay ?? 'the day it was meant for'}`,
  blocks: [
    paragraph(`We promised you order ${phrases.orderId} ${phrases.promised}.`, phrases.whatHappened),
    paragraph(
      phrases.occasion === null
        ? 'It was meant for a day that mattered, and on that day it was not there.'
        : `It was meant for ${phrases.occasion.day} (${phrases.occasion.name}), and on that day it was not there.`,
      'We cannot give you the day back, and we are sorry that you spent it without what you had planned for it.',
    ),
    ...(phrases.whereItIs === null ? [] : [paragraph(phrases.whereItIs)]),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts },
  ],
});
