import { formatMoney } from '../money.js';
import { type Cost, SIDES, type Sides, type WeekCost } from './compare-outcomes.js';
import { isoWeeksBetween, startOfIsoWeek } from './iso-week.js';

export interface WeeklyPlotInput {
  /** The names of the two policies, as people wrote them. */
  readonly names: Sides<string>;
  readonly weeks: readonly WeekCost[];
  /** What the orders are, in a few words. */
  readonly subtitle: string;
}

/** Pixels. */
const LEFT = 104;
/** The label of the last week begins at its bars and ends beyond them. */
const RIGHT = 60;
const LEAST_WIDTH = 720;
const HEADER = 122;
const PANEL = 180;
const PANEL_HEADING = 28;
const PANEL_AXIS = 44;
/** Closer, and the labels of two weeks run into each other. */
const LABEL_DISTANCE = 72;
const LONGEST_NAME = 70;
const TICKS = 4;
/** Weeks. Shorter, and the seasons of a small shop fall together; longer, and the plot is mostly empty. */
const LONGEST_GAP = 12;

/** One colour a policy, told apart in light and dark, in grey, and by those who see few colours; paler is what waits. */
const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1b1f24; }
.title { font-size: 18px; font-weight: 600; }
.heading { font-size: 14px; font-weight: 600; }
.quiet { fill: #57606a; font-size: 12px; }
.ground { fill: #ffffff; }
.grid { stroke: #d8dee4; }
.axis { stroke: #57606a; }
.active { fill: #0b4f9e; }
.candidate { fill: #d9730d; }
.waiting { opacity: 0.45; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .quiet { fill: #9aa4ae; }
  .ground { fill: #0d1117; }
  .grid { stroke: #30363d; }
  .axis { stroke: #9aa4ae; }
  .active { fill: #4593f0; }
  .candidate { fill: #ffb46b; }
}`;

/** Draws what both policies cost each week: a panel a currency, two bars a week. A whole SVG document. */
export function renderWeeklyPlot({ names, weeks, subtitle }: WeeklyPlotInput): string {
  const money = weeks.filter(({ unit }) => isCurrency(unit));
  const currencies = [...new Set(money.map(({ unit }) => unit))].sort();
  const starts = money.map(({ week }) => startOfIsoWeek(week));
  const axis = starts.length === 0 ? [] : withoutLongGaps(isoWeeksBetween(smallest(starts), largest(starts)), money);
  const step = axis.length <= 30 ? 32 : axis.length <= 60 ? 20 : 12;
  const width = Math.max(LEAST_WIDTH, LEFT + axis.length * step + RIGHT);
  const height = HEADER + Math.max(1, currencies.length) * PANEL_TOTAL;
  const panels = currencies.map((currency, place) => {
    const rows = new Map(money.filter(({ unit }) => unit === currency).map((row) => [row.week, row]));
    return panel({ currency, rows, axis, step, width, top: HEADER + place * PANEL_TOTAL });
  });
  const nothing = `<text x="${LEFT}" y="${HEADER + PANEL_TOTAL / 2}">Neither policy would have given money.</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="plot-title plot-desc">`,
    `<title id="plot-title">What two policies cost each week</title>`,
    `<desc id="plot-desc">${escapeXml(describe(names, money, currencies))}</desc>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${width}" height="${height}"/>`,
    `<text class="title" x="24" y="32">What two policies cost each week</text>`,
    `<text class="quiet" x="24" y="52">${escapeXml(subtitle)}</text>`,
    ...SIDES.flatMap((side, place) => legend(side, names[side], 74 + place * 20)),
    ...(panels.length > 0 ? panels.flat() : [nothing]),
    '</svg>',
    '',
  ].join('\n');
}

/** A week of the axis, or null where many were left out. */
type Place = string | null;

/**
 * Leaves out long stretches in which nothing cost anything: what is overdue since years ago is decided now, and everything else
 * would vanish beside the empty years between.
 */
function withoutLongGaps(weeks: readonly string[], money: readonly WeekCost[]): Place[] {
  const filled = new Set(money.map(({ week }) => week));
  const axis: Place[] = [];
  let empty: string[] = [];
  for (const week of weeks) {
    if (!filled.has(week)) {
      empty.push(week);
      continue;
    }
    axis.push(...(empty.length > LONGEST_GAP ? [null] : empty), week);
    empty = [];
  }
  return axis;
}

const PANEL_TOTAL = PANEL_HEADING + PANEL + PANEL_AXIS;

function legend(side: keyof Sides<unknown>, name: string, y: number): string[] {
  const shown = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  return [
    `<rect class="${side}" x="24" y="${y - 10}" width="12" height="12"/>`,
    `<rect class="${side} waiting" x="38" y="${y - 10}" width="12" height="12"/>`,
    `<text x="58" y="${y}">${side}: ${escapeXml(shown)} <tspan class="quiet">(paler: waits for a person)</tspan></text>`,
  ];
}

function panel(input: {
  readonly currency: string;
  readonly rows: ReadonlyMap<string, WeekCost>;
  readonly axis: readonly Place[];
  readonly step: number;
  readonly width: number;
  readonly top: number;
}): string[] {
  const { currency, rows, axis, step, width, top } = input;
  const base = top + PANEL_HEADING + PANEL;
  const most = largest([...rows.values()].flatMap((row) => SIDES.map((side) => row[side].given + row[side].waiting)));
  const tick = niceStep(most / TICKS);
  const highest = Math.ceil(most / tick) * tick;
  const heightOf = (minor: number) => round((minor / highest) * PANEL);
  const show = (minor: number) => escapeXml(formatMoney({ amountMinor: minor, currency }, 'en-US'));

  const lines: string[] = [`<text class="heading" x="24" y="${top + 16}">${escapeXml(currency)} a week</text>`];
  for (let minor = 0; minor <= highest; minor += tick) {
    const y = round(base - heightOf(minor));
    lines.push(
      `<line class="${minor === 0 ? 'axis' : 'grid'}" x1="${LEFT}" x2="${width - RIGHT}" y1="${y}" y2="${y}"/>`,
    );
    lines.push(`<text class="quiet" x="${LEFT - 8}" y="${round(y + 4)}" text-anchor="end">${show(minor)}</text>`);
  }
  const bar = round((step - 4) / 2);
  let labelledAt = Number.NEGATIVE_INFINITY;
  for (const [place, week] of axis.entries()) {
    const x = LEFT + place * step + 2;
    if (week === null) {
      lines.push(
        `<text class="quiet" x="${x}" y="${base - 4}"><title>weeks without any cost are left out</title>…</text>`,
      );
      continue;
    }
    if (x - labelledAt >= LABEL_DISTANCE) {
      labelledAt = x;
      lines.push(`<line class="axis" x1="${x}" x2="${x}" y1="${base}" y2="${base + 5}"/>`);
      lines.push(`<text class="quiet" x="${x}" y="${base + 19}">${week}</text>`);
    }
    const row = rows.get(week);
    if (!row) continue;
    const told = SIDES.map((side) => `${side} ${tell(row[side], show)}`).join('; ');
    const bars = SIDES.flatMap((side, order) => {
      const [given, waiting] = [heightOf(row[side].given), heightOf(row[side].waiting)];
      const at = round(x + order * bar);
      return [
        ...(given > 0 ? [rect(side, at, round(base - given), bar, given)] : []),
        ...(waiting > 0 ? [rect(`${side} waiting`, at, round(base - given - waiting), bar, waiting)] : []),
      ];
    });
    lines.push(`<g><title>${week}: ${told}</title>${bars.join('')}</g>`);
  }
  return lines;
}

function rect(names: string, x: number, y: number, width: number, height: number): string {
  return `<rect class="${names}" x="${x}" y="${y}" width="${width}" height="${height}"/>`;
}

function tell({ given, waiting }: Cost, show: (minor: number) => string): string {
  return waiting === 0 ? show(given) : `${show(given)}, and ${show(waiting)} waiting for a person`;
}

/** The plot in words, for who cannot see it. */
function describe(names: Sides<string>, money: readonly WeekCost[], currencies: readonly string[]): string {
  const intro = `Bars for each week and currency: the active policy "${names.active}" beside the candidate "${names.candidate}".`;
  const sums = currencies.map((currency) => {
    const rows = money.filter(({ unit }) => unit === currency);
    const sum = (side: keyof Sides<unknown>) =>
      formatMoney(
        {
          amountMinor: rows.reduce((soFar, row) => soFar + row[side].given + row[side].waiting, 0),
          currency,
        },
        'en-US',
      );
    return `${currency}, ${rows[0]?.week} to ${rows.at(-1)?.week}: ${sum('active')} and ${sum('candidate')} in all.`;
  });
  return [intro, ...(sums.length > 0 ? sums : ['Neither would have given money.'])].join(' ');
}

/** 1, 2, 2.5 or 5 times a power of ten, at least `atLeast`, and whole minor units. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, atLeast)));
  const steps = [1, 2, 2.5, 5, 10].map((factor) => factor * power).filter(Number.isInteger);
  return steps.find((step) => step >= atLeast) ?? power;
}

export function isCurrency(unit: string): boolean {
  return /^[A-Z]{3}$/.test(unit);
}

/** What XML cannot hold at all, half characters among it, becomes the sign for that. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;');
}

function round(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}

function smallest(numbers: readonly number[]): number {
  return numbers.reduce((least, number) => Math.min(least, number), Number.POSITIVE_INFINITY);
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), Number.NEGATIVE_INFINITY);
}
