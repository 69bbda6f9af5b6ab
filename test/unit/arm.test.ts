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
    expect([...heldOut(1)].slice(0, KNOWN_HELD_OUT.length)).toEqual(KNOWN_HELD_OUT);
  });
});

/**
 * The first of one percent: sha256sum of ["makegood","c-151"] begins with 010b4a, which is below 16^6 / 100. Written down:
 * were the way of drawing ever changed, running experiments would be mixed up.
 */
const KNOWN_HELD_OUT = ['c-151', 'c-180', 'c-234', 'c-453', 'c-525'];
