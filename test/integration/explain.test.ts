import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeExplanation } from '../../src/cli/commands/explain.js';
import { explainOrder } from '../../src/promises/explain-order.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { runProgram } from '../support/run-program.js';

let database: TestDatabase;
let makegood: TestMakegood;

const scan = (id: string, ...deliveredAt: string[]) =>
  makegood.webhook(
    trackerEvent(`T-${id}`, [
      ['in_transit', 'arrived_at_facility', '2026-11-03T12:00:00Z'],
      ...deliveredAt.map((at) => ['delivered', 'arrived_at_destination', at] as const),
    ]),
  );

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-04T12:00:00Z' });
  const noMember = { customer: { membership: null } };
  await makegood.put('prime', orderDocument({ customerId: 'c-1', trackingNumber: 'T-prime' }));
  await makegood.put('refunded', orderDocument({ customerId: 'c-2', trackingNumber: 'T-refunded', ...noMember }));
  await makegood.put('new', orderDocument({ customerId: 'c-3', trackingNumber: 'T-new' }));
  for (const id of ['prime', 'refunded']) await scan(id);
  await makegood.quiet();
  makegood.clock.set(new Date('2026-11-07T12:00:00Z'));
  for (const id of ['prime', 'refunded']) await scan(id, '2026-11-06T15:00:00Z');
  await makegood.quiet();
  // It turns out that it had come in time, when the month was given already.
  await scan('prime', '2026-11-05T15:00:00Z', '2026-11-06T15:00:00Z');
  await makegood.quiet();
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

