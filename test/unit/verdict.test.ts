import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { judgeCommand } from '../../src/cli/commands/judge.js';
import { readJsonInput } from '../../src/cli/read-input.js';
import { AppError } from '../../src/errors.js';
import { boundOf, type Judgement, judge, type VerdictCase, worst, worstIndex } from '../../src/promises/verdict.js';
import { fieldErrorsOf, parseVerdictCase, promiseSchema, verdictAnswer } from '../../src/promises/verdict-case.js';

interface WorkedCase {
  readonly name: string;
  readonly expected: { readonly restsOnSilence?: boolean; readonly changesAt?: string | null };
}

const worked = JSON.parse(
  readFileSync(new URL('../fixtures/verdict-cases.json', import.meta.url), 'utf8'),
) as WorkedCase[];

function read(json: unknown): VerdictCase {
  const parsed = parseVerdictCase(json);
  if (parsed.outcome === 'invalid') throw new Error(JSON.stringify(parsed.errors));
  return parsed.case;
}

/** The answer, with what the JSON form leaves out. */
function wholeAnswer(judgement: Judgement) {
  return {
    ...verdictAnswer(judgement),
    restsOnSilence: judgement.restsOnSilence,
    changesAt: judgement.changesAt?.toISOString() ?? null,
  };
}

describe('judge answers each worked case', () => {
  test.each(worked)('$name', (one) => {
    expect(wholeAnswer(judge(read(one)))).toEqual(one.expected);
  });
});

describe('judge refuses what no type can exclude', () => {
  const at = new Date('2026-06-10T12:00:00Z');
  const nowhere = new Date(Number.NaN);
  const good: VerdictCase = {
    promise: { on: '2026-06-10', timeZone: 'America/New_York' },
    asOf: at,
    graceMinutes: 0,
    attemptCounts: true,
    lostAfterDays: 7,
    shipBy: null,
    events: [],
  };
  const event = { status: 'delivered', exception: null, disputed: false } as const;

  const bad: [string, Partial<VerdictCase>][] = [
    ['a zone that does not exist', { promise: { on: '2026-06-10', timeZone: 'Mars/Olympus' } }],
    ['an offset for a zone', { promise: { at, timeZone: '+05:00' } }],
    ['a date that does not exist', { promise: { on: '2026-02-30', timeZone: 'UTC' } }],
    ['a promise at no instant', { promise: { at: nowhere, timeZone: 'UTC' } }],
    ['no instant to judge at', { asOf: nowhere }],
    ['no instant to ship by', { shipBy: nowhere }],
    ['a grace that is not a number', { graceMinutes: Number.NaN }],
    ['a grace below nothing', { graceMinutes: -1 }],
    ['a patience that is not a number', { lostAfterDays: Number.NaN }],
    ['an event at no instant', { events: [{ ...event, time: { at: nowhere } }] }],
    ['an event in a zone that does not exist', { events: [{ ...event, time: { on: '2026-06-10', timeZone: 'x' } }] }],
    ['an event on a date that does not exist', { events: [{ ...event, time: { on: '2026-06-31' } }] }],
    ['an event at a malformed local time', { events: [{ ...event, time: { local: '2026-06-10 12:00' } }] }],
  ];

  test.each(bad)('%s', (_, change) => {
    expect(() => judge({ ...good, ...change })).toThrow(
      expect.objectContaining({ name: 'AppError', code: 'invalid_request' }),
    );
  });

  test('the good one is judged', () => {
    expect(judge(good).verdict).toBe('pending');
  });
});

describe('boundOf', () => {
  test('a date ends, exclusively, with its local day and the grace', () => {
    expect(boundOf({ on: '2026-03-08', timeZone: 'America/New_York' }, 90)).toEqual({
      promisedUntil: new Date('2026-03-09T05:30:00Z'),
      inclusive: false,
    });
  });

  test('an instant is kept up to and including itself and the grace', () => {
    const at = new Date('2026-06-10T16:00:00Z');
    expect(boundOf({ at, timeZone: 'America/New_York' }, 1)).toEqual({
      promisedUntil: new Date('2026-06-10T16:01:00Z'),
      inclusive: true,
    });
    expect(boundOf({ at, timeZone: 'America/New_York' }, 0).promisedUntil).not.toBe(at);
  });
});

