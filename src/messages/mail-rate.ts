/**
 * How late a letter may take its turn, and how far turns that nobody took can be made up for. Shorter, and a worker that was
 * busy for a moment finds its turns gone; longer, and more mails leave at once after a pause.
 */
const TOLERANCE_MS = 10_000;
const MINUTE_MS = 60_000;

/** A letter as far as its turn goes: null where it has none yet. */
export interface Waiting {
  readonly turnAt: Date | null;
}

/**
 * Gives each letter its turn, in their order. Turns are an equal time apart, whoever gives them; one that was given and not taken in
 * time is given anew. A letter leaves within the tolerance after its turn, so that in any minute no more leave than
 * `perMinute` and those of one tolerance: `perMinute` * 7 / 6, and one.
 * @param state.nextAt the first turn that nobody has
 * @returns a turn for each letter, and the first one that is still free
 */
export function giveTurns(
  letters: readonly Waiting[],
  { nextAt, now, perMinute }: { readonly nextAt: Date; readonly now: Date; readonly perMinute: number },
): { turns: Date[]; nextAt: Date } {
  const apart = MINUTE_MS / perMinute;
  const oldest = now.getTime() - TOLERANCE_MS;
  let next = Math.max(nextAt.getTime(), oldest);
  const turns = letters.map(({ turnAt }) => {
    if (turnAt !== null && turnAt.getTime() >= oldest) return turnAt;
    const turn = new Date(Math.ceil(next));
    next += apart;
    return turn;
  });
  // Rounded up, so that what is between two milliseconds is never given twice.
  return { turns, nextAt: new Date(Math.ceil(next)) };
}
