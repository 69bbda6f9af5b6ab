import { describe, expect, test } from '@jest/globals';
import { atRiskEvent, awardEvent } from '../../src/events/event.js';
import { isPrivateAddress, isPrivateUrl } from '../../src/events/private-address.js';
import { GIVE_UP_MS, pauseMs, retryWaitMs } from '../../src/events/retry-wait.js';

describe('private addresses', () => {
  test.each([
    '0.0.0.0',
    '0.255.255.255',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.0',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.0.1',
    '169.254.169.254',
    '172.16.0.0',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '100::1',
    'fc00::1',
    'fdff:ffff::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    'no address',
    '',
  ])('%s is private', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ])('%s is public', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });

  test.each([
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://0x7f.1/',
    'http://127.1:8080/',
    'http://127.0.0.1./',
    'http://１２７.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'https://localhost/',
    'https://localhost./',
    'https://LOCALHOST/',
    'https://db.localhost:1234/',
    'http://0/',
  ])('%s is private as it is written', (url) => {
    expect(isPrivateUrl(new URL(url))).toBe(true);
  });

  test.each(['https://shop.example/', 'https://8.8.8.8/', 'https://localhost.example/', 'https://notlocalhost/'])(
    '%s may be public: only its name can tell',
    (url) => {
      expect(isPrivateUrl(new URL(url))).toBe(false);
    },
  );
});

describe('waits between tries', () => {
  const total = (chance: number) => {
    let ms = 0;
    let tries = 1;
    for (let wait = retryWaitMs(1, { chance }); wait !== null; wait = retryWaitMs(tries, { chance })) {
      ms += wait;
      tries++;
    }
    return { hours: ms / 3_600_000, tries };
  };

  test.each([0, 0.5, 1])('eleven tries, the last of them after 72 to 75 hours, with chance %d', (chance) => {
    const { hours, tries } = total(chance);
    expect(tries).toBe(11);
    expect(hours).toBeGreaterThan(72);
    expect(hours).toBeLessThan(75);
    expect(hours * 3_600_000).toBeLessThan(GIVE_UP_MS);
  });

  test('the first after five seconds, then minutes, then hours; each by a fifth or ten minutes earlier or later', () => {
    const waits = [1, 2, 3, 4, 10].map((attempt) =>
      [0, 0.5, 1].map((chance) => (retryWaitMs(attempt, { chance }) ?? 0) / 1_000),
    );
    expect(waits).toEqual([
      [4, 5, 6],
      [240, 300, 360],
      [1_440, 1_800, 2_160],
      [6_600, 7_200, 7_800],
      [71_400, 72_000, 72_600],
    ]);
    expect(retryWaitMs(11, { chance: 0.5 })).toBeNull();
  });

  test('Retry-After makes a wait longer, never shorter, and is no further try', () => {
    expect(retryWaitMs(1, { chance: 0.5, askedS: 120 })).toBe(120_000);
    expect(retryWaitMs(3, { chance: 0.5, askedS: 120 })).toBe(1_800_000);
    expect(retryWaitMs(11, { chance: 0.5, askedS: 120 })).toBeNull();
  });

  test.each([
    [0, 100, 0],
    [0, 2_000, 0],
    [0, 2_001, 2_001],
    [4, 100, 0],
    [1, 15_000, 15_000],
    [5, 100, 15_000],
    [6, 100, 30_000],
    [10, 100, 480_000],
    [11, 100, 600_000],
    [10_000, 100, 600_000],
  ])('after %d failures and %d ms an endpoint is left alone for %d ms', (failures, tookMs, pause) => {
    expect(pauseMs(failures, tookMs)).toBe(pause);
  });
});

describe('what is told', () => {
  const at = new Date('2026-11-16T12:00:00Z');

  test('a promise at risk, once for an order, with the day or the instant that the carrier names', () => {
    const one = { orderId: 'o-1', customerId: 'c-1', promisedUntil: at, at };
    const data = { orderId: 'o-1', customerId: 'c-1', promisedUntil: '2026-11-16T12:00:00.000Z' };
    const event = { type: 'promise.at_risk', orderId: 'o-1', subject: 'o-1', at };
    expect(atRiskEvent({ ...one, expected: null })).toEqual({
      ...event,
      data: { ...data, expectedOn: null, expectedAt: null },
    });
    expect(atRiskEvent({ ...one, expected: { on: '2026-11-18' } })).toEqual({
      ...event,
      data: { ...data, expectedOn: '2026-11-18', expectedAt: null },
    });
    expect(atRiskEvent({ ...one, expected: { at } })).toEqual({
      ...event,
      data: { ...data, expectedOn: null, expectedAt: '2026-11-16T12:00:00.000Z' },
    });
  });

  test('an award has the one measure of its kind', () => {
    const award = {
      id: 'a-1',
      orderId: 'o-1',
      customerId: 'c-1',
      kind: 'store_credit',
      incident: 'late',
      months: null,
      points: null,
      amountMinor: 500,
      currency: 'USD',
      provider: 'ledger',
      expiresAt: at,
    };
    expect(awardEvent('award.applied', award, at).data).toEqual({
      awardId: 'a-1',
      orderId: 'o-1',
      customerId: 'c-1',
      incident: 'late',
      kind: 'store_credit',
      amount: { amountMinor: 500, currency: 'USD' },
      provider: 'ledger',
      expiresAt: '2026-11-16T12:00:00.000Z',
    });
    const months = { ...award, kind: 'membership_extension', months: 1, amountMinor: null, currency: null };
    expect(awardEvent('award.applied', months, at).data).toMatchObject({ months: 1 });
    expect(awardEvent('award.applied', months, at).data).not.toHaveProperty('amount');
  });
});
