import type { Provider, ProviderName } from './awards/providers/provider.js';
import type { Clock } from './clock.js';
import type { PolicyBook } from './compensation/policy-store.js';
import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { Logger } from './logger.js';
import type { LetterTexts } from './messages/letter-texts.js';
import type { Mailer } from './messages/mailer.js';
import type { Metrics } from './metrics.js';
import type { Queues } from './queue/queues.js';

/** What the code needs of the outside. Built once, in the entry points, and passed on. */
export interface Deps {
  readonly config: Config;
  readonly db: Database;
  readonly queues: Queues;
  /** null: letters go to the local mailbox. */
  readonly mailer: Mailer | null;
  /** Signs the links in letters. */
  readonly linkKey: Uint8Array;
  /** What letters say, by language. */
  readonly texts: LetterTexts;
  /** Who carries out awards outside this product, as far as configured. */
  readonly providers: ReadonlyMap<ProviderName, Provider>;
  readonly policies: PolicyBook;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly log: Logger;
}
