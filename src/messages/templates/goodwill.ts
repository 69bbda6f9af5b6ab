import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** Given by a person, who had a reason of their own for it: what that is, they have said themselves. */
export const goodwill: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId}`,
  blocks: [
    paragraph(
      `One of us has looked at your order ${phrases.orderId}.`,
      'We are sorry for the trouble you had with it.',
    ),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts.filter(({ label }) => label === 'Order' || label === 'Promised') },
  ],
});