describe('the worst shipment speaks for the order', () => {
  const one = (verdict: Judgement['verdict'], more: Partial<Judgement> = {}): Judgement => ({
    verdict,
    promisedUntil: new Date('2026-06-11T04:00:00Z'),
    metAt: null,
    lateMinutes: null,
    lateDays: null,
    fault: null,
    restsOnSilence: false,
    changesAt: null,
    ...more,
  });
  const late = (lateDays: number, lateMinutes: number) => one('late', { lateDays, lateMinutes });
  const overdue = (lateDays: number, lateMinutes: number) =>
    one('overdue', { lateDays, lateMinutes, restsOnSilence: true });

  const fromMildToGrave: Judgement[] = [
    one('cancelled'),
    one('on_time'),
    one('pending'),
    one('uncertain'),
    late(0, 5),
    overdue(0, 6),
    late(1, 3),
    overdue(1, 400),
    late(2, 0),
    one('returned'),
    one('damaged'),
    one('lost', { restsOnSilence: true }),
  ];
  const pairs = fromMildToGrave.flatMap((grave, index) =>
    fromMildToGrave.slice(0, index).map((mild): [string, string, Judgement, Judgement] => {
      const name = ({ verdict, lateDays, lateMinutes }: Judgement) =>
        `${verdict} ${lateDays ?? ''} ${lateMinutes ?? ''}`;
      return [name(grave), name(mild), grave, mild];
    }),
  );

  test.each(pairs)('%s is worse than %s, in either order', (_, __, grave, mild) => {
    expect(worst([grave, mild])).toEqual(grave);
    expect(worst([mild, grave])).toEqual(grave);
    expect(worstIndex([mild, grave, mild])).toBe(1);
  });

  test('cancelled ones count when all are', () => {
    expect(worst([one('cancelled'), one('cancelled')]).verdict).toBe('cancelled');
  });

  test('between equals a scan is better evidence than silence, and then the first counts', () => {
    const said = one('lost', { fault: 'customs' });
    const silent = one('lost', { restsOnSilence: true });
    expect(worstIndex([silent, said])).toBe(1);
    expect(worstIndex([said, silent])).toBe(0);
    expect(worstIndex([said, said])).toBe(0);
  });

  test('the order changes as soon as any of its shipments does, the cancelled ones too', () => {
    const soon = new Date('2026-06-12T04:00:00Z');
    const later = new Date('2026-06-13T04:00:00Z');
    const judgements = [
      late(1, 3),
      one('pending', { changesAt: later }),
      one('cancelled', { changesAt: soon }),
      overdue(0, 1),
    ];
    expect(worst(judgements)).toEqual({ ...late(1, 3), changesAt: soon });
  });

  test('no shipment at all is our own mistake', () => {
    expect(() => worst([])).toThrow('assertion failed');
    expect(() => worstIndex([])).toThrow('assertion failed');
  });
});

