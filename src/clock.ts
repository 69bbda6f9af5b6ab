/**
 * What time it is, for everything that decides. The database's clock is read within the transaction that uses it, so that
 * all workers agree; a worker whose own clock is wrong judges nothing wrongly.
 */
export interface Clock {
  /** @param databaseNow what `now()` of PostgreSQL says */
  read(databaseNow: Date): Date;
}

export const systemClock: Clock = { read: (databaseNow) => databaseNow };

/** A clock that is set ahead or back: the demo plays a day of Christmas with it, tests cross midnights. */
export class ShiftedClock implements Clock {
  #offsetMs = 0;

  /** From now on, now is `instant`, and goes on from there. */
  set(instant: Date): void {
    this.#offsetMs = instant.getTime() - Date.now();
  }

  read(databaseNow: Date): Date {
    return new Date(databaseNow.getTime() + this.#offsetMs);
  }
}
