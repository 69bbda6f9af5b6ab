import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { giveTurns } from '../../src/messages/mail-rate.js';

const NOW = new Date('2026-11-05T12:00:00Z');
const seconds = (from: Date, to: Date) => (to.getTime() - from.getTime()) / 1_000;
const fresh = (count: number) => Array.from({ length: count }, () => ({ turnAt: null }));

describe('turns', () => {
  test('after a pause ten seconds of turns are there at once, and the others come an equal time apart', () => {
    const { turns, nextAt } = giveTurns(fresh(14), { nextAt: new Date(0), now: NOW, perMinute: 60 });
    expect(turns.map((turn) => seconds(NOW, turn))).toEqual([-10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3]);
    expect(seconds(NOW, nextAt)).toBe(4);
  });

  test('who asks next gets what is left, also when it is long ahead', () => {
    const ahead = new Date(NOW.getTime() + 90_000);
    const { turns, nextAt } = giveTurns(fresh(2), { nextAt: ahead, now: NOW, perMinute: 30 });
    expect(turns.map((turn) => seconds(NOW, turn))).toEqual([90, 92]);
    expect(seconds(NOW, nextAt)).toBe(94);
  });

  test('a turn that has come is kept; one that was missed by more than the tolerance is given anew', () => {
    const kept = new Date(NOW.getTime() - 9_000);
    const missed = new Date(NOW.getTime() - 10_001);
    const { turns } = giveTurns([{ turnAt: kept }, { turnAt: missed }], {
      nextAt: new Date(NOW.getTime() + 5_000),
      now: NOW,
      perMinute: 60,
    });
    expect(turns.map((turn) => seconds(NOW, turn))).toEqual([-9, 5]);
  });

  test('whoever asks, and whenever, in no minute more leave than the limit and those of ten seconds', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_200 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 1, max: 300 })), { maxLength: 40 }),
        (perMinute, asks) => {
          let now = NOW.getTime();
          let state = new Date(0);
          let waiting: { turnAt: Date | null }[] = [];
          const left: number[] = [];
          for (const [pauseMs, count] of asks) {
            now += pauseMs;
            const due = [
              ...waiting.filter(({ turnAt }) => turnAt === null || turnAt.getTime() <= now),
              ...fresh(count),
            ];
            const later = waiting.filter(({ turnAt }) => turnAt !== null && turnAt.getTime() > now);
            const { turns, nextAt } = giveTurns(due, { nextAt: state, now: new Date(now), perMinute });
            state = nextAt;
            for (const turn of turns) {
              if (turn.getTime() <= now) left.push(now);
              else later.push({ turnAt: turn });
            }
            waiting = later;
          }
          const most = Math.max(
            0,
            ...left.map((from) => left.filter((one) => one >= from && one < from + 60_000).length),
          );
          expect(most).toBeLessThanOrEqual(Math.ceil((perMinute * 7) / 6) + 1);
        },
      ),
    );
  });
});
