import { describe, expect, jest, test } from '@jest/globals';
import { addSeconds } from 'date-fns';
import { BACKENDS } from '../support/backends.js';
import { eventually } from '../support/eventually.js';
import { orderDocument } from '../support/makegood.js';
import { createGate } from './gate.js';
import { expectMadeGood, quiet } from './oracle.js';
import { parcel } from './parcel.js';
import { register, report, sayAll } from './say.js';
import { dropQueueSchema } from './wipe-queue.js';
import { STOPPED, type World, withWorld } from './world.js';

jest.setTimeout(180_000);

/** Everything that a queue holds is lost, in PostgreSQL its tables too: those come back with the next start. */
const WIPES: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  postgres: ({ database }) => dropQueueSchema(database),
  redis: ({ queue }) => queue.flushAll(),
};

describe.each(BACKENDS)('a queue that is wiped, BullMQ on $backend', ({ backend, start: startQueue }) => {
  test('loses no work: all of it is done within a minute, deadlines too', async () => {
    const late = Array.from({ length: 24 }, (_, index) => parcel(index));
    await withWorld(startQueue, async (world) => {
      const { database, smtp, start } = world;
      const gate = createGate();
      // Letters do not leave, so that the next ones wait on the queue.
      smtp.onRecipient(async () => {
        await gate.opened;
        return null;
      });
      let program = await start();
      await sayAll(late.map(register), () => program);
      await quiet(database);
      // In rounds, each once the letters of the one before wait: whatever is batched, each round leaves a ticket of its own.
      const stages = () => database.query<{ stage: string }>('SELECT stage FROM outbox');
      for (let next = 0; next < late.length; next += 4) {
        const before = (await stages()).length;
        await sayAll(
          late.slice(next, next + 4).map(({ delivery }) => report(delivery)),
          () => program,
        );
        await eventually(async () => {
          const tickets = await stages();
          return tickets.length > before && tickets.every(({ stage }) => stage === 'send-messages');
        });
      }
      // Its deadline is in the future of the wipe: the schedule that would notice it is wiped too.
      const promise = { at: addSeconds(new Date(), 3).toISOString(), timeZone: 'UTC' };
      await program.put('soon', orderDocument({ trackingNumber: '9400100000000000099999', promise }));
      await eventually(async () => (await program.order('soon')).verdict?.verdict === 'pending');

      await WIPES[backend]?.(world);
      gate.open();
      if (backend === 'postgres') {
        expect(await program.stop()).toEqual(STOPPED);
        program = await start();
      }
      await quiet(database);
      await expectMadeGood(database, smtp, late);
      await eventually(async () => (await program.order('soon')).verdict?.verdict === 'overdue', 60_000);
      expect(await program.stop()).toEqual(STOPPED);
    });
  });
});
