import Table from 'cli-table3';

/** The answer of a command: one JSON document with `--json`, else what a person likes to read. */
export function print(json: boolean, document: unknown, readable: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(document, null, 2)}\n` : `${readable()}\n`);
}

/** A table with a line of headings. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
  widths?: number[],
): string {
  const grid = new Table({
    head: [...headings],
    style: { head: [], border: [] },
    wordWrap: true,
    ...(widths ? { colWidths: widths } : {}),
  });
  for (const row of rows) grid.push(row.map((cell) => cell ?? ''));
  return grid.toString();
}
