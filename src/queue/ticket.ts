/** The stages that tickets are issued for, in the order in which a parcel meets them. */
export const STAGES = [
  'track-shipments',
  'judge-promises',
  'grant-awards',
  'call-providers',
  'send-messages',
  'deliver-events',
] as const;
export type StageName = (typeof STAGES)[number];

/** What made us look. Written on every verdict; of `event` comes none: the shop's systems are told of something. */
export const TRIGGERS = [
  'webhook',
  'registration',
  'deadline',
  'recheck',
  'sweep',
  'contact',
  'report',
  'agent',
  'replay',
  'event',
] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** What a person waits for: it goes ahead of what carriers, shops and the clock cause in bulk, in every stage. */
export function isUrgent(trigger: Trigger): boolean {
  return trigger === 'recheck' || trigger === 'contact' || trigger === 'agent';
}

/**
 * Work for one stage: a list of ids and nothing else, nothing personal. The row in the outbox is the truth; the job on the
 * queue only says that it is there.
 */
export interface Ticket {
  readonly id: string;
  readonly stage: StageName;
  /** track-shipments: tracking keys; judge-promises: order ids; grant-awards, call-providers: award ids; send-messages: ids of decisions (verdicts) and notices; deliver-events: ids of deliveries. */
  readonly ids: readonly string[];
  readonly trigger: Trigger;
  /** Goes with the work through all stages and logs. */
  readonly trace: string;
  /** How often it was tried before and failed. */
  readonly attempts: number;
}

/**
 * Ids in one ticket. Fewer, and a flood costs more round trips a row; more, and one batch holds its locks for longer than
 * an agent wants to wait.
 */
export const TICKET_SIZE = 500;
