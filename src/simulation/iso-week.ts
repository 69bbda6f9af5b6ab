/** Seven days by the calendar of ISO 8601, which begin on Monday. */
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** 1 January 1970 was a Thursday, which is the day that says to which year a week belongs. */
const THURSDAY_BEFORE_MONDAY_MS = 3 * DAY_MS;

/** The week of an instant by UTC, as `2026-W48`: its year is that of its Thursday, and 1 January may be in the year before. */
export function isoWeekOf(at: number): string {
  const thursday = mondayOf(at) + THURSDAY_BEFORE_MONDAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / WEEK_MS) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

/** Every week from that of the first instant to that of the last, without a gap. */
export function isoWeeksBetween(first: number, last: number): string[] {
  const weeks: string[] = [];
  for (let monday = mondayOf(first); monday <= last; monday += WEEK_MS) weeks.push(isoWeekOf(monday));
  return weeks;
}

/** The instant at which a week such as `2026-W48` begins. */
export function startOfIsoWeek(week: string): number {
  const [year = 0, number = 0] = week.split('-W').map(Number);
  return mondayOf(Date.UTC(year, 0, 4)) + (number - 1) * WEEK_MS;
}

function mondayOf(at: number): number {
  const days = Math.floor(at / DAY_MS);
  // Day 0 was a Thursday: three days after its Monday.
  return (days - ((((days + 3) % 7) + 7) % 7)) * DAY_MS;
}
