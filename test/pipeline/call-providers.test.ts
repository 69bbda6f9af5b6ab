import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { claimCall, recordGranted, recordRefused, recordUnanswered } from '../../src/awards/provider-call-store.js';
import { openProviders } from '../../src/awards/providers/open-providers.js';
import type { ProviderName } from '../../src/awards/providers/provider.js';
import type { AwardKind } from '../../src/compensation/award.js';
import type { Deps } from '../../src/deps.js';
import type { Logger } from '../../src/logger.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { HASTY_MS, keepWaiting, PATIENT_MS } from '../support/grant-request.js';
import { clientOf, orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { type Program, startProgram } from '../support/program.js';
import { type ProviderServer, startProviderServer, WEBHOOK_SECRET } from '../support/provider-server.js';
import { freePort } from '../support/redis.js';
import { issueTicket, onlyTicketOf, runByHand, type TicketRow, ticketsOf, workByHand } from '../support/tickets.js';

const STAGE = 'call-providers';

describe(STAGE, () => {
  let database: TestDatabase;
  let makegood: TestMakegood;
  let server: ProviderServer;
  let deps: Deps;

  beforeAll(async () => {
    database = await createTestDatabase();
    server = await startProviderServer();
    makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-16T12:00:00Z', workers: [] });
    deps = await depsWith('webhook');
  });
  afterAll(async () => {
    await makegood.stop();
    await server.stop();
    await database.drop();
  });

  /** The same product, in which this provider carries out memberships. */
  async function depsWith(
    name: ProviderName,
    changes: { url?: string; log?: Logger; timeoutMs?: number } = {},
  ): Promise<Deps> {
    const url = changes.url ?? server.url;
    return {
      ...makegood.deps,
      log: changes.log ?? makegood.deps.log,
      config: {
        ...makegood.deps.config,
        remedyProviders: new Map<AwardKind, ProviderName>([['membership_extension', name]]),
      },
      providers: await openProviders(
        {
          awardWebhook: { url: `${url}/awards`, secrets: [WEBHOOK_SECRET] },
          stripe: { apiKey: 'sk_test_award', apiUrl: url },
          shopify: null,
        },
        { timeoutMs: changes.timeoutMs ?? PATIENT_MS },
      ),
    };
  }

  let orders = 0;
  /** A late order of a member, brought to where a provider is to be asked for the month. */
  async function arrange(
    options: { customerId?: string; deps?: Deps; references?: object } = {},
  ): Promise<{ id: string; award: string; decision: string; ticket: TicketRow }> {
    const id = `call-${++orders}`;
    const changes = { customerId: options.customerId ?? id, trackingNumber: `CALL${orders}` };
    const document = orderDocument({ ...changes, providerReferences: options.references ?? null });
    expect((await makegood.put(id, document)).status).toBe(201);
    await makegood.webhook(
      trackerEvent(`CALL${orders}`, [['delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z']]),
    );
    const known = new Set((await ticketsOf(database, STAGE)).map((ticket) => ticket.id));
    await workByHand(options.deps ?? deps, database, 'grant-awards');
    const ticket = (await ticketsOf(database, STAGE)).find((one) => !known.has(one.id));
    const [row] = await database.query<{ id: string; decision_id: string }>(
      'SELECT id, decision_id FROM awards WHERE order_id = $1',
      [id],
    );
    if (!ticket || !row) throw new Error('nothing was handed over');
    return { id, award: row.id, decision: row.decision_id, ticket };
  }
  const paymentsFor = (award: string) => server.webhook.paid.filter(({ key }) => key === `award_${award}`);
  async function stateOf(award: string) {
    const [row] = await database.query(
      `SELECT a.status, a.provider, a.applied_at IS NOT NULL AS applied, c.status AS call, c.attempts, c.idempotency_key, c.receipt,
         c.error, c.answered_at IS NOT NULL AS answered
       FROM awards a LEFT JOIN provider_calls c ON c.award_id = a.id WHERE a.id = $1`,
      [award],
    );
    return row;
  }
  const alarmsOf = (award: string) =>
    database.query('SELECT kind, cleared_at IS NOT NULL AS cleared FROM alarms WHERE subject = $1 ORDER BY raised_at', [
      award,
    ]);
  const lettersOf = (order: string) => database.query('SELECT status FROM messages WHERE order_id = $1', [order]);
  /** Runs the tickets that wait for another try, as the relay would when their time has come. */
  async function runRetries(withDeps = deps): Promise<void> {
    for (const ticket of await ticketsOf(database, STAGE)) await runByHand(withDeps, ticket);
  }

  describe('what was decided is carried out outside', () => {
    test('the award is applied with its receipt, and one ticket that is on the queue carries it on to one letter', async () => {
      const { id, award, decision, ticket } = await arrange();
      const waiting = await deps.queues.countWaiting('send-messages');

      const outcome = await runByHand(deps, ticket);

      expect(outcome).toMatchObject({ outcome: 'done', next: [{ stage: 'send-messages', ids: [decision] }] });
      expect(await stateOf(award)).toEqual({
        status: 'applied',
        provider: 'webhook',
        applied: true,
        call: 'granted',
        attempts: 1,
        idempotency_key: `award_${award}`,
        receipt: { payment: expect.stringMatching(/^pay-\d+$/) },
        error: null,
        answered: true,
      });
      expect(paymentsFor(award)).toHaveLength(1);
      expect(await ticketsOf(database, STAGE)).toEqual([]);
      expect(await onlyTicketOf(database, 'send-messages')).toMatchObject({
        ids: [decision],
        trigger: ticket.trigger,
        attempts: 0,
        parked: false,
      });
      expect(await deps.queues.countWaiting('send-messages')).toBe(waiting + 1);
      await workByHand(deps, database);
      expect(await lettersOf(id)).toEqual([{ status: 'sent' }]);
    });

    test('before it is carried out no letter is written', async () => {
      const { id, ticket } = await arrange();
      await workByHand(deps, database, 'grant-awards');
      const [{ decision_id } = {}] = await database.query('SELECT decision_id FROM awards WHERE order_id = $1', [id]);
      const early = await issueTicket(deps, 'send-messages', [String(decision_id)]);
      await runByHand(deps, { id: early, stage: 'send-messages' });
      expect(await lettersOf(id)).toEqual([]);
      await runByHand(deps, ticket);
      await workByHand(deps, database);
      expect(await lettersOf(id)).toEqual([{ status: 'sent' }]);
    });
  });

  describe('one payment', () => {
    test('when the same ticket is run again: it is gone, and nobody is asked', async () => {
      const { award, ticket } = await arrange();
      await runByHand(deps, ticket);
      const [once, asked] = [await stateOf(award), server.asked.length];
      expect(await runByHand(deps, ticket)).toEqual({ outcome: 'gone' });
      expect(await stateOf(award)).toEqual(once);
      expect(server.asked).toHaveLength(asked);
      await workByHand(deps, database);
    });

    test('when five workers have one ticket', async () => {
      const { award, ticket } = await arrange();
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => runByHand(deps, ticket)));
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['done', 'gone', 'gone', 'gone', 'gone']);
      expect(paymentsFor(award)).toHaveLength(1);
      await workByHand(deps, database);
    });

    test('when others have a ticket each for the same award while it is asked for: they ask nobody, and come back later', async () => {
      const { id, award, ticket } = await arrange();
      const asked = server.asked.length;
      let goOn = () => {};
      server.onPaid(() => new Promise((resolve) => (goOn = resolve)));
      const first = runByHand(deps, ticket);
      await eventually(async () => server.asked.length === asked + 1);
      const twins = await Promise.all([1, 2, 3, 4].map(() => issueTicket(deps, STAGE, [award])));
      await Promise.all(twins.map((twin) => runByHand(deps, { id: twin, stage: STAGE })));
      expect((await ticketsOf(database, STAGE)).filter(({ attempts }) => attempts === 1)).toHaveLength(4);
      goOn();
      server.onPaid(async () => {});
      await first;

      await runRetries();
      expect(server.asked).toHaveLength(asked + 1);
      expect(await stateOf(award)).toMatchObject({ status: 'applied', call: 'granted', attempts: 1 });
      expect(await ticketsOf(database, STAGE)).toEqual([]);
      await workByHand(deps, database);
      expect(await lettersOf(id)).toHaveLength(1);
    });

    test.each([
      ['the answer is lost', 'pay-and-close'],
      ['the answer breaks off', 'pay-and-cut'],
      ['the answer is a failure', 'pay-and-fail'],
      ['the answer is too slow', { payAndWaitMs: 2 * HASTY_MS }],
      ['the connection drops', 'close'],
      ['nobody answers', 'hang'],
    ] as const)(
      'when %s: the award waits, is asked for again under the same key, and applied',
      async (_how, behaviour) => {
        const { award, ticket } = await arrange();
        server.next(behaviour);

        await runByHand(keepWaiting([behaviour]) ? await depsWith('webhook', { timeoutMs: HASTY_MS }) : deps, ticket);
        expect(await stateOf(award)).toMatchObject({
          status: 'pending',
          call: 'calling',
          attempts: 1,
          answered: false,
          error: expect.stringContaining("the shop's system"),
        });
        expect(await onlyTicketOf(database, STAGE)).toMatchObject({ ids: [award], attempts: 1, parked: false });
        expect(await ticketsOf(database, 'send-messages')).toEqual([]);

        await runRetries();
        expect(await stateOf(award)).toMatchObject({ status: 'applied', call: 'granted', attempts: 2, error: null });
        expect(paymentsFor(award)).toHaveLength(1);
        expect(await ticketsOf(database, STAGE)).toEqual([]);
        await workByHand(deps, database);
      },
    );

    test('when a worker that was given up for dead comes back: its refusal is too late, its receipt is not', async () => {
      const { award } = await arrange();
      const now = new Date();
      const claim = () => deps.db.transaction((sql) => claimCall(sql, award, now));
      expect([await claim(), await claim()]).toMatchObject([{ request: { attempt: 1 } }, { request: { attempt: 2 } }]);
      const late = { awardId: award, attempt: 1 };
      await deps.db.transaction((sql) => recordRefused(sql, late, 'no', now));
      await deps.db.transaction((sql) => recordUnanswered(sql, late, 'nothing'));
      expect(await stateOf(award)).toMatchObject({ status: 'pending', call: 'calling', error: null });
      expect(await alarmsOf(award)).toEqual([]);
      const [first, second] = [
        await deps.db.transaction((sql) => recordGranted(sql, award, { payment: 'late' }, now)),
        await deps.db.transaction((sql) => recordGranted(sql, award, { payment: 'again' }, now)),
      ];
      expect([first, second]).toEqual([expect.any(String), null]);
      expect(await stateOf(award)).toMatchObject({ status: 'applied', call: 'granted', receipt: { payment: 'late' } });
      await runRetries();
      expect(paymentsFor(award)).toEqual([]);
      await workByHand(deps, database);
    });

    test('two months on one subscription, though both orders of the customer are asked for at once', async () => {
      const stripe = await depsWith('stripe');
      const references = { stripe: { subscription: 'sub_1' } };
      const both = [
        await arrange({ customerId: 'twice', deps: stripe, references }),
        await arrange({ customerId: 'twice', deps: stripe, references }),
      ];
      await Promise.all(both.map(({ ticket }) => runByHand(stripe, ticket)));
      await runRetries(stripe);
      for (const { award } of both)
        expect(await stateOf(award)).toMatchObject({ status: 'applied', provider: 'stripe' });
      // From the end of January, as the stand-in has it.
      const end = new Date(Number(server.stripe.subscriptions.sub_1?.trial_end) * 1_000);
      expect(end.toISOString().slice(0, 7)).toBe('2027-03');
      await workByHand(deps, database);
    });
  });

  describe('never forgotten', () => {
    test('a provider that is down is asked later and later, and never given up', async () => {
      const { award, ticket } = await arrange();
      const waits: number[] = [];
      let current: TicketRow = ticket;
      for (let tried = 0; tried < 8; tried++) {
        server.next({ say: 503 });
        await runByHand(deps, current);
        current = await onlyTicketOf(database, STAGE);
        const [row] = await database.query<{ wait: string }>(
          'SELECT round(extract(epoch FROM relay_after - created_at)) AS wait FROM outbox WHERE id = $1',
          [current.id],
        );
        waits.push(Number(row?.wait));
      }
      expect(waits).toEqual([5, 30, 120, 600, 1_800, 3_600, 3_600, 3_600]);
      expect(await stateOf(award)).toMatchObject({ status: 'pending', call: 'calling', attempts: 8 });
      await runByHand(deps, current);
      expect(await stateOf(award)).toMatchObject({ status: 'applied', attempts: 9 });
      expect(paymentsFor(award)).toHaveLength(1);
      await workByHand(deps, database);
    });

    test('Retry-After is waited for', async () => {
      const { ticket } = await arrange();
      server.next({ say: 429, headers: { 'retry-after': '77' } });
      await runByHand(deps, ticket);
      const [row] = await database.query<{ wait: string }>(
        'SELECT round(extract(epoch FROM relay_after - created_at)) AS wait FROM outbox WHERE stage = $1',
        [STAGE],
      );
      expect(Number(row?.wait)).toBe(77);
      await runRetries();
      await workByHand(deps, database);
    });

    test('a provider that is not set up any more: nobody is asked, and the award waits', async () => {
      const { award, ticket } = await arrange();
      await runByHand({ ...deps, providers: new Map() }, ticket);
      expect(await stateOf(award)).toMatchObject({ status: 'pending', call: null });
      expect(await onlyTicketOf(database, STAGE)).toMatchObject({ attempts: 1, error: 'webhook is not set up' });
      await runRetries();
      expect(paymentsFor(award)).toHaveLength(1);
      await workByHand(deps, database);
    });

    test('of a batch whose provider does not answer some are tried and all wait', async () => {
      const awards: string[] = [];
      for (let i = 0; i < 20; i++) awards.push((await arrange()).award);
      await database.query('DELETE FROM outbox WHERE stage = $1', [STAGE]);
      const batch = await issueTicket(deps, STAGE, awards);
      const away = await depsWith('webhook', { url: `http://127.0.0.1:${await freePort()}` });

      await runByHand(away, { id: batch, stage: STAGE });

      const [tried] = await database.query(
        'SELECT count(*)::int AS count FROM provider_calls WHERE award_id = ANY($1::uuid[])',
        [awards],
      );
      expect(tried?.count).toBeGreaterThanOrEqual(6);
      expect(tried?.count).toBeLessThan(20);
      expect((await onlyTicketOf(database, STAGE)).ids.toSorted()).toEqual(awards.toSorted());
      await runRetries();
      for (const award of awards) {
        expect(paymentsFor(award)).toHaveLength(1);
        expect(await stateOf(award)).toMatchObject({ status: 'applied' });
      }
      await workByHand(deps, database);
    });

    test('one refusal in a batch does not touch the others', async () => {
      const [one, other] = [await arrange(), await arrange()];
      await database.query('DELETE FROM outbox WHERE stage = $1', [STAGE]);
      server.next({ say: 422 });
      const batch = await issueTicket(deps, STAGE, [one.award, other.award]);
      await runByHand(deps, { id: batch, stage: STAGE });
      const states = [await stateOf(one.award), await stateOf(other.award)].map((state) => state?.status);
      expect(states.sort()).toEqual(['applied', 'failed']);
      await workByHand(deps, database);
    });

    test('ids that nobody knows are no trouble', async () => {
      const ticket = await issueTicket(deps, STAGE, [crypto.randomUUID()]);
      expect(await runByHand(deps, { id: ticket, stage: STAGE })).toEqual({ outcome: 'done', next: [] });
    });
  });

  describe('a refusal', () => {
    test.each([400, 404, 409, 410, 422])(
      '%d: the award failed, one alarm, no letter, and nobody is asked again',
      async (status) => {
        const { id, award, ticket } = await arrange();
        server.next({ say: status, body: '{"error":"no such order"}' });
        await runByHand(deps, ticket);
        expect(await stateOf(award)).toMatchObject({
          status: 'failed',
          call: 'refused',
          answered: true,
          error: expect.stringContaining(`${status}: {"error":"no such order"}`),
        });
        expect(await alarmsOf(award)).toEqual([{ kind: 'award_failed', cleared: false }]);
        expect(await ticketsOf(database, STAGE)).toEqual([]);
        expect(paymentsFor(award)).toEqual([]);
        const later = await issueTicket(deps, STAGE, [award]);
        await runByHand(deps, { id: later, stage: STAGE });
        expect(paymentsFor(award)).toEqual([]);
        await workByHand(deps, database);
        expect(await lettersOf(id)).toEqual([]);
      },
    );

    test('that a person had mended: the award is asked for again, and the alarm is over', async () => {
      const { award, ticket } = await arrange();
      server.next({ say: 404 });
      await runByHand(deps, ticket);
      await database.query(`UPDATE awards SET status = 'pending' WHERE id = $1`, [award]);
      const again = await issueTicket(deps, STAGE, [award]);
      await runByHand(deps, { id: again, stage: STAGE });
      expect(await stateOf(award)).toMatchObject({ status: 'applied', call: 'granted', attempts: 2, error: null });
      expect(await alarmsOf(award)).toEqual([{ kind: 'award_failed', cleared: true }]);
      expect(paymentsFor(award)).toHaveLength(1);
      await workByHand(deps, database);
    });

    test('tells the log nothing of what was said or to whom', async () => {
      const lines: string[] = [];
      const keep = (fields: object, message: string) => void lines.push(JSON.stringify([fields, message]));
      const log: Logger = { debug: keep, info: keep, warn: keep, error: keep };
      const { award, ticket } = await arrange();
      server.next({ say: 400, body: 'Ann Lee has no account ann@canary.example' });
      await runByHand(await depsWith('webhook', { log }), ticket);
      expect(lines.join('\n')).toContain(award);
      expect(lines.join('\n')).not.toMatch(/Ann Lee|canary|example/);
      const alarms = await database.query('SELECT message, details FROM alarms WHERE subject = $1', [award]);
      expect(JSON.stringify(alarms)).not.toMatch(/Ann Lee|canary|example/);
    });
  });

  describe('what is decided while it is asked for', () => {
    test.each(['held', 'declined'])('%s before it: nobody is asked', async (status) => {
      const { award, ticket } = await arrange();
      await database.query(`UPDATE awards SET status = $2, stopped_by = $3 WHERE id = $1`, [
        award,
        status,
        status === 'held' ? ['breaker'] : [],
      ]);
      await runByHand(deps, ticket);
      expect(paymentsFor(award)).toEqual([]);
      expect(await stateOf(award)).toMatchObject({ status, call: null });
      await workByHand(deps, database);
    });

    test('held meanwhile: what was paid is applied', async () => {
      const { award, ticket } = await arrange();
      server.onPaid(async () => {
        await database.query(`UPDATE awards SET status = 'held', stopped_by = '{breaker}' WHERE id = $1`, [award]);
      });
      await runByHand(deps, ticket);
      server.onPaid(async () => {});
      expect(await stateOf(award)).toMatchObject({ status: 'applied', call: 'granted' });
      await workByHand(deps, database);
    });

    test('declined meanwhile: it stays declined, its receipt is kept, and an alarm says that it was paid', async () => {
      const { id, award, ticket } = await arrange();
      server.onPaid(async () => {
        await database.query(`UPDATE awards SET status = 'declined' WHERE id = $1`, [award]);
      });
      await runByHand(deps, ticket);
      server.onPaid(async () => {});
      expect(await stateOf(award)).toMatchObject({ status: 'declined', call: 'granted', receipt: expect.anything() });
      expect(await alarmsOf(award)).toEqual([{ kind: 'audit', cleared: false }]);
      await workByHand(deps, database);
      expect(await lettersOf(id)).toEqual([]);
    });
  });
});

