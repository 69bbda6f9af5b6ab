import { callProviders } from './awards/call-providers.js';
import { grantAwards } from './awards/grant-awards.js';
import { deliverEvents } from './events/deliver-events.js';
import { sendMessages } from './messages/send-messages.js';
import { judgePromises } from './promises/judge-promises.js';
import type { StageDefinition } from './queue/run-ticket.js';
import type { StageName } from './queue/ticket.js';
import { trackShipments } from './shipments/track-shipments.js';

/**
 * The map. A parcel goes through these stages from top to bottom; each writes its result and the ticket for the next in one
 * transaction. Stage 0, `receive-webhook` (src/inbox), stands at the door and issues the first ticket; registering an order
 * issues it too. A deadline (watch-deadlines), an agent (recheck) and the night (sweep) come in at judge-promises.
 *
 * What the shop's own systems are told of happens in all of them: whoever records an event writes its deliveries and their
 * ticket with it (events/event-store.ts), and the relay takes it to deliver-events.
 *
 * A ticket that fails for a reason outside (database, queue) stays and is brought back; one that fails by itself is halved
 * until the culprit stands alone, and that is set aside with its error (queue/run-ticket.ts).
 */
export const PIPELINE = {
  'track-shipments': {
    name: 'track-shipments',
    takes: 'tracking keys',
    next: ['judge-promises'],
    concurrency: 2,
    work: { kind: 'transaction', run: trackShipments },
  },
  'judge-promises': {
    name: 'judge-promises',
    takes: 'order ids',
    // What is told without anything being given needs no granting.
    next: ['grant-awards', 'send-messages'],
    concurrency: 2,
    work: { kind: 'transaction', run: judgePromises },
  },
  'grant-awards': {
    name: 'grant-awards',
    takes: 'award ids',
    // What the ledger grants is granted; what a provider outside grants is still to be asked for.
    next: ['call-providers', 'send-messages'],
    concurrency: 2,
    work: { kind: 'transaction', run: grantAwards },
  },
  'call-providers': {
    name: 'call-providers',
    takes: 'award ids',
    next: ['send-messages'],
    // Each holds a connection of the database while it waits for a provider.
    concurrency: 1,
    work: { kind: 'effect', run: callProviders },
  },
  'send-messages': {
    name: 'send-messages',
    takes: 'ids of decisions and notices',
    next: [],
    // Each holds a connection of the database while it talks to the mail server.
    concurrency: 2,
    work: { kind: 'effect', run: sendMessages },
  },
  'deliver-events': {
    name: 'deliver-events',
    takes: 'ids of deliveries of events',
    next: [],
    // Each holds a connection of the database while it waits for the shop's systems.
    concurrency: 2,
    work: { kind: 'effect', run: deliverEvents },
  },
} as const satisfies Record<StageName, StageDefinition>;
