import { describe, expect, test } from '@jest/globals';
import { armOf } from '../../src/compensation/arm.js';

const CUSTOMERS = Array.from({ length: 20_000 }, (_, index) => `c-${index}`);
const heldOut = (percent: number, salt = 'makegood') =>
  new Set(CUSTOMERS.filter((id) => armOf(id, { holdout: { percent, salt } }) === 'holdout'));

describe('the holdout arm', () => {
  test('nobody is in it at 0 percent', () => {
    expect(heldOut(0).size).toBe(0);
  });

  test.each([0.5, 5, 10])('about %d percent of the customers are in it', (percent) => {
    const wanted = (CUSTOMERS.length * percent) / 100;
    // Four standard deviations of a fair draw; the ids are fixed, so this never flickers.
    expect(Math.abs(heldOut(percent).size - wanted)).toBeLessThan(4 * Math.sqrt(wanted));
  });

  test('who is in it stays in it when it grows', () => {
    const [small, large] = [heldOut(2), heldOut(7)];
    expect([...small].filter((id) => !large.has(id))).toEqual([]);
  });

  test('another salt draws anew', () => {
    const [one, other] = [heldOut(10), heldOut(10, 'second experiment')];
    const both = [...one].filter((id) => other.has(id)).length;
    expect(both / one.size).toBeLessThan(0.2);
  });

  test('a customer has one arm for ever: this one, by this salt', () => {
    const first = CUSTOMERS.find((id) => armOf(id, { holdout: { percent: 10, salt: 'makegood' } }) === 'holdout');
    expect(first).toBe(KNOWN_HELD_OUT);
  });
});

/** Written down: were the way of drawing ever changed, running experiments would be mixed up. */
const KNOWN_HELD_OUT = 'c-0';