describe('parseVerdictCase', () => {
  const promise = { on: '2026-06-10', timeZone: 'America/New_York' };
  const smallest = { promise, asOf: '2026-06-10T12:00:00Z', events: [] };

  test('settings that are left out have their defaults', () => {
    expect(read(smallest)).toEqual({
      promise,
      asOf: new Date('2026-06-10T12:00:00Z'),
      graceMinutes: 0,
      attemptCounts: true,
      lostAfterDays: 7,
      shipBy: null,
      events: [],
    });
  });

  test('each kind of time, with offset written in any way, becomes an event', () => {
    const events = [
      { status: 'in_transit', at: '2026-06-09T12:00:00.1234-04:00' },
      { status: 'attempted', at: '2026-06-09T12:00+0530', exception: 'refused', disputed: true, timeZone: 'UTC' },
      { status: 'delivered', local: '2026-06-09T12:00:00', timeZone: 'Asia/Tokyo', exception: null },
      { status: 'unknown', on: '2026-06-09', estimatedDelivery: 'soon' },
    ];
    const plain = { exception: null, disputed: false };
    expect(read({ ...smallest, events }).events).toEqual([
      { ...plain, status: 'in_transit', time: { at: new Date('2026-06-09T16:00:00.123Z') } },
      { status: 'attempted', time: { at: new Date('2026-06-09T06:30:00Z') }, exception: 'refused', disputed: true },
      { ...plain, status: 'delivered', time: { local: '2026-06-09T12:00:00', timeZone: 'Asia/Tokyo' } },
      { ...plain, status: 'unknown', time: { on: '2026-06-09' } },
    ]);
  });

  test('keys that are no part of a verdict case come back untouched, whatever their name', () => {
    const json = JSON.parse('{"name":"x","order":{"id":1},"__proto__":{"polluted":true}}') as object;
    const parsed = parseVerdictCase({ ...json, ...smallest, ['__proto__']: 1 });
    expect(parsed).toMatchObject({ outcome: 'ok', rest: { name: 'x', order: { id: 1 } } });
    expect(Object.keys(parsed.outcome === 'ok' ? parsed.rest : {})).toEqual(expect.arrayContaining(['name', 'order']));
    expect('polluted' in {}).toBe(false);
  });

  const event = { status: 'delivered', at: '2026-06-09T12:00:00Z' };
  const invalid: [string, unknown, string, string][] = [
    ['null', null, '', 'expected an object'],
    ['a list', [smallest], '', 'got a list'],
    ['no promise', { ...smallest, promise: undefined }, 'promise', 'is missing'],
    ['no asOf', { ...smallest, asOf: undefined }, 'asOf', 'is missing'],
    ['no events', { ...smallest, events: undefined }, 'events', 'is missing'],
    ['an asOf without offset', { ...smallest, asOf: '2026-06-10T12:00:00' }, 'asOf', 'with offset'],
    ['an asOf on a date that does not exist', { ...smallest, asOf: '2026-02-29T12:00:00Z' }, 'asOf', 'ISO 8601'],
    ['an asOf at 24:00', { ...smallest, asOf: '2026-06-10T24:00:00Z' }, 'asOf', 'ISO 8601'],
    ['an asOf of a number', { ...smallest, asOf: 1781092800000 }, 'asOf', 'got 1781092800000'],
    ['an asOf with an offset of 16 hours', { ...smallest, asOf: '2026-06-10T12:00:00+16:00' }, 'asOf', 'ISO 8601'],
    ['an asOf with something after it', { ...smallest, asOf: '2026-06-10T12:00:00Z\n' }, 'asOf', 'ISO 8601'],
    [
      'neither on nor at',
      { ...smallest, promise: { timeZone: 'UTC' } },
      'promise',
      'exactly one of `on` and `at`, got none',
    ],
    ['both on and at', { ...smallest, promise: { ...promise, at: event.at } }, 'promise', 'got both'],
    ['an impossible date', { ...smallest, promise: { ...promise, on: '2026-02-30' } }, 'promise.on', 'a calendar date'],
    ['29 February 2027', { ...smallest, promise: { ...promise, on: '2027-02-29' } }, 'promise.on', 'a calendar date'],
    [
      'a date with a time',
      { ...smallest, promise: { ...promise, on: '2026-06-10T00:00' } },
      'promise.on',
      'a calendar date',
    ],
    ['no zone', { ...smallest, promise: { on: '2026-06-10' } }, 'promise.timeZone', 'is missing'],
    ['an unknown zone', { ...smallest, promise: { ...promise, timeZone: 'Mars/Olympus' } }, 'promise.timeZone', 'IANA'],
    ['an offset', { ...smallest, promise: { ...promise, timeZone: '+05:00' } }, 'promise.timeZone', 'IANA'],
    ['a NUL byte', { ...smallest, promise: { ...promise, timeZone: 'UTC\0' } }, 'promise.timeZone', '"UTC\\u0000"'],
    ['a grace below 0', { ...smallest, graceMinutes: -1 }, 'graceMinutes', 'whole number'],
    ['a grace of half a minute', { ...smallest, graceMinutes: 0.5 }, 'graceMinutes', 'whole number'],
    ['a grace as text', { ...smallest, graceMinutes: '5' }, 'graceMinutes', 'whole number'],
    ['a grace beyond all dates', { ...smallest, graceMinutes: 1e15 }, 'graceMinutes', '0 to 1000000'],
    ['a patience below 0', { ...smallest, lostAfterDays: -7 }, 'lostAfterDays', 'whole number'],
    ['a patience of half a day', { ...smallest, lostAfterDays: 7.5 }, 'lostAfterDays', 'whole number'],
    ['attemptCounts as text', { ...smallest, attemptCounts: 'yes' }, 'attemptCounts', 'true or false'],
    ['a shipBy without offset', { ...smallest, shipBy: '2026-06-10' }, 'shipBy', 'with offset'],
    ['events that are no list', { ...smallest, events: {} }, 'events', 'a list of events'],
    ['an event that is no object', { ...smallest, events: [event, 'x'] }, 'events[1]', 'an object'],
    [
      'an unknown status',
      { ...smallest, events: [{ ...event, status: 'lost' }] },
      'events[0].status',
      'one of pre_transit',
    ],
    [
      'an unknown exception',
      { ...smallest, events: [{ ...event, exception: 'x' }] },
      'events[0].exception',
      'one of weather',
    ],
    ['a disputed of 1', { ...smallest, events: [{ ...event, disputed: 1 }] }, 'events[0].disputed', 'true or false'],
    ['no time', { ...smallest, events: [event, event, { status: 'delivered' }] }, 'events[2]', 'exactly one of `at`'],
    ['two times', { ...smallest, events: [{ ...event, on: '2026-06-09' }] }, 'events[0]', 'exactly one of `at`'],
    [
      'an at without offset',
      { ...smallest, events: [{ ...event, at: '2026-06-09T12:00:00' }] },
      'events[0].at',
      'offset',
    ],
    [
      'a local with offset',
      { ...smallest, events: [{ status: 'delivered', local: '2026-06-09T12:00:00Z' }] },
      'events[0].local',
      'without offset',
    ],
    ['an impossible on', { ...smallest, events: [{ status: 'delivered', on: '2026-06-31' }] }, 'events[0].on', 'date'],
    [
      'an unknown zone of an event',
      { ...smallest, events: [{ status: 'delivered', on: '2026-06-30', timeZone: 'GMT+5' }] },
      'events[0].timeZone',
      'IANA',
    ],
  ];

  test.each(invalid)('%s: the field is named and what is expected there', (_, json, field, words) => {
    expect(parseVerdictCase(json)).toEqual({
      outcome: 'invalid',
      errors: [{ field, message: expect.stringContaining(words) }],
    });
  });

  test('all errors are told at once', () => {
    const json = { promise: { ...promise, on: 'x' }, asOf: 'x', graceMinutes: -1, events: [{ ...event, at: 'x' }] };
    const parsed = parseVerdictCase(json);
    expect(parsed.outcome === 'invalid' && parsed.errors.map(({ field }) => field)).toEqual([
      'promise.on',
      'graceMinutes',
      'asOf',
      'events[0].at',
    ]);
  });

  test('a promise serves alone, for an order', () => {
    const refused = promiseSchema.safeParse({ on: '2026-02-30', timeZone: 'UTC' });
    expect(refused.error && fieldErrorsOf(refused.error)).toEqual([
      { field: 'on', message: 'expected a calendar date, such as 2026-11-05, got "2026-02-30"' },
    ]);
  });

  test('an AppError of a bad case names what is wrong', () => {
    const bad: VerdictCase = { ...read(smallest), promise: { on: '2026-06-10', timeZone: 'Mars/Olympus' } };
    expect.assertions(1);
    try {
      judge(bad);
    } catch (error) {
      expect(error instanceof AppError && error.errors[0]?.field).toBe('promise.timeZone');
    }
  });
});

