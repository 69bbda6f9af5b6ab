import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { healQueue } from '../../src/queue/relay.js';
import { schedulesOf } from '../../workers/schedules.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';

// Redis cannot be dropped like this: what FLUSHALL does there is tested with the chaos tests.
let database: TestDatabase;
let makegood: TestMakegood;
beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-08T12:00:00Z' });
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

test('what BullMQ keeps in PostgreSQL is dropped under running workers: it is made anew, and the work goes on', async () => {
  await database.query('DROP SCHEMA bullmq CASCADE');
  await makegood.put('dropped', orderDocument({ customerId: 'dropped', trackingNumber: 'DROPPED' }));
  const scan = ['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z'] as const;
  expect((await makegood.webhook(trackerEvent('DROPPED', [scan]))).status).toBe(200);

  await healQueue(makegood.deps, schedulesOf(makegood.deps.config));
  await makegood.quiet();
  expect((await makegood.order('dropped')).awards).toMatchObject([{ kind: 'membership_extension', status: 'applied' }]);
});
