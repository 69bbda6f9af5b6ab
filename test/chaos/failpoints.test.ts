import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STAGES } from '../../src/queue/ticket.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { clientOf, orderDocument, trackerEvent } from '../support/makegood.js';
import { type Program, startProgram } from '../support/program.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';

/** After every step of every stage: before and after each COMMIT, and around what the mail server says. */
const EACH_STAGE = ['claimed', 'before-commit', 'after-commit', 'announced'];
/**
 * What the ledger grants never comes to `call-providers`, and where no system of the shop's listens nothing to `deliver-events`:
 * their own tests in test/pipeline kill them at each of their steps.
 */
const MAIN_STAGES = STAGES.filter((stage) => stage !== 'call-providers' && stage !== 'deliver-events');
const OF_PROVIDERS = [...EACH_STAGE, 'claimed-award', 'answered', 'recorded'].map((step) => `call-providers:${step}`);
const OF_EVENTS = [...EACH_STAGE, 'claimed-delivery', 'answered', 'recorded'].map((step) => `deliver-events:${step}`);
/** test/chaos/sweep-killed.test.ts kills it at each chunk. */
const OF_SWEEP = ['sweep:before-commit', 'sweep:after-commit'];
/** test/integration/replay.test.ts kills it after a chunk. */
const OF_REPLAY = ['replay:chunk-done'];
const FAILPOINTS = [
  'receive-webhook:before-commit',
  'receive-webhook:after-commit',
  'receive-webhook:announced',
  ...MAIN_STAGES.flatMap((stage) => EACH_STAGE.map((step) => `${stage}:${step}`)),
  'send-messages:messages-claimed',
  'send-messages:handover',
  'send-messages:answered',
  'send-messages:recorded',
];

/** Where SMTP leaves it open whether the mail arrived: no copy goes out by itself, and the letter says so. */
const AMBIGUOUS: Readonly<Record<string, { copies: number }>> = {
  'send-messages:handover': { copies: 0 },
  'send-messages:answered': { copies: 1 },
};

test('every failpoint in the code is one of these', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const named = files
    .filter((file) => !file.startsWith('generated') && file !== 'failpoint.ts')
    .flatMap((file) => [...readFileSync(join('src', file), 'utf8').matchAll(/failpoint\(['`]([^'`]+)['`]\)/g)])
    .flatMap(([, name = '']) =>
      name.startsWith('${') ? STAGES.map((stage) => name.replace(/^\$\{[^}]+\}/, stage)) : [name],
    );
  expect([...new Set(named)].sort()).toEqual(
    [...FAILPOINTS, ...OF_PROVIDERS, ...OF_EVENTS, ...OF_SWEEP, ...OF_REPLAY].sort(),
  );
});

describe.each(BACKENDS)('killed at each step, BullMQ on $backend', ({ start }) => {
  let smtp: SmtpSink;
  let queue: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    smtp = await startSmtpSink();
    queue = await start();
  });
  afterAll(async () => {
    await smtp.stop();
    await queue.stop();
  });

  test.each(FAILPOINTS)('%s: one month and one mail all the same', async (failpoint) => {
    const database = await createTestDatabase();
    // A job that the test before left in the shared Redis would reach the failpoint of this one's program at once.
    await queue.flushAll();
    const customer = failpoint.replace(':', '.');
    const number = `T${customer.replace(/\W/g, '').toUpperCase()}`;
    const environment = {
      DATABASE_URL: database.url,
      SMTP_URL: smtp.url,
      ...(queue.redisUrl ? { REDIS_URL: queue.redisUrl } : {}),
    };
    // The scans come first and the order after them: then one ticket goes through all stages, and dies at the step.
    const event = trackerEvent(number, [
      ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'],
      ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'],
    ]);
    const order = orderDocument({ customerId: customer, trackingNumber: number });
    const sentBefore = smtp.mails.length;
    const programs: Program[] = [];
    try {
      const first = await startProgram({ ...environment, MAKEGOOD_FAILPOINT: failpoint });
      programs.push(first);
      const webhook = await clientOf(first.url)
        .webhook(event)
        .catch(() => null);
      const put = await clientOf(first.url)
        .put('o-1', order)
        .catch(() => null);
      expect((await first.ended).signal).toBe('SIGKILL');

      const second = await startProgram(environment);
      programs.push(second);
      const client = clientOf(second.url);
      // Who heard no answer says it again, as carriers and shops do.
      if (webhook?.status !== 200) expect((await client.webhook(event)).status).toBe(200);
      if (put?.status !== 201) expect([200, 201]).toContain((await client.put('o-1', order)).status);
      const settled = await eventually(async () => {
        const view = await client.order('o-1');
        const open = await database.query('SELECT 1 FROM outbox');
        return (
          view.messages[0] && !['queued', 'sending'].includes(view.messages[0].status) && open.length === 0 && view
        );
      });

      const ambiguous = AMBIGUOUS[failpoint];
      expect(settled.verdict).toMatchObject({ verdict: 'late', lateDays: 1 });
      expect(settled.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
      expect(settled.messages).toMatchObject([{ template: 'late-delivered', status: ambiguous ? 'unknown' : 'sent' }]);
      const copies = smtp.mails.slice(sentBefore);
      expect(copies.map(({ to, messageId }) => [to, messageId])).toEqual(
        Array(ambiguous?.copies ?? 1).fill([`${customer}@example.com`, settled.messages[0]?.messageId]),
      );
      expect(await database.query(`SELECT owner_kind, balance FROM ledger_accounts ORDER BY owner_kind`)).toEqual([
        { owner_kind: 'customer', balance: '1' },
        { owner_kind: 'house', balance: '0' },
      ]);
      expect(await database.query('SELECT amount FROM ledger_entries ORDER BY amount')).toEqual([
        { amount: '-1' },
        { amount: '1' },
      ]);

      second.kill('SIGTERM');
      expect(await second.ended).toEqual({ code: 0, signal: null });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${programs.map((program) => program.output()).join('\n---\n')}`, {
        cause: error,
      });
    } finally {
      for (const program of programs) program.kill('SIGKILL', 'group');
      await database.drop();
    }
  });
});
