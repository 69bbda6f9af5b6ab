import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STAGES, type StageName } from '../../src/queue/ticket.js';
import { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type DatabaseState, readDatabaseState } from '../support/database-state.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';
import { issueTicket, onlyTicketOf, runByHand, type TicketRow, ticketsOf, workByHand } from '../support/tickets.js';

const SCANS = [
  ['pre_transit', 'label_created', '2026-11-02T10:00:00Z'],
  ['in_transit', 'departed_facility', '2026-11-04T13:00:00Z'],
  ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'],
] as const;

/** Every parcel passes these; who asks a provider, and who tells the shop's systems, have tests of their own. */
type MainStage = Exclude<StageName, 'call-providers' | 'deliver-events'>;
const MAIN_STAGES = STAGES.filter(
  (stage): stage is MainStage => stage !== 'call-providers' && stage !== 'deliver-events',
);

/** What each stage leaves behind for one order, and the ids of the ticket that carries it on. */
const STAGE_RESULTS: Record<MainStage, { stored: string; expected: unknown; next: StageName | null; nextIds: string }> =
  {
    'track-shipments': {
      stored: `SELECT status, delivered_at FROM shipments WHERE order_id = $1`,
      expected: [{ status: 'delivered', delivered_at: new Date('2026-11-06T19:00:00Z') }],
      next: 'judge-promises',
      nextIds: `SELECT id FROM orders WHERE id = $1`,
    },
    'judge-promises': {
      stored: `SELECT v.verdict, v.met_at, v.late_minutes, v.late_days, v.fault, v.incident, v.declined_because, v.policy_version,
               v.trigger, o.verdict AS current, o.due_at, a.kind, a.months, a.step, a.status, a.rule, i.kind AS opened
             FROM verdicts v JOIN orders o ON o.verdict_id = v.id JOIN awards a ON a.decision_id = v.id
               JOIN incidents i ON i.order_id = o.id WHERE o.id = $1`,
      expected: [
        {
          verdict: 'late',
          met_at: new Date('2026-11-06T19:00:00Z'),
          late_minutes: 840,
          late_days: 1,
          fault: 'carrier',
          incident: 'late',
          declined_because: null,
          policy_version: 1,
          trigger: 'webhook',
          current: 'late',
          due_at: null,
          kind: 'membership_extension',
          months: 1,
          step: 1,
          status: 'pending',
          rule: 'prime-month',
          opened: 'late',
        },
      ],
      next: 'grant-awards',
      nextIds: `SELECT id::text FROM awards WHERE order_id = $1`,
    },
    'grant-awards': {
      stored: `SELECT a.status, a.applied_at IS NOT NULL AS applied, t.kind, e.amount, l.owner_kind, l.owner_id, l.unit, l.balance
             FROM awards a JOIN ledger_transfers t ON t.award_id = a.id JOIN ledger_entries e ON e.transfer_id = t.id
               JOIN ledger_accounts l ON l.id = e.account_id WHERE a.order_id = $1 AND l.owner_kind = 'customer'`,
      expected: [
        {
          status: 'applied',
          applied: true,
          kind: 'award',
          amount: '1',
          owner_kind: 'customer',
          owner_id: expect.any(String),
          unit: 'membership_months',
          balance: '1',
        },
      ],
      next: 'send-messages',
      nextIds: `SELECT decision_id::text AS id FROM awards WHERE order_id = $1`,
    },
    'send-messages': {
      stored: `SELECT template, to_address, status, attempts, sent_at IS NOT NULL AS sent, handover_at IS NOT NULL AS handed_over
             FROM messages WHERE order_id = $1`,
      expected: [
        {
          template: 'late-delivered',
          to_address: expect.any(String),
          status: 'sent',
          attempts: 1,
          sent: true,
          handed_over: true,
        },
      ],
      next: null,
      nextIds: '',
    },
  };

