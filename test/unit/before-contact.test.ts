import { describe, expect, test } from '@jest/globals';
import { beforeContact } from '../../src/promises/before-contact.js';

const at = (text: string) => new Date(`2026-11-06T${text}Z`);
const NOON = at('12:00:00.000');

describe('beforeContact', () => {
  test.each<[string, Date | null, Date | null, boolean | null, number | null]>([
    ['not applied, no contact: nobody knows yet', null, null, null, null],
    ['not applied, and a contact came: it is too late', null, NOON, false, null],
    ['applied, no contact: first', NOON, null, true, null],
    ['a minute ahead', NOON, at('12:01:00.000'), true, 1],
    ['59 seconds ahead are no minute, and first', NOON, at('12:00:59.999'), true, 0],
    ['a millisecond ahead', NOON, at('12:00:00.001'), true, 0],
    ['at the very instant: not forestalled', NOON, NOON, false, 0],
    ['a millisecond after', NOON, at('11:59:59.999'), false, 0],
    ['a minute after', NOON, at('11:59:00.000'), false, -1],
    ['an hour and 59 seconds after', NOON, at('10:59:01.000'), false, -60],
  ])('%s', (_name, appliedAt, firstContactAt, cameFirst, minutes) => {
    const measured = beforeContact({ incident: 'late', appliedAt, firstContactAt });
    expect(measured).toEqual({ firstContactAt, cameFirst, minutes });
  });

  test.each<[string, Date | null, Date | null, number | null]>([
    ['without a contact', NOON, null, null],
    ['not applied', null, null, null],
    ['ahead of a contact: how far says nothing', NOON, at('13:00:00.000'), null],
    ['after a contact', NOON, at('11:00:00.000'), -60],
  ])('by hand never comes first, %s', (_name, appliedAt, firstContactAt, minutes) => {
    const measured = beforeContact({ incident: 'manual', appliedAt, firstContactAt });
    expect(measured).toEqual({ firstContactAt, cameFirst: false, minutes });
  });
});
