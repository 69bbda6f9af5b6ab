/** How something stands. `warning`: it works, and somebody should know; `fault`: it does not work as it is. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'fault';
  readonly detail: string;
  /** What to do about it; null where there is nothing to do. */
  readonly advice: string | null;
}

export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail, advice: null });
export const warning = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'warning',
  detail,
  advice,
});
export const fault = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'fault',
  detail,
  advice,
});

/** What an error says, in a line; drivers pack several attempts into one. */
export function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const cause = first instanceof Error && first.cause instanceof Error ? `: ${first.cause.message}` : '';
  return first instanceof Error ? `${first.message}${cause}` : String(first);
}