describe.each(BACKENDS)('the stages, run by hand, BullMQ on $backend', ({ start }) => {
  let database: TestDatabase;
  let queue: Awaited<ReturnType<typeof start>>;
  let smtp: SmtpSink;
  let makegood: TestMakegood;

  beforeAll(async () => {
    database = await createTestDatabase();
    queue = await start();
    smtp = await startSmtpSink();
    makegood = await startMakegood({
      databaseUrl: database.url,
      smtpUrl: smtp.url,
      now: '2026-11-08T12:00:00Z',
      workers: [],
      ...(queue.redisUrl ? { redisUrl: queue.redisUrl } : {}),
    });
  });
  afterAll(async () => {
    await makegood.stop();
    await smtp.stop();
    await queue.stop();
    await database.drop();
  });

  let orders = 0;
  /** A late order with all its scans, brought to where one ticket of this stage is open and no other. */
  async function arrange(stage: MainStage): Promise<{ id: string; ticket: TicketRow }> {
    orders++;
    const id = `stage-${orders}`;
    const number = `94001000000000000003${String(orders).padStart(2, '0')}`;
    await makegood.put(id, orderDocument({ customerId: id, trackingNumber: number }));
    await workByHand(makegood.deps, database);
    const answer = await makegood.webhook(trackerEvent(number, SCANS));
    expect(answer.body).toEqual({ accepted: 3, duplicates: 0 });
    const before = MAIN_STAGES[MAIN_STAGES.indexOf(stage) - 1];
    if (before) await workByHand(makegood.deps, database, before);
    return { id, ticket: await onlyTicketOf(database, stage) };
  }

  /** The tables without the tickets, whose ids and times are new each time they are issued. */
  async function state(...leftOut: string[]): Promise<DatabaseState> {
    const whole = await readDatabaseState(database);
    return Object.fromEntries(Object.entries(whole).filter(([table]) => !leftOut.includes(table)));
  }

  describe.each(MAIN_STAGES)('%s', (stage) => {
    const { stored, expected, next, nextIds } = STAGE_RESULTS[stage];
    const mailsTo = (id: string) => smtp.mails.filter(({ to }) => to === `${id}@example.com`).length;

    test('a ticket leaves its result, goes, and is carried on by one ticket that is on the queue', async () => {
      const { id, ticket } = await arrange(stage);
      const waiting = next === null ? 0 : await makegood.deps.queues.countWaiting(next);

      const outcome = await runByHand(makegood.deps, ticket);

      expect(outcome.outcome).toBe('done');
      expect(await database.query(stored, [id])).toEqual(expected);
      expect(await ticketsOf(database, stage)).toEqual([]);
      expect(mailsTo(id)).toBe(stage === 'send-messages' ? 1 : 0);
      if (next === null) return;
      const carried = await onlyTicketOf(database, next);
      const ids = await database.query<{ id: string }>(nextIds, [id]);
      expect(carried).toMatchObject({ ids: ids.map((row) => row.id), trigger: 'webhook', attempts: 0, parked: false });
      expect(ids).toHaveLength(1);
      expect(await makegood.deps.queues.countWaiting(next)).toBe(waiting + 1);
      await workByHand(makegood.deps, database);
    });

    test('the same ticket run again is gone, and nothing is different', async () => {
      const { id, ticket } = await arrange(stage);
      await runByHand(makegood.deps, ticket);
      const once = await state();

      const again = await runByHand(makegood.deps, ticket);

      expect(again).toEqual({ outcome: 'gone' });
      expect(await state()).toEqual(once);
      expect(mailsTo(id)).toBe(stage === 'send-messages' ? 1 : 0);
      await workByHand(makegood.deps, database);
    });

    test('of five workers at once on one ticket one does it, and it is done once', async () => {
      const { id, ticket } = await arrange(stage);

      const outcomes = await Promise.all(Array.from({ length: 5 }, () => runByHand(makegood.deps, ticket)));

      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['done', 'gone', 'gone', 'gone', 'gone']);
      expect(await database.query(stored, [id])).toEqual(expected);
      if (next !== null) await onlyTicketOf(database, next);
      expect(mailsTo(id)).toBe(stage === 'send-messages' ? 1 : 0);
      await workByHand(makegood.deps, database);
    });

    test('another ticket for the same, alone and two at once, leaves the same as the first', async () => {
      const { id, ticket } = await arrange(stage);
      await runByHand(makegood.deps, ticket);
      await workByHand(makegood.deps, database);
      // Times at which something was looked at again are no result.
      const once = await state('orders', 'shipments');

      const twins = await Promise.all([1, 2].map(() => issueTicket(makegood.deps, stage, ticket.ids)));
      await Promise.all(twins.map((twin) => runByHand(makegood.deps, { id: twin, stage })));
      await workByHand(makegood.deps, database);
      const third = await issueTicket(makegood.deps, stage, ticket.ids);
      await runByHand(makegood.deps, { id: third, stage });
      await workByHand(makegood.deps, database);

      expect(await state('orders', 'shipments')).toEqual(once);
      expect(await database.query(`SELECT status FROM awards WHERE order_id = $1`, [id])).toEqual([
        { status: 'applied' },
      ]);
      expect(mailsTo(id)).toBe(1);
    });

    test('ids that nobody knows are no trouble', async () => {
      const before = await state();
      const unknown = stage === 'judge-promises' || stage === 'track-shipments' ? 'nobody' : crypto.randomUUID();
      const ticket = await issueTicket(makegood.deps, stage, [unknown]);
      const outcome = await runByHand(makegood.deps, { id: ticket, stage });
      expect(outcome).toEqual({ outcome: 'done', next: [] });
      expect(await state()).toEqual(before);
    });
  });

  describe('receive-webhook', () => {
    test('a webhook sent ten times at once, and once more, is stored once and issues one ticket', async () => {
      const number = '9400100000000000000399';
      await makegood.put('twice', orderDocument({ customerId: 'twice', trackingNumber: number }));
      await workByHand(makegood.deps, database);
      const event = trackerEvent(number, SCANS);

      const answers = await Promise.all(Array.from({ length: 10 }, () => makegood.webhook(event)));
      const again = await makegood.webhook(event);

      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      expect(answers.reduce((sum, { body }) => sum + body.accepted, 0)).toBe(3);
      expect(again.body).toEqual({ accepted: 0, duplicates: 3 });
      expect(await database.query('SELECT delivery_id FROM inbox WHERE delivery_id = $1', [event.id])).toHaveLength(1);
      expect((await onlyTicketOf(database, 'track-shipments')).ids).toEqual([number]);
      await workByHand(makegood.deps, database);
    });
  });
});