/** The lines below a heading. */
function linesOf(text: string, heading: string): string[] {
  const section = text.split('\n\n').find((one) => one.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .slice(2)
    .map((line) => line.slice(2));
}

test('an order is explained in full: answer, reasons for both sides, awards, letters, history', async () => {
  const explained = await explainOrder(makegood.deps, 'prime');
  expect(explained).toMatchObject({
    order: { id: 'prime', customerId: 'c-1', backfill: false },
    current: {
      verdict: 'on_time',
      incident: null,
      declinedBecause: 'kept',
      mode: 'active',
      policyVersion: 1,
      differences: [],
    },
    awards: [{ kind: 'membership_extension', months: 1, status: 'applied', rule: 'prime-month', incident: 'late' }],
    letters: [
      { template: 'late-delivered', status: 'sent', toAddress: 'c-1@example.com' },
      { template: 'correction', status: 'sent', toAddress: 'c-1@example.com' },
    ],
    overCompensation: [{ class: 'membership', unit: 'months', quantity: 1 }],
  });
  expect(explained.verdicts.map(({ verdict }) => verdict)).toEqual(['pending', 'late', 'on_time']);
  // What it was made of stays where it is: an explanation is for reading.
  expect(Object.keys(explained.current ?? {})).not.toContain('inputs');

  const text = describeExplanation(explained);
  expect(linesOf(text, 'Verdict')).toEqual([
    'on_time, met at 2026-11-05T15:00:00.000Z',
    'no incident',
    'nothing given: kept',
    expect.stringMatching(/^policy 1 ".+", mode active$/),
    expect.stringMatching(/^judged 2026-11-07T12:\d\d:.*Z \(webhook\)$/),
  ]);
  expect(linesOf(text, 'What to tell the customer')).toEqual([
    'We promised this order for Thursday, November 5.',
    'It was delivered on Thursday, November 5, as promised.',
    'So the promise was kept, and there is nothing to make up for.',
  ]);
  expect(linesOf(text, 'Why, for the agent').join('\n')).toContain('kept');
  expect(linesOf(text, 'Awards')[0]).toMatch(/^membership_extension 1 month: applied at 2026-11-07T/);
  expect(linesOf(text, 'Given beyond what is earned now')).toEqual(['1 month (membership); it stays given']);
  expect(linesOf(text, 'Letters')).toEqual([
    expect.stringMatching(/^late-delivered to c-1@example\.com: sent, sent /),
    expect.stringMatching(/^correction to c-1@example\.com: sent, sent /),
  ]);
  expect(linesOf(text, 'History')).toHaveLength(3);
  expect(linesOf(text, 'Run again')).toEqual([
    'The stored inputs of all 3 verdicts, run again, give the same answers.',
  ]);
});

test('an award says who carries it out, under which reference, and who has looked at it', async () => {
  const [award] = await database.query<{ id: string }>(`SELECT id FROM awards WHERE order_id = 'refunded'`);
  await database.query(
    `UPDATE awards SET provider = 'stripe', reviewed_by = 'key:sue', reviewed_at = '2026-11-07T13:00:00Z',
       review_reason = 'paid twice' WHERE id = $1`,
    [award?.id],
  );
  await database.query(
    `INSERT INTO provider_calls (award_id, provider, idempotency_key, status, attempts, first_called_at, last_called_at, answered_at, receipt)
     VALUES ($1::uuid, 'stripe', $1::text, 'granted', 2, now(), now(), now(), '{"id": "re_123", "object": "refund"}')`,
    [award?.id],
  );
  await database.query(`UPDATE awards SET status = 'applied', applied_at = '2026-11-07T14:00:00Z' WHERE id = $1`, [
    award?.id,
  ]);
  const lines = linesOf(describeExplanation(await explainOrder(makegood.deps, 'refunded')), 'Awards');
  expect(lines).toEqual([
    'shipping_refund $5.99: applied at 2026-11-07T14:00:00.000Z',
    expect.stringMatching(/^ {2}for late, rule late-shipping-back: /),
    expect.stringContaining(`id ${award?.id}, proposed by policy`),
    '  came before any complaint: there is none',
    '  reviewed by key:sue at 2026-11-07T13:00:00.000Z: paid twice',
    '  provider stripe, granted, tries: 2',
    '  receipt re_123',
  ]);
});

test('a verdict that its inputs do not give is said to be so, and in what', async () => {
  await database.query(
    `INSERT INTO verdicts (id, order_id, verdict, promised_until, met_at, late_minutes, late_days, fault, judged_at, policy_version,
       trigger, trace, incident, inputs, explanation)
     SELECT gen_random_uuid(), order_id, verdict, promised_until, met_at, late_minutes, 5, fault, judged_at, policy_version, trigger,
       trace, incident, inputs, explanation FROM verdicts WHERE order_id = 'refunded' AND verdict = 'late'`,
  );
  const text = describeExplanation(await explainOrder(makegood.deps, 'refunded'));
  expect(linesOf(text, 'Run again')).toEqual([
    expect.stringMatching(/^The verdict of .* is NOT what its stored inputs give:$/),
    '  lateDays: recorded 5, run again 1',
  ]);
  expect(linesOf(text, 'History').filter((line) => line.endsWith('DIFFERS when run again'))).toHaveLength(1);
});

test('makegood explain and makegood audit say the same, as text and as JSON, and fail as commands do', async () => {
  const makegoodCommand = (...args: string[]) =>
    runProgram(['makegood', ...args], { env: { DATABASE_URL: database.url } });
  const text = await makegoodCommand('explain', 'prime');
  expect({ status: text.status, stderr: text.stderr }).toEqual({ status: 0, stderr: '' });
  expect(text.stdout).toBe(`${describeExplanation(await explainOrder(makegood.deps, 'prime'))}\n`);
  const json = await makegoodCommand('explain', 'prime', '--json');
  expect(JSON.parse(json.stdout)).toEqual(JSON.parse(JSON.stringify(await explainOrder(makegood.deps, 'prime'))));
  const unknown = await makegoodCommand('explain', 'nobody');
  expect(unknown).toMatchObject({ status: 1, stdout: '' });
  expect(unknown.stderr).toContain('There is no order nobody');

  // The wrong verdict of before is found, which is exit code 1 and no error.
  const audit = await makegoodCommand('audit', '--json', '--sample', '50');
  expect({ status: audit.status, stderr: audit.stderr.includes('makegood:') }).toEqual({ status: 1, stderr: false });
  expect(JSON.parse(audit.stdout)).toMatchObject({
    ok: false,
    wrongAnswers: { found: 1 },
    dueAndNotPaid: { found: 0 },
  });
  expect((await makegoodCommand('audit', '--sample', '0')).status).toBe(2);
});
