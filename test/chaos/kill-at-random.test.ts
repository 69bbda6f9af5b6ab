import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, jest, test } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';
import { AFTER_ANY_KILL, expectMadeGood, quiet } from './oracle.js';
import { FATES, parcel } from './parcel.js';
import { createRandom, SEED } from './random.js';
import { everythingOf, sayAll } from './say.js';
import { KILLED, withWorld } from './world.js';

jest.setTimeout(120_000);

const TRIALS = 4;
const ORDERS = 42;
/** A program that has just started has all of it to do, or some, or nothing but letters. */
const KILL_WITHIN_MS = 1_500;
const KILLS = 2;

const trials = Array.from({ length: TRIALS }, (_, trial) => ({
  trial: trial + 1,
  ...(BACKENDS[trial % BACKENDS.length] as (typeof BACKENDS)[number]),
}));

describe('a program killed at moments that nobody chose, while orders and webhooks come', () => {
  test.each(trials)(
    `makes good what is late exactly once, BullMQ on $backend (trial $trial of SEED=${SEED})`,
    async ({ trial, start: startQueue }) => {
      const random = createRandom(SEED + trial);
      const parcels = Array.from({ length: ORDERS }, (_, index) => parcel(index, FATES[index % FATES.length]));
      await withWorld(startQueue, async ({ database, smtp, start }) => {
        let program = await start();
        const said = sayAll(everythingOf(parcels, random), () => program);
        for (let kill = 1; kill <= KILLS; kill++) {
          await sleep(random.between(0, KILL_WITHIN_MS));
          expect(await program.kill()).toEqual(KILLED);
          program = await start();
        }
        await said;
        await quiet(database);
        await expectMadeGood(database, smtp, parcels, AFTER_ANY_KILL);
      });
    },
  );
});
