/** Shorter, and drawing costs more than the work; longer, and it looks as if it hung. */
const REDRAW_EVERY_MS = 100;
const WIDTH = 30;

/** A bar with rate and time left on stderr; nothing where stderr is no terminal. `show` writes an amount with its unit. */
export function progressBar(
  label: string,
  show: (amount: number) => string = (amount) => String(Math.round(amount)),
): { update(done: number, total: number): void; stop(): void } {
  const startedAt = Date.now();
  let drawnAt = 0;
  let drawn = false;
  const { stderr } = process;
  return {
    update(done, total) {
      if (!stderr.isTTY || (Date.now() - drawnAt < REDRAW_EVERY_MS && done < total)) return;
      drawnAt = Date.now();
      drawn = true;
      const share = total === 0 ? 1 : done / total;
      const seconds = (drawnAt - startedAt) / 1000;
      const rate = seconds > 0 ? done / seconds : 0;
      const left = rate > 0 ? `${Math.ceil((total - done) / rate)} s left` : '';
      const filled = Math.round(share * WIDTH);
      const bar = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`;
      stderr.write(`\r\u001b[K${label} ${bar} ${show(done)}/${show(total)}  ${show(rate)}/s  ${left}`);
    },
    stop() {
      if (drawn) stderr.write('\r\u001b[K');
      drawn = false;
    },
  };
}
