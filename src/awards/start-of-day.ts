/** The first instant of a day of the till: days are those of UTC, the same for everybody. */
export function startOfDay(at: Date): Date {
  return new Date(`${at.toISOString().slice(0, 10)}T00:00:00.000Z`);
}
