import { describe, expect, test } from '@jest/globals';
import { countEarlierFailures, isBeyondLimit, type PastApology } from '../../src/messages/apologies.js';
import { APOLOGIES } from '../../src/messages/letter.js';
import { NOTICE_KINDS } from '../../src/promises/notice-kinds.js';

const NOW = new Date('2026-11-16T12:00:00Z');
const daysAgo = (days: number, orderId: string, isHeld = false, wasLate = true): PastApology => ({
  wasLate,
  orderId,
  at: new Date(NOW.getTime() - days * 86_400_000),
  isHeld,
});

describe('how often it went wrong', () => {
  test('other orders count, each once, within 90 days, when the customer was told', () => {
    const past = [daysAgo(90, 'a'), daysAgo(80, 'a'), daysAgo(90.001, 'b'), daysAgo(1, 'c', true), daysAgo(2, 'this')];
    expect(countEarlierFailures(past, 'this', NOW)).toBe(1);
    expect(countEarlierFailures([...past, daysAgo(0, 'd')], 'this', NOW)).toBe(2);
    expect(countEarlierFailures([], 'this', NOW)).toBe(0);
  });
});

describe('how many apologies are enough', () => {
  test('all of 14 days count, those that are held and those of the same order too', () => {
    const two = [daysAgo(13.999, 'a'), daysAgo(0, 'b', true)];
    expect(isBeyondLimit(two, 2, NOW)).toBe(true);
    expect(isBeyondLimit(two, 3, NOW)).toBe(false);
    expect(isBeyondLimit([daysAgo(14, 'a'), daysAgo(0, 'b')], 2, NOW)).toBe(false);
  });

  test('a limit of none is no limit', () => {
    expect(
      isBeyondLimit(
        Array.from({ length: 9 }, () => daysAgo(1, 'a')),
        0,
        NOW,
      ),
    ).toBe(false);
  });

  test('what gives nothing, and what a person gave, is no apology', () => {
    for (const name of [...NOTICE_KINDS, 'goodwill', 'award-approved']) expect(APOLOGIES).not.toContain(name);
    expect(APOLOGIES).toContain('top-up');
    expect(APOLOGIES).toContain('third-failure');
  });
});
