/** How long a server is believed that it takes no more. Shorter, and it is asked in vain; longer, and a restart of it slows a whole night. */
const BELIEVED_MS = 10 * 60 * 1_000;

/**
 * How many connections there may be at once to one mail server: as many as wanted, until the server says that it takes no more (421); then
 * as many as it took, for some minutes. Servers count them per client, and do not say how far.
 */
export class SmtpPlaces {
  readonly #wanted: number;
  #most: number;
  #loweredAt = Number.NEGATIVE_INFINITY;
  #taken = 0;
  #waiting: (() => void)[] = [];
  #drained: (() => void)[] = [];

  constructor(wanted: number) {
    this.#wanted = wanted;
    this.#most = wanted;
  }

  /** Takes a place, when there is one. */
  async enter(): Promise<void> {
    if (performance.now() - this.#loweredAt > BELIEVED_MS) this.#most = this.#wanted;
    if (this.#taken < this.#most) this.#taken++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a place back. It goes straight to whoever waits longest: nobody can slip in between. */
  leave(): void {
    const next = this.#taken <= this.#most ? this.#waiting.shift() : undefined;
    if (next !== undefined) {
      next();
      return;
    }
    this.#taken--;
    if (this.#taken === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  /**
   * Gives a place back that the server did not have.
   * @returns false: it has not even one, and the place is kept
   */
  giveUpOne(): boolean {
    if (this.#taken < 2) return false;
    this.#most = this.#taken - 1;
    this.#loweredAt = performance.now();
    this.leave();
    return true;
  }

  /** Resolves when everybody has left, those who wait now among them. */
  async drained(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }
}
