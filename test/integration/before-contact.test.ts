import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeExplanation } from '../../src/cli/commands/explain.js';
import type { AwardIncident } from '../../src/compensation/incident.js';
import { beforeContact } from '../../src/promises/before-contact.js';
import { measureBeforeContact } from '../../src/promises/before-contact-store.js';
import { explainOrder } from '../../src/promises/explain-order.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { anOrder, type Person, somebody } from '../support/people.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;
let supervisor: Person;

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startHttpServer(database.url);
  supervisor = await somebody(server, 'supervisor');
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

/** An order that was registered on 1 November and has an answer, so that awards can hang on it. */
async function judgedOrder(changes: Record<string, unknown> = {}): Promise<string> {
  const orderId = await anOrder(server, changes);
  await supervisor.ask('POST', `/v1/orders/${orderId}/recheck`, {});
  await database.query(`UPDATE orders SET registered_at = '2026-11-01T00:00:00Z' WHERE id = $1`, [orderId]);
  return orderId;
}

interface Given {
  readonly incident?: AwardIncident;
  readonly status?: string;
  readonly decidedAt: string;
  readonly appliedAt?: string | null;
}
let steps = 0;
async function give(
  orderId: string,
  { incident = 'late', status, decidedAt, appliedAt = null }: Given,
): Promise<string> {
  const id = randomUUID();
  await database.query(
    `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, amount_minor, currency, status, rule,
       reason, policy_version, decided_at, applied_at, stopped_by)
     SELECT $1, o.id, o.customer_id, $3, o.verdict_id, 'money', $4, 'store_credit', 500, 'USD', $5, 'rule', 'reason', 1, $6, $7,
       CASE WHEN $5 = 'held' THEN '{breaker}'::text[] ELSE '{}' END
     FROM orders o WHERE o.id = $2`,
    [id, orderId, incident, ++steps, status ?? (appliedAt === null ? 'pending' : 'applied'), decidedAt, appliedAt],
  );
  return id;
}

async function say(about: { orderId?: string; customerId: string; reason?: string; at: string }): Promise<void> {
  await database.query(
    `INSERT INTO contacts (id, customer_id, order_id, channel, reason, at, recorded_at, recorded_by)
     VALUES (gen_random_uuid(), $1, $2, 'mail', $3, $4, now(), 'test')`,
    [about.customerId, about.orderId ?? null, about.reason ?? 'late', about.at],
  );
}

const awardsOf = async (orderId: string) => (await server.order(orderId)).awards;

describe('of one order', () => {
  test('the first complaint of the order or of its customer counts, not `other`, not what came before the order', async () => {
    const orderId = await judgedOrder();
    const customerId = `c-${orderId}`;
    const secondOrder = await judgedOrder({ customerId });
    await give(orderId, { decidedAt: '2026-11-06T09:00:00Z', appliedAt: '2026-11-06T10:00:00Z' });
    const nobody = { firstContactAt: null, cameFirst: true, minutes: null };
    expect(await awardsOf(orderId)).toMatchObject([{ beforeContact: nobody }]);

    await say({ orderId, customerId, reason: 'other', at: '2026-11-06T09:30:00Z' });
    await say({ customerId, at: '2026-10-31T23:59:59Z' });
    await say({ orderId: secondOrder, customerId, at: '2026-11-06T09:30:00Z' });
    await say({ customerId: `c-${await judgedOrder()}`, at: '2026-11-06T09:30:00Z' });
    expect(await awardsOf(orderId)).toMatchObject([{ beforeContact: nobody }]);

    await say({ orderId, customerId, reason: 'damaged', at: '2026-11-06T13:00:00Z' });
    const ahead = { firstContactAt: '2026-11-06T13:00:00.000Z', cameFirst: true, minutes: 180 };
    expect(await awardsOf(orderId)).toMatchObject([{ beforeContact: ahead }]);
    await say({ customerId, at: '2026-11-06T08:00:30Z' });
    const behind = { firstContactAt: '2026-11-06T08:00:30.000Z', cameFirst: false, minutes: -119 };
    expect(await awardsOf(orderId)).toMatchObject([{ beforeContact: behind }]);
  });

  test('the queue of approvals, an award and `makegood explain` say the same', async () => {
    const orderId = await judgedOrder();
    const id = await give(orderId, { status: 'held', decidedAt: '2026-11-06T09:00:00Z' });
    const viewOf = async () => {
      const { items } = (await supervisor.ask('GET', '/v1/approvals?status=held')).body;
      return items.find((one: { id: string }) => one.id === id).beforeContact;
    };
    expect(await viewOf()).toEqual({ firstContactAt: null, cameFirst: null, minutes: null });
    await say({ orderId, customerId: `c-${orderId}`, at: '2026-11-06T10:00:00Z' });
    expect(await viewOf()).toEqual({ firstContactAt: '2026-11-06T10:00:00.000Z', cameFirst: false, minutes: null });
    const declined = await supervisor.ask('POST', `/v1/awards/${id}/decline`, { reason: 'a test' });
    expect(declined.body.beforeContact).toMatchObject({ cameFirst: false });

    await give(orderId, { decidedAt: '2026-11-06T09:00:00Z', appliedAt: '2026-11-06T09:10:00Z' });
    await give(orderId, { decidedAt: '2026-11-06T09:00:00Z', appliedAt: '2026-11-06T10:05:00Z' });
    await give(orderId, { incident: 'manual', decidedAt: '2026-11-06T09:00:00Z', appliedAt: '2026-11-06T09:10:00Z' });
    const text = describeExplanation(await explainOrder(server.deps, orderId));
    expect(text).toContain('came 50 minutes before the first complaint at 2026-11-06T10:00:00.000Z');
    expect(text).toContain('came 5 minutes after the first complaint at 2026-11-06T10:00:00.000Z');
    expect(text).toContain('not applied before the first complaint at 2026-11-06T10:00:00.000Z');
    expect(text).toContain('given by hand; first complaint at 2026-11-06T10:00:00.000Z');
  });
});