describe('makegood judge', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'makegood-judge-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function fileOf(content: string | Uint8Array): string {
    const file = join(folder, 'case.json');
    writeFileSync(file, content);
    return file;
  }

  const one = { promise: { on: '2026-06-10', timeZone: 'UTC' }, asOf: '2026-06-12T00:00:00Z', events: [] };
  const answer = {
    verdict: 'overdue',
    promisedUntil: '2026-06-11T00:00:00.000Z',
    metAt: null,
    lateMinutes: 1440,
    lateDays: 2,
    fault: 'merchant',
  };

  test('one case has one answer', async () => {
    expect(await judgeCommand({ file: fileOf(JSON.stringify(one)) })).toEqual(answer);
  });

  test('a list of cases has a list of answers, also when it is short or empty', async () => {
    expect(await judgeCommand({ file: fileOf(JSON.stringify([one, one])) })).toEqual([answer, answer]);
    expect(await judgeCommand({ file: fileOf(JSON.stringify([one])) })).toEqual([answer]);
    expect(await judgeCommand({ file: fileOf('[]') })).toEqual([]);
  });

  test('a byte order mark is no error', async () => {
    expect(await judgeCommand({ file: fileOf(`\uFEFF${JSON.stringify(one)}`) })).toEqual(answer);
  });

  test('an invalid case names its field, within a list with its place', async () => {
    const bad = { ...one, events: [{ status: 'delivered', at: 'yesterday' }] };
    await expect(judgeCommand({ file: fileOf(JSON.stringify(bad)) })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^events\[0\]\.at: expected an ISO 8601 instant/),
    });
    await expect(judgeCommand({ file: fileOf(JSON.stringify([one, bad, one, 7])) })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^\[1\]\.events\[0\]\.at: .* \(and 1 more\)$/),
      errors: [{ field: '[1].events[0].at' }, { field: '[3]', message: expect.stringContaining('expected an object') }],
    });
  });

  test.each([
    ['nothing', '', 'it is empty'],
    ['only space', ' \n', 'it is empty'],
    ['a word', '{"a": 1,\n "b": x}', 'unexpected "x" at line 2, column 7'],
    ['a comma too many', '[1,\n2,\n]', 'unexpected "]" at line 3, column 1'],
    ['a comma too few', '{"a": 1 "b": 2}', 'unexpected "\\"" at line 1, column 9'],
    ['no colon', '{"a" 1}', 'unexpected "1" at line 1, column 6'],
    ['a key without quotes', '{a: 1}', 'unexpected "a" at line 1, column 2'],
    ['the wrong bracket', '[{"a": 1]]', 'unexpected "]" at line 1, column 9'],
    ['a line break in a text', '["a\nb"]', 'unexpected "\\n" at line 1, column 4'],
    ['an unknown escape', '["a\\x"]', 'unexpected "\\\\" at line 1, column 4'],
    ['a number with a leading 0', '[01]', 'unexpected "0" at line 1, column 2'],
    ['a text that does not end', '["abc', 'unexpected end of text at line 1, column 6'],
    ['a list that does not end', '[1, {"a": [true, null, -1.5e3]}', 'unexpected end of text at line 1, column 32'],
    ['something after the end', '[]\n[]', 'unexpected "[" at line 2, column 1'],
    ['a character of two units', '[\u{1F4E6}]', 'unexpected "\u{1F4E6}" at line 1, column 2'],
  ])('what is not JSON is refused with line and column: %s', async (_, content, words) => {
    await expect(readJsonInput(fileOf(content))).rejects.toMatchObject({
      code: 'invalid_request',
      message: `${join(folder, 'case.json')} is not JSON: ${words}`,
    });
  });

  test('a file that is missing, a folder, not text or too large is refused', async () => {
    const refused = (words: string) => ({ code: 'invalid_request', message: expect.stringContaining(words) });
    await expect(readJsonInput(join(folder, 'none.json'))).rejects.toMatchObject(refused('there is no such file'));
    await expect(readJsonInput(folder)).rejects.toMatchObject(refused('it is a directory'));
    await expect(readJsonInput(fileOf(Uint8Array.of(0x22, 0xff, 0x22)))).rejects.toMatchObject(refused('not UTF-8'));
    const large = fileOf(new Uint8Array(50 * 1024 * 1024 + 1).fill(0x20));
    await expect(readJsonInput(large)).rejects.toMatchObject(refused('larger than 50 MB'));
  });
});
