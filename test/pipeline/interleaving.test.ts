import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createKey, findCaller } from '../../src/auth/key-store.js';
import type { Person } from '../../src/awards/agent-limits.js';
import { reconcileLedger } from '../../src/awards/reconcile-ledger.js';
import { reverseAward } from '../../src/awards/reverse-award.js';
import { approveAward, declineAward } from '../../src/awards/review-awards.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { AppError } from '../../src/errors.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { putInForce } from '../support/policies.js';
import { issueTicket, runByHand, workByHand } from '../support/tickets.js';

/** SEED replays a run. */
const seed = process.env.SEED;
const RUNS = { numRuns: 6, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) };

const ORDERS = 4;
/** Fifteen percent of 59.90: what the highest band of the default policy comes to. */
const HIGHEST_BAND = 899;

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const), order: fc.nat(ORDERS - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('comes' as const), order: fc.nat(ORDERS - 1), days: fc.nat(12) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('approve' as const), nth: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('decline' as const), nth: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reverse' as const), nth: fc.nat(9) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), nth: fc.nat(9) }) },
);
/** What happens at once, and then a day or two pass. */
const history = fc.array(fc.record({ atOnce: fc.array(step, { minLength: 1, maxLength: 5 }), days: fc.nat(2) }), {
  minLength: 3,
  maxLength: 8,
});

let database: TestDatabase;
let makegood: TestMakegood;
let supervisor: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, workers: [] });
  // Tight limits, so that much of it waits for a person.
  await putInForce(database, {
    limits: DEFAULT_POLICY.limits.map((limit) =>
      limit.id === 'goodwill-quarter' && limit.counts === 'orders'
        ? { ...limit, atMost: 1 }
        : limit.counts === 'amount_of_order'
          ? { ...limit, atMostMinor: 500 }
          : limit,
    ),
  });
  const { key } = await createKey(makegood.deps.db, { role: 'supervisor', name: 'sue', actor: 'test' });
  const caller = await findCaller(makegood.deps.db, key);
  supervisor = { keyId: caller?.keyId ?? '', role: 'supervisor', actor: 'key:sue' };
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

let run = 0;

test('whatever judgements, approvals, refusals and reversals come, and however they interleave: nothing is given twice, and every unit is accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (days) => {
      run++;
      const { deps } = makegood;
      let now = new Date('2026-11-04T12:00:00Z').getTime();
      const set = () => makegood.clock.set(new Date(now));
      set();
      const ids = Array.from({ length: ORDERS }, (_, index) => `r${run}-${index}`);
      const numberOf = (id: string) => `9400${String(run).padStart(6, '0')}${id.at(-1)}`;
      for (const id of ids) {
        const changes = { trackingNumber: numberOf(id), customer: { membership: null } };
        const free = { shippingPaid: { amountMinor: 0, currency: 'USD' } };
        await makegood.put(id, orderDocument({ customerId: `c${run}-${Number(id.at(-1)) % 2}`, ...changes, ...free }));
      }
      await workByHand(deps, database);
      now = new Date('2026-11-06T12:00:00Z').getTime();
      set();

      const awardIds = async () =>
        (await database.query<{ id: string }>('SELECT id FROM awards WHERE order_id = ANY($1) ORDER BY id', [ids])).map(
          ({ id }) => id,
        );
      const act = async (one: typeof step extends fc.Arbitrary<infer T> ? T : never): Promise<void> => {
        if (one.do === 'look') {
          const id = await issueTicket(deps, 'judge-promises', [ids[one.order] ?? '']);
          await runByHand(deps, { id, stage: 'judge-promises' });
          return;
        }
        if (one.do === 'comes') {
          const order = ids[one.order] ?? '';
          const at = new Date(Date.UTC(2026, 10, 5 + one.days, 19)).toISOString();
          if (new Date(at).getTime() > now) return;
          await makegood.webhook(trackerEvent(numberOf(order), [['delivered', 'arrived_at_destination', at]]));
          await workByHand(deps, database, 'judge-promises');
          return;
        }
        const all = await awardIds();
        const id = all[one.nth % Math.max(1, all.length)];
        if (id === undefined) return;
        const request = { person: supervisor, reason: 'a test', expected: {} };
        if (one.do === 'approve') return approveAward(deps, id, request);
        if (one.do === 'decline') return declineAward(deps, id, request);
        if (one.do === 'reverse') {
          await reverseAward(deps, id, { actor: 'key:sue', reviewer: `key:${supervisor.keyId}`, reason: 'a test' });
          return;
        }
        const ticket = await issueTicket(deps, 'grant-awards', [id]);
        await runByHand(deps, { id: ticket, stage: 'grant-awards' });
      };
      for (const { atOnce, days: later } of days) {
        const outcomes = await Promise.allSettled(atOnce.map(act));
        // That something is decided already is an answer; anything else is a fault.
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected' && !(outcome.reason instanceof AppError)) throw outcome.reason;
        }
        now += later * 86_400_000;
        set();
      }
      await workByHand(deps, database);

      expect(await deps.db.transaction((sql) => reconcileLedger(sql))).toEqual([]);
      const sums = await database.query<{ order_id: string; counting: number }>(
        `SELECT order_id, coalesce(sum(amount_minor) FILTER (WHERE status NOT IN ('declined', 'reversed', 'failed')), 0)::int AS counting
         FROM awards WHERE order_id = ANY($1) AND class = 'money' GROUP BY order_id`,
        [ids],
      );
      for (const { counting } of sums) expect(counting).toBeLessThanOrEqual(HIGHEST_BAND);
      const wrong = await database.query(
        `SELECT a.id, a.status, count(t.id)::int AS transfers, count(r.id)::int AS reversals FROM awards a
         LEFT JOIN ledger_transfers t ON t.award_id = a.id LEFT JOIN ledger_transfers r ON r.of_transfer = t.id AND r.kind = 'reversal'
         WHERE a.order_id = ANY($1) GROUP BY a.id
         HAVING (count(t.id)::int, count(r.id)::int) <> (CASE a.status WHEN 'applied' THEN (1, 0) WHEN 'reversed' THEN (1, 1) ELSE (0, 0) END)`,
        [ids],
      );
      expect(wrong).toEqual([]);
      const [money] = await database.query<{ given: number; held: number }>(
        `SELECT (SELECT coalesce(sum(amount_minor), 0)::int FROM awards WHERE status = 'applied') AS given,
           (SELECT coalesce(sum(balance), 0)::int FROM ledger_accounts WHERE owner_kind = 'customer' AND unit = 'USD') AS held`,
      );
      expect(money?.held).toBe(money?.given);
      const toldTwice = await database.query(
        `SELECT award_id FROM messages m, unnest(m.award_ids) AS award_id WHERE m.status <> 'suppressed'
         GROUP BY award_id HAVING count(*) > 1`,
      );
      expect(toldTwice).toEqual([]);
    }),
    RUNS,
  );
}, 240_000);
