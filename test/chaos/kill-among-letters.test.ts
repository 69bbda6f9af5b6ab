import { describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { BACKENDS } from '../support/backends.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { createGate } from './gate.js';
import { AFTER_ANY_KILL, expectMadeGood, quiet, UNKNOWN_AND_ARRIVED, UNKNOWN_AND_LOST } from './oracle.js';
import { type Parcel, parcel } from './parcel.js';
import { isTaken, register, report, sayAll, tryToSay } from './say.js';
import { KILLED, withWorld } from './world.js';

jest.setTimeout(120_000);

describe.each(BACKENDS)('a program killed among its letters, BullMQ on $backend', ({ start: startQueue }) => {
  const late = Array.from({ length: 12 }, (_, index) => parcel(index));
  const [one, two, ...rest] = late as [Parcel, Parcel, ...Parcel[]];

  test('with some letters of a batch sent and others not: each customer gets exactly one', async () => {
    await withWorld(startQueue, async ({ database, smtp, start }) => {
      // The mail server thinks about every second recipient of the batch until it may go on; in the end about all.
      const slow = new Set(rest.filter((_, index) => index % 2 === 1).map(({ email }) => email));
      const accepted: string[] = [];
      const gate = createGate();
      let thinksAboutAll = false;
      smtp.onRecipient(async (address) => {
        if (thinksAboutAll || slow.has(address)) await gate.opened;
        else accepted.push(address);
        return null;
      });

      const program = await start();
      await sayAll(late.map(register), () => program);
      const say = ({ delivery }: Parcel) => tryToSay(program, report(delivery));
      const inbox = await lockInbox(database);
      const answers = [say(one)];
      await eventually(async () => (await inbox.countWaiting()) === 1);
      answers.push(say(two));
      await eventually(async () => (await inbox.countWaiting()) === 2);
      // Both lanes of the door are busy, so these are stored together.
      answers.push(...rest.map(say));
      await program.request('GET', '/healthz');
      await inbox.unlock();
      expect((await Promise.all(answers)).every(isTaken)).toBe(true);
      await eventually(async () => {
        const halfDone = await database.query(
          `SELECT 1 FROM outbox t WHERE stage = 'send-messages'
             AND EXISTS (SELECT 1 FROM messages WHERE decision_id::text = ANY(t.ids) AND status = 'sent')
             AND EXISTS (SELECT 1 FROM messages WHERE decision_id::text = ANY(t.ids) AND status = 'sending')`,
        );
        return halfDone.length > 0;
      });
      // A letter that is being handed over when its sender dies is another story: here there is none.
      thinksAboutAll = true;
      await eventually(async () => {
        const sent = await database.query(`SELECT 1 FROM messages WHERE status = 'sent'`);
        return sent.length === accepted.length;
      });
      expect(await program.kill()).toEqual(KILLED);
      gate.open();

      await start();
      await quiet(database);
      await expectMadeGood(database, smtp, late);
    });
  });

  test('with several letters in different phases: nobody gets two', async () => {
    await withWorld(startQueue, async ({ database, smtp, start }) => {
      let program = await start({ MAKEGOOD_FAILPOINT: 'send-messages:recorded' });
      await sayAll(late.map(register), () => program);
      const said = sayAll(
        late.map(({ delivery }) => report(delivery)),
        () => program,
      );
      expect(await program.ended).toEqual(KILLED);

      program = await start();
      await said;
      await quiet(database);
      await expectMadeGood(database, smtp, late, AFTER_ANY_KILL);
      expect(smtp.mails.length).toBeGreaterThan(0);
    });
  });

  test.each([
    ['send-messages:handover', UNKNOWN_AND_LOST],
    ['send-messages:answered', UNKNOWN_AND_ARRIVED],
  ] as const)('at %s: what may have arrived is left alone for ever, by the sweep too', async (failpoint, letter) => {
    await withWorld(startQueue, async ({ database, smtp, start, command }) => {
      let program = await start({ MAKEGOOD_FAILPOINT: failpoint });
      const said = sayAll([register(one), report(one.delivery)], () => program);
      expect(await program.ended).toEqual(KILLED);
      program = await start();
      await said;
      await quiet(database);
      await expectMadeGood(database, smtp, [one], [letter]);

      expect(await command('sweep', '--json')).toMatchObject({ orders: 1, awards: 0, messages: 0 });
      await quiet(database);
      await expectMadeGood(database, smtp, [one], [letter]);
    });
  });

  test('with a letter in the local mailbox, where there is no mail server: it is there once', async () => {
    await withWorld(startQueue, async ({ database, start }) => {
      let program = await start({ MAKEGOOD_FAILPOINT: 'send-messages:recorded', SMTP_URL: '' });
      const said = sayAll([register(one), report(one.delivery)], () => program);
      expect(await program.ended).toEqual(KILLED);

      program = await start({ SMTP_URL: '' });
      await said;
      await quiet(database);
      await expectMadeGood(database, null, [one]);
    });
  });
});

/** Lets nobody write to the inbox: what comes meanwhile makes one batch. */
async function lockInbox(database: TestDatabase) {
  const client = new pg.Client({ connectionString: database.url });
  client.on('error', () => {});
  await client.connect();
  await client.query('BEGIN');
  await client.query('LOCK TABLE inbox IN SHARE MODE');
  return {
    async countWaiting() {
      const sql = `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'inbox'::regclass`;
      return (await database.query(sql)).length;
    },
    unlock: () => client.end(),
  };
}
