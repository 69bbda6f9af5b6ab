import { paragraph, type Template } from './content.js';
import { remedyBlocks } from './remedies.js';

/** It broke on the way, whether a scan or the customer said so. */
export const damaged: Template = (letter, phrases) => ({
  subject: `Order ${phrases.orderId} was damaged on its way to you`,
  blocks: [
    paragraph(`Order ${phrases.orderId}, which we promised you ${phrases.promised}, was damaged on its way to you.`),
    paragraph('It should have come to you whole. We are sorry that something you had looked forward to was spoiled.'),
    ...remedyBlocks(letter, phrases),
    { kind: 'facts', rows: phrases.facts },
  ],
});
