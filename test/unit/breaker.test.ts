import { expect, test } from '@jest/globals';
import { judgeBreaker } from '../../src/compensation/breaker.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';

const { breaker } = DEFAULT_POLICY;
/** 4 % late for a month: five times of that is 20 %. */
const USUAL = { settled: 10_000, late: 400, sinceDays: 28 };

test.each([
  ['five times the usual share and fifty late', { settled: 250, late: 50 }, USUAL, true],
  ['a hair below five times', { settled: 251, late: 50 }, USUAL, false],
  ['far above it, but one less than fifty', { settled: 49, late: 49 }, USUAL, false],
  ['ten times the orders at the usual share', { settled: 25_000, late: 1_000 }, USUAL, false],
  ['a day too early to know what is usual', { settled: 100, late: 90 }, { ...USUAL, sinceDays: 13.9 }, false],
  ['just long enough', { settled: 100, late: 90 }, { ...USUAL, sinceDays: 14 }, true],
  ['one order too few to know', { settled: 100, late: 90 }, { settled: 499, late: 10, sinceDays: 28 }, false],
  ['just enough orders', { settled: 100, late: 90 }, { settled: 500, late: 10, sinceDays: 28 }, true],
  ['nothing late until now', { settled: 5_000, late: 50 }, { settled: 500, late: 0, sinceDays: 28 }, true],
  ['nothing at all', { settled: 0, late: 0 }, USUAL, false],
])('%s', (_what, counts, usual, tripped) => {
  expect(judgeBreaker(counts, usual, breaker).tripped).toBe(tripped);
});

test('it says the numbers and what they were held against', () => {
  expect(judgeBreaker({ settled: 250, late: 50 }, USUAL, breaker).because).toBe(
    '50 of 250 orders late in the last 60 minutes (20 %); usual is 4 %, 5 times of that is reached',
  );
});