describe('over a period', () => {
  const INCIDENTS = ['late', 'lost', 'not_received', 'manual'] as const;
  const STATUSES = ['applied', 'applied', 'applied', 'pending', 'held', 'declined', 'failed', 'reversed'] as const;
  const instant = (minute: number) => new Date(Date.parse('2024-03-01T00:00:00Z') + minute * 60_000).toISOString();
  const PERIOD = { since: new Date(instant(0)), until: new Date(instant(2_000)) };

  test('the one statement says what the rule says award by award, in total and by kind of incident', async () => {
    // A walk with a fixed step meets every combination; nothing here is left to chance.
    const expected = new Map<string, { first: number; after: number; waiting: number; minutes: number[] }>();
    for (let one = 0; one < 60; one++) {
      const orderId = await judgedOrder();
      const contactAt = one % 3 === 0 ? null : instant((one * 37) % 1_000);
      if (contactAt !== null) await say({ orderId, customerId: `c-${orderId}`, at: contactAt });
      for (let of = 0; of < 2; of++) {
        const incident = INCIDENTS[(one + of) % INCIDENTS.length] ?? 'late';
        const status = STATUSES[(one * 3 + of) % STATUSES.length] ?? 'applied';
        const isApplied = status === 'applied' || status === 'reversed';
        const appliedAt = isApplied ? instant(((one * 53 + of * 17) % 1_000) + 0.5) : null;
        await give(orderId, { incident, status, decidedAt: instant(one), appliedAt });
        if (status === 'declined' || status === 'reversed') continue;
        const { cameFirst, minutes } = beforeContact({
          incident,
          appliedAt: appliedAt === null ? null : new Date(appliedAt),
          firstContactAt: contactAt === null ? null : new Date(contactAt),
        });
        for (const name of ['all', incident]) {
          const sum = expected.get(name) ?? { first: 0, after: 0, waiting: 0, minutes: [] };
          expected.set(name, sum);
          sum[cameFirst === null ? 'waiting' : cameFirst ? 'first' : 'after']++;
          if (cameFirst && minutes !== null) sum.minutes.push(minutes);
        }
      }
    }
    const { byIncident, ...total } = await measureBeforeContact(server.deps.db.pool, PERIOD);
    const wanted = (name: string) => {
      const { first, after, waiting, minutes } = expected.get(name) ?? { first: 0, after: 0, waiting: 0, minutes: [] };
      const share = first + after === 0 ? null : first / (first + after);
      return { awards: first + after + waiting, first, after, waiting, share, medianMinutesAhead: medianOf(minutes) };
    };
    expect(total).toEqual(wanted('all'));
    expect(byIncident).toEqual(
      ['not_received', 'lost', 'late', 'manual'].map((incident) => ({ incident, ...wanted(incident) })),
    );
    expect(Math.min(total.first, total.after, total.waiting)).toBeGreaterThan(3);
    expect(wanted('manual').first).toBe(0);
    expect(wanted('late').medianMinutesAhead).toBeGreaterThan(0);
  });

  test('the route answers it for a period, `since` in it and `until` not', async () => {
    const ask = (query: string) => supervisor.ask('GET', `/v1/contacts/measure${query}`);
    const { status, body } = await ask(`?since=${instant(0)}&until=${instant(2_000)}`);
    expect(status).toBe(200);
    const { byIncident, ...total } = await measureBeforeContact(server.deps.db.pool, PERIOD);
    expect(body).toEqual({ since: instant(0), until: instant(2_000), ...total, byIncident });
    const first = (await ask(`?since=${instant(0)}&until=${instant(1)}`)).body;
    expect(first.awards).toBeGreaterThan(0);
    expect((await ask(`?since=${instant(59)}&until=${instant(60)}`)).body.awards).toBeGreaterThan(0);
    expect((await ask(`?since=${instant(60)}&until=${instant(61)}`)).body).toMatchObject({
      awards: 0,
      share: null,
      medianMinutesAhead: null,
      byIncident: [],
    });
  });

  test('without a period the last 30 days; one that ends before it begins, or is too long, is refused', async () => {
    const { body } = await supervisor.ask('GET', '/v1/contacts/measure');
    expect(Date.parse(body.until) - Date.parse(body.since)).toBe(30 * 86_400_000);
    for (const query of [
      '?since=2026-11-05T00:00:00Z&until=2026-11-05T00:00:00Z',
      '?since=2024-11-05T00:00:00Z&until=2026-11-05T00:00:00Z',
      '?since=yesterday',
    ]) {
      expectProblem(await supervisor.ask('GET', `/v1/contacts/measure${query}`), { status: 400, fields: ['since'] });
    }
  });

  function medianOf(values: readonly number[]): number | null {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length / 2;
    if (sorted.length === 0) return null;
    return Number.isInteger(middle)
      ? ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
      : (sorted[Math.floor(middle)] ?? 0);
  }
});
