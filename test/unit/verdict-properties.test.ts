import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { localDateOf } from '../../src/calendar.js';
import { type Judgement, judge, type Verdict, type VerdictCase, worst } from '../../src/promises/verdict.js';
import {
  type EventTime,
  EXCEPTION_KINDS,
  TRACKING_STATUSES,
  type TrackingEvent,
} from '../../src/shipments/tracking-event.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Where clocks and calendars do something odd, and when. */
const ODD_NIGHTS: [string, string][] = [
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Europe/London', '2026-10-25T01:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['America/Sao_Paulo', '2017-10-15T03:00:00Z'],
  ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
  ['America/Santiago', '2026-09-06T04:00:00Z'],
  ['Africa/Cairo', '2026-04-23T22:00:00Z'],
  ['America/Havana', '2026-11-01T05:00:00Z'],
  ['America/St_Johns', '2010-11-07T02:31:00Z'],
  ['Antarctica/Casey', '2010-03-04T15:00:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00:00Z'],
  ['Asia/Kathmandu', '2026-05-20T18:15:00Z'],
  ['Pacific/Kiritimati', '2028-02-29T10:00:00Z'],
  ['UTC', '2026-06-10T00:00:00Z'],
];

/** Times near an instant: mostly within hours, and often on the dot, so that the edges of bounds are hit. */
const away = fc.oneof(
  fc.constantFrom(0, 1, -1, HOUR_MS, -HOUR_MS, DAY_MS, 7 * DAY_MS),
  fc.integer({ min: -30, max: 30 }).map((hours) => hours * HOUR_MS),
  fc.integer({ min: -4 * DAY_MS, max: 20 * DAY_MS }),
);

function eventNear(anchor: number): fc.Arbitrary<TrackingEvent> {
  const zone = fc.constantFrom(undefined, ...ODD_NIGHTS.map(([name]) => name));
  const time = fc.tuple(away, fc.constantFrom('at', 'local', 'on'), zone).map(([by, kind, timeZone]): EventTime => {
    const text = new Date(anchor + by).toISOString();
    if (kind === 'at') return { at: new Date(anchor + by) };
    const where = timeZone === undefined ? {} : { timeZone };
    return kind === 'local' ? { local: text.slice(0, -1), ...where } : { on: text.slice(0, 10), ...where };
  });
  return fc.record({
    status: fc.constantFrom(...TRACKING_STATUSES),
    time,
    exception: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.constantFrom(...EXCEPTION_KINDS)),
    disputed: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
  });
}

/** Few events and often none: with many nearly every case has been delivered. */
const anyCase: fc.Arbitrary<VerdictCase> = fc.constantFrom(...ODD_NIGHTS).chain(([timeZone, night]) => {
  const anchor = Date.parse(night);
  return fc.record({
    promise: fc
      .tuple(away, fc.boolean())
      .map(([by, isDate]) =>
        isDate
          ? { on: localDateOf(new Date(anchor + (by % (2 * DAY_MS))), timeZone), timeZone }
          : { at: new Date(anchor + (by % (2 * DAY_MS))), timeZone },
      ),
    asOf: away.map((by) => new Date(anchor + by)),
    graceMinutes: fc.constantFrom(0, 0, 30, 90, 2000),
    attemptCounts: fc.boolean(),
    lostAfterDays: fc.constantFrom(0, 1, 3, 7, 7),
    shipBy: fc.option(away.map((by) => new Date(anchor + by))),
    events: fc.array(eventNear(anchor), { maxLength: 4 }),
  });
});

/** What `changesAt` promises to keep still. */
function still({ verdict, lateDays, fault, metAt }: Judgement) {
  return { verdict, lateDays, fault, metAt };
}

const RUNS = { numRuns: 2500 };

describe('the order and the repetition of scans never matter', () => {
  test('any order gives the same answer', () => {
    const shuffled = anyCase.chain((one) =>
      fc.record({
        one: fc.constant(one),
        events: fc.shuffledSubarray([...one.events], { minLength: one.events.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ one, events }) => {
        expect(judge({ ...one, events })).toEqual(judge(one));
      }),
      RUNS,
    );
  });

  test('any repetition gives the same answer', () => {
    fc.assert(
      fc.property(anyCase, fc.array(fc.nat(), { maxLength: 5 }), (one, picks) => {
        const again = picks.flatMap((pick) => one.events.slice(pick % 4, (pick % 4) + 1));
        expect(judge({ ...one, events: [...one.events, ...again] })).toEqual(judge(one));
      }),
      RUNS,
    );
  });
});

describe('time alone never breaks what was kept', () => {
  test('what was on time, or late, stays exactly that at any later instant', () => {
    fc.assert(
      fc.property(anyCase, fc.integer({ min: 0, max: 60 * DAY_MS }), (one, later) => {
        const before = judge(one);
        fc.pre(before.verdict === 'on_time' || before.verdict === 'late');
        const after = judge({ ...one, asOf: new Date(one.asOf.getTime() + later) });
        expect(after).toEqual(before);
      }),
      RUNS,
    );
  });

  test('nothing is late or overdue while asOf is within the bound, and nothing pending beyond it', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const { verdict, promisedUntil } = judge(one);
        const within = 'at' in one.promise ? one.asOf <= promisedUntil : one.asOf < promisedUntil;
        expect(within ? ['late', 'overdue'] : ['pending']).not.toContain(verdict);
      }),
      RUNS,
    );
  });

  test('the bound hangs on the promise and the grace alone', () => {
    fc.assert(
      fc.property(anyCase, anyCase, (one, other) => {
        const { promise, graceMinutes } = one;
        expect(judge({ ...other, promise, graceMinutes }).promisedUntil).toEqual(judge(one).promisedUntil);
      }),
      RUNS,
    );
  });
});