describe('killed between its steps', () => {
  /** How often the shop was asked until the end, and by which attempt it was granted. */
  test.each([
    ['claimed', { asked: 1, attempts: 1 }],
    ['claimed-award', { asked: 1, attempts: 2 }],
    ['answered', { asked: 2, attempts: 2 }],
    ['recorded', { asked: 1, attempts: 1 }],
    ['before-commit', { asked: 1, attempts: 1 }],
    ['after-commit', { asked: 1, attempts: 1 }],
    ['announced', { asked: 1, attempts: 1 }],
  ])('%s: one payment, one award and one letter all the same', async (step, { asked, attempts }) => {
    const database = await createTestDatabase();
    const server = await startProviderServer();
    const environment = {
      DATABASE_URL: database.url,
      REMEDY_PROVIDERS: 'membership_extension=webhook',
      AWARD_WEBHOOK_URL: `${server.url}/awards`,
      AWARD_WEBHOOK_SECRET: WEBHOOK_SECRET,
    };
    const programs: Program[] = [];
    let makegood: TestMakegood | null = null;
    try {
      const first = await startProgram({ ...environment, MAKEGOOD_FAILPOINT: `${STAGE}:${step}` });
      programs.push(first);
      const client = clientOf(first.url);
      await client.webhook(trackerEvent('KILLED', [['delivered', 'arrived_at_destination', '2026-11-07T15:00:00Z']]));
      await client.put('o-1', orderDocument({ customerId: 'killed', trackingNumber: 'KILLED' })).catch(() => null);
      expect((await first.ended).signal).toBe('SIGKILL');

      makegood = await startMakegood({ databaseUrl: database.url, workers: [] });
      const providers = await openProviders({
        awardWebhook: { url: `${server.url}/awards`, secrets: [WEBHOOK_SECRET] },
        stripe: null,
        shopify: null,
      });
      await workByHand({ ...makegood.deps, providers }, database);

      expect(await database.query('SELECT status FROM awards')).toEqual([{ status: 'applied' }]);
      expect(await database.query('SELECT status, attempts FROM provider_calls')).toEqual([
        { status: 'granted', attempts },
      ]);
      expect(server.webhook.paid).toHaveLength(1);
      expect(server.asked).toHaveLength(asked);
      expect(await database.query('SELECT status FROM messages')).toEqual([{ status: 'sent' }]);
      expect(await database.query('SELECT 1 FROM outbox')).toEqual([]);
    } catch (error) {
      const outputs = programs.map((program) => program.output()).join('\n---\n');
      throw new Error(`${(error as Error).message}\n${outputs}`, { cause: error });
    } finally {
      for (const program of programs) program.kill('SIGKILL');
      await makegood?.stop();
      await server.stop();
      await database.drop();
    }
  });
});
