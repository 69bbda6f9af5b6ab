import { describe, expect, jest, test } from '@jest/globals';
import { BACKENDS } from '../support/backends.js';
import type { TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/redis.js';
import { startSmtpSink } from '../support/smtp-sink.js';
import { expectMadeGood, quiet } from './oracle.js';
import { type Parcel, parcel } from './parcel.js';
import { register, report, sayAll } from './say.js';
import { withWorld } from './world.js';

jest.setTimeout(120_000);

const [{ start: startQueue }] = BACKENDS as [(typeof BACKENDS)[number]];

describe('a mail server', () => {
  test('that is down keeps no award back, and has the letter soon after it is up', async () => {
    const late = parcel(0);
    await withWorld(startQueue, async ({ database, start }) => {
      const port = await freePort();
      const program = await start({ SMTP_URL: `smtp://127.0.0.1:${port}` });
      await sayAll([register(late), report(late.delivery)], () => program);
      await eventually(async () => (await letterTo(database, late))?.response?.includes('ECONNREFUSED'));
      expect(await letterTo(database, late)).toMatchObject({ status: 'queued', attempts: 1 });
      expect((await program.order(late.orderId)).awards).toMatchObject([{ status: 'applied' }]);

      const smtp = await startSmtpSink(port);
      await quiet(database);
      await expectMadeGood(database, smtp, [late]);
      await program.stop();
      await smtp.stop();
    });
  });

  test('that refuses some recipients for good and others for now gets the letters to all others', async () => {
    const parcels = Array.from({ length: 9 }, (_, index) => parcel(index));
    const [gone, busy, ...fine] = parcels as [Parcel, Parcel, ...Parcel[]];
    await withWorld(startQueue, async ({ database, smtp, start }) => {
      let asked = 0;
      smtp.onRecipient(async (address) => {
        if (address === gone.email) return { code: 550, message: 'no such mailbox' };
        if (address === busy.email && asked++ === 0) return { code: 451, message: 'try again later' };
        return null;
      });
      const program = await start();
      await sayAll(parcels.map(register), () => program);
      await sayAll(
        parcels.map(({ delivery }) => report(delivery)),
        () => program,
      );
      await eventually(async () => (await letterTo(database, busy))?.response?.includes('451'));
      expect(await letterTo(database, busy)).toMatchObject({ status: 'queued', attempts: 1 });

      await quiet(database);
      await expectMadeGood(database, smtp, [busy, ...fine]);
      expect(await letterTo(database, busy)).toMatchObject({ attempts: 2 });
      for (const parcel of fine) expect(await letterTo(database, parcel)).toMatchObject({ attempts: 1 });
      await expectMadeGood(database, smtp, [gone], [{ status: 'failed', copies: 0 }]);
      const refused = await letterTo(database, gone);
      expect(refused).toMatchObject({ attempts: 1, response: expect.stringContaining('550') });
      expect((await program.order(gone.orderId)).messages).toMatchObject([{ status: 'failed', sentAt: null }]);
    });
  });

  test('that takes letters and hangs up before it says so leaves them unknown, shown to people, and sends no second ones', async () => {
    const parcels = Array.from({ length: 5 }, (_, index) => parcel(index));
    const [lost, dying, ...fine] = parcels as [Parcel, Parcel, ...Parcel[]];
    await withWorld(startQueue, async ({ database, smtp, start }) => {
      smtp.loseAnswers((address) => address === lost.email || address === dying.email);
      const program = await start();
      await sayAll(parcels.map(register), () => program);
      await sayAll(
        parcels.map(({ delivery }) => report(delivery)),
        () => program,
      );
      await quiet(database);
      await expectMadeGood(database, smtp, fine);
      await expectMadeGood(database, smtp, [lost, dying], [{ status: 'unknown', copies: 1 }]);
      for (const parcel of [lost, dying])
        expect((await program.order(parcel.orderId)).messages).toMatchObject([{ status: 'unknown', sentAt: null }]);
      expect(await database.query(`SELECT kind FROM alarms WHERE cleared_at IS NULL`)).toEqual([
        { kind: 'letters_unsettled' },
      ]);
    });
  });
});

async function letterTo(database: TestDatabase, { orderId }: Parcel) {
  const [letter] = await database.query<{ status: string; attempts: number; response: string | null }>(
    'SELECT status, attempts, response FROM messages WHERE order_id = $1',
    [orderId],
  );
  return letter;
}
