import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Client } from '../support/makegood.js';
import type { Parcel } from './parcel.js';
import type { Random } from './random.js';

/** Something that a shop or a carrier has to say, and says again until it is taken. */
export type Saying = (client: Client) => Promise<Answer>;

export const register =
  ({ orderId, document }: Parcel): Saying =>
  (client) =>
    client.put(orderId, document);

export const report =
  (webhook: object): Saying =>
  (client) =>
    client.webhook(webhook);

/** All there is to say of these parcels, some of it twice, in any order: webhooks before their order, old ones after new. */
export function everythingOf(parcels: readonly Parcel[], random: Random): Saying[] {
  const sayings = parcels.flatMap((parcel) => [register(parcel), ...parcel.webhooks.map(report)]);
  return random.shuffled(sayings.flatMap((saying) => (random.next() < 0.4 ? [saying, saying] : [saying])));
}

/** One try: what came back; null when nothing did, because the program died or was not there. */
export async function tryToSay(client: Client, saying: Saying): Promise<Answer | null> {
  try {
    return await saying(client);
  } catch (error) {
    // What fetch throws when the connection is refused or ends, by its name: its class is not that of this file's realm.
    const { name, cause } = error as Error;
    if (name === 'TypeError' && cause !== undefined) return null;
    throw error;
  }
}

export function isTaken(answer: Answer | null): boolean {
  return answer !== null && answer.status >= 200 && answer.status < 300;
}

/** How many talk at once. */
const TALKERS = 6;
/** Whoever has nobody to talk to gives up in the end, so that a test that failed ends. */
const PATIENCE_MS = 60_000;
/** Real senders wait for minutes; tests are in a hurry. */
const TRY_AGAIN_MS = 50;

/**
 * Says everything, what was not taken again, as carriers and shops do.
 * @param client whom to speak to at this moment
 * @throws when an answer is neither "taken" nor "later": 503 with Retry-After
 */
export async function sayAll(sayings: readonly Saying[], client: () => Client): Promise<void> {
  const left = [...sayings];
  const until = Date.now() + PATIENCE_MS;
  const talker = async () => {
    for (let saying = left.shift(); saying; saying = left.shift()) {
      const answer = await tryToSay(client(), saying);
      if (isTaken(answer)) continue;
      if (answer && !isComeBackLater(answer)) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      if (Date.now() > until) throw new Error(`nobody took this within ${PATIENCE_MS / 1000} s`);
      left.push(saying);
      await sleep(TRY_AGAIN_MS);
    }
  };
  await Promise.all(Array.from({ length: TALKERS }, talker));
}

function isComeBackLater({ status, headers }: Answer): boolean {
  return status === 503 && Number(headers.get('retry-after')) > 0;
}
