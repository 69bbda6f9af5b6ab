import { describe, expect, test } from '@jest/globals';
import type { WeekCost } from '../../src/simulation/compare-outcomes.js';
import { isoWeeksBetween } from '../../src/simulation/iso-week.js';
import { renderWeeklyPlot } from '../../src/simulation/weekly-plot.js';

const cost = (given: number, waiting = 0) => ({ given, waiting });
const WEEKS: WeekCost[] = [
  { unit: 'EUR', week: '2026-W53', active: cost(1_000), candidate: cost(2_000, 500) },
  { unit: 'EUR', week: '2027-W02', active: cost(0), candidate: cost(700) },
  { unit: 'USD', week: '2027-W01', active: cost(123_456), candidate: cost(99) },
  { unit: 'months', week: '2026-W40', active: cost(3), candidate: cost(4) },
];
const FIRST = WEEKS[0] as WeekCost;
const widthOf = (svg: string): number => Number(/width="(\d+)"/.exec(svg)?.[1]);
const draw = (changes: Partial<Parameters<typeof renderWeeklyPlot>[0]> = {}) =>
  renderWeeklyPlot({
    names: { active: 'Default', candidate: 'Generous' },
    weeks: WEEKS,
    subtitle: '8 orders of 8 customers',
    ...changes,
  });

/** Every tag is closed in the order in which tags were opened, and no character stands where XML does not allow it. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  const pieces = svg.split(/(<[^<>]*>)/);
  for (const piece of pieces) {
    if (!piece.startsWith('<')) {
      expect(piece).toMatch(/^([^<>&]|&(amp|lt|gt|quot);)*$/);
      continue;
    }
    expect(piece).toMatch(/^<\/?[a-z]+(\s+[a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*\s*\/?>$/);
    const [, slash, name = '', closed] = /^<(\/?)([a-z]+).*?(\/?)>$/s.exec(piece) ?? [];
    if (slash) expect(open.pop()).toBe(name);
    else if (!closed) open.push(name);
  }
  expect(open).toEqual([]);
}

describe('the plot of weekly cost', () => {
  test('is a well-formed document with a title, a description and a legend', () => {
    const svg = draw();
    expectWellFormed(svg);
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" .*role="img" aria-labelledby="plot-title plot-desc">/,
    );
    expect(svg).toMatch(/<title id="plot-title">[^<]+<\/title>/);
    expect(svg).toMatch(
      /<desc id="plot-desc">[^<]*EUR, 2026-W53 to 2027-W02: €10\.00 and €32\.00 in all\.[^<]*<\/desc>/,
    );
    expect(svg).toContain('active: Default');
    expect(svg).toContain('candidate: Generous');
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  test('has a panel for each currency and none for what is no money', () => {
    const headings = [...draw().matchAll(/<text class="heading"[^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(headings).toEqual(['EUR a week', 'USD a week']);
  });

  test('bars are as high as what they show, the two policies side by side, what waits on top', () => {
    const svg = draw({ weeks: WEEKS.slice(0, 1) });
    const bars = [
      ...svg.matchAll(/<rect class="([a-z ]+)" x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"\/>/g),
    ]
      .map(([, names, x, y, height]) => ({ names, x: Number(x), y: Number(y), height: Number(height) }))
      .filter(({ x }) => x > 60);
    const [active, candidate, waiting] = bars;
    expect(bars.map(({ names }) => names)).toEqual(['active', 'candidate', 'candidate waiting']);
    expect((candidate?.height ?? 0) / (active?.height ?? 1)).toBeCloseTo(2, 1);
    expect((active?.height ?? 0) / (waiting?.height ?? 1)).toBeCloseTo(2, 1);
    expect(candidate?.x).toBeGreaterThan(active?.x ?? Number.POSITIVE_INFINITY);
    expect((waiting?.y ?? 0) + (waiting?.height ?? 0)).toBeCloseTo(candidate?.y ?? 0, 1);
    expect(svg).toContain('<title>2026-W53: active €10.00; candidate €20.00, and €5.00 waiting for a person</title>');
  });

  test('every week of the axis is there, also one in which nothing was given', () => {
    const weeks = WEEKS.slice(0, 2).map((row, place) => ({ ...row, week: place === 0 ? '2026-W51' : '2027-W03' }));
    const svg = draw({ weeks });
    // Labels stand every third week, over the turn of the year.
    expect([...svg.matchAll(/>(20\d\d-W\d\d)<\/text>/g)].map(([, week]) => week)).toEqual(['2026-W51', '2027-W01']);
  });

  test('names cannot break out, and what XML cannot hold is replaced', () => {
    const svg = draw({
      names: { active: '<script>alert("1")</script> & co', candidate: `broken \ud800 \u0007 ]]> ${'x'.repeat(100)}` },
    });
    expectWellFormed(svg);
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; co');
    expect(svg).toContain('broken \ufffd \ufffd ]]&gt;');
  });

  test('says so where no money would have been given', () => {
    const svg = draw({ weeks: [] });
    expectWellFormed(svg);
    expect(svg).toContain('Neither policy would have given money.');
  });

  test('a long past makes it wider, so that bars never run into each other', () => {
    const long = isoWeeksBetween(Date.UTC(2016, 8, 5), Date.UTC(2018, 9, 22)).map((week) => ({ ...FIRST, week }));
    expect(widthOf(draw({ weeks: long }))).toBeGreaterThan(widthOf(draw()));
  });

  test('empty years are left out, and that is to be seen', () => {
    const svg = draw({ weeks: ['2018-W43', '2026-W48'].map((week) => ({ ...FIRST, week })) });
    expectWellFormed(svg);
    expect(svg).toContain('weeks without any cost are left out');
    expect(widthOf(svg)).toBe(widthOf(draw()));
    expect([...svg.matchAll(/<title>(20\d\d-W\d\d):/g)].map(([, week]) => week)).toEqual(['2018-W43', '2026-W48']);
  });
});