describe('the parts of an answer fit each other', () => {
  test('lateness, fault and metAt are there when the verdict has them, and never below 0', () => {
    const hasLateness: Verdict[] = ['late', 'overdue'];
    const hasFault: Verdict[] = ['late', 'overdue', 'lost', 'damaged', 'returned'];
    const hasMeeting: Verdict[] = ['on_time', 'late'];
    fc.assert(
      fc.property(anyCase, (one) => {
        const { verdict, lateDays, lateMinutes, fault, metAt, promisedUntil, restsOnSilence } = judge(one);
        expect(lateDays !== null && lateMinutes !== null).toBe(hasLateness.includes(verdict));
        expect(fault !== null).toBe(hasFault.includes(verdict));
        expect(metAt !== null).toBe(hasMeeting.includes(verdict));
        expect(Math.min(lateDays ?? 0, lateMinutes ?? 0)).toBeGreaterThanOrEqual(0);
        if (verdict === 'late') expect(metAt?.getTime()).toBeGreaterThanOrEqual(promisedUntil.getTime());
        if (restsOnSilence) expect(['overdue', 'lost']).toContain(verdict);
        if ('on' in one.promise && lateDays !== null) expect(lateDays).toBeGreaterThanOrEqual(1);
      }),
      RUNS,
    );
  });

  test('a scan that nobody can see yet changes nothing', () => {
    fc.assert(
      fc.property(anyCase, (one) => {
        const { changesAt: _, ...before } = judge(one);
        const later = { at: new Date(one.asOf.getTime() + 1) };
        const events = one.events.concat({ status: 'delivered', time: later, exception: null, disputed: false });
        expect(judge({ ...one, events })).toMatchObject(before);
      }),
      RUNS,
    );
  });
});

describe('changesAt', () => {
  const LONG_MS = 40 * DAY_MS;

  test('until then the verdict, the days, the fault and the meeting stay as they are', () => {
    fc.assert(
      fc.property(anyCase, fc.double({ min: 0, max: 1, noNaN: true }), (one, share) => {
        const before = judge(one);
        const asOf = one.asOf.getTime();
        const end = before.changesAt?.getTime() ?? asOf + LONG_MS;
        expect(end).toBeGreaterThan(asOf);
        for (const at of [asOf + Math.floor((end - 1 - asOf) * share), end - 1]) {
          expect(still(judge({ ...one, asOf: new Date(at) }))).toEqual(still(before));
        }
      }),
      RUNS,
    );
  });

  test('following it from change to change misses none', () => {
    fc.assert(
      fc.property(anyCase, fc.array(fc.integer({ min: 0, max: LONG_MS }), { maxLength: 10 }), (one, looks) => {
        let now = judge(one);
        let since = one.asOf.getTime();
        for (const at of looks.map((after) => one.asOf.getTime() + after).sort((a, b) => a - b)) {
          while (now.changesAt && now.changesAt.getTime() <= at) {
            expect(now.changesAt.getTime()).toBeGreaterThan(since);
            since = now.changesAt.getTime();
            now = judge({ ...one, asOf: now.changesAt });
          }
          expect(still(judge({ ...one, asOf: new Date(at) }))).toEqual(still(now));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('of an order it is the first of its shipments', () => {
    fc.assert(
      fc.property(fc.array(anyCase, { minLength: 1, maxLength: 4 }), (shipments) => {
        const judgements = shipments.map(judge);
        const changes = judgements.flatMap(({ changesAt }) => changesAt?.getTime() ?? []);
        expect(worst(judgements).changesAt?.getTime() ?? null).toBe(changes.length > 0 ? Math.min(...changes) : null);
      }),
      { numRuns: 1000 },
    );
  });
});

/** The zone of a process is fixed when it starts, so each of these is a process of its own. */
describe('the zone of the process does not matter', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  test.each(['America/New_York', 'Pacific/Apia'])('the worked cases hold under TZ=%s', (zone) => {
    const jest = ['node_modules/jest/bin/jest.js', '--runTestsByPath', 'test/unit/verdict.test.ts'];
    const { status, stderr } = spawnSync(process.execPath, ['--experimental-vm-modules', ...jest], {
      cwd: root,
      env: { ...process.env, TZ: zone },
      encoding: 'utf8',
    });
    expect({ status, failures: status === 0 ? '' : stderr }).toEqual({ status: 0, failures: '' });
    expect(stderr).toMatch(/Tests: +\d+ passed/);
  });
});
