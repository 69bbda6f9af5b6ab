import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** A scan says delivered, the customer says no. The customer's word stands, and the letter says so. */
export const notReceived: Template = (letter, phrases) => {
  const { format } = phrases;
  const scan =
    letter.deliveredAt === null
      ? 'although it is shown as delivered'
      : `although it is shown as delivered on ${format.day(format.dayOf(letter.deliveredAt))}`;
  return {
    subject: `Order ${phrases.orderId} did not reach you`,
    blocks: [
      paragraph(`You told us that order ${phrases.orderId} is not with you, ${scan}.`, 'We take your word for it.'),
      paragraph('We promised to bring it to you, and we are sorry that you had to come and ask where it was.'),
      ...remedyBlocks(letter, phrases),
      // The delivery is what is in dispute: as a plain fact it would contradict the customer.
      { kind: 'facts', rows: phrases.facts.filter((fact) => fact.label === 'Order' || fact.label === 'Promised') },
    ],
  };
};
