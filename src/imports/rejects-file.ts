import { type FileHandle, open, realpath } from 'node:fs/promises';
import { AppError } from '../errors.js';

export interface Reject {
  readonly line: number;
  readonly message: string;
  readonly cells: readonly string[];
}

export interface RejectsFile {
  write(rejects: readonly Reject[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * A CSV file for the rows that were rejected: the line of each, what is wrong with it, and its cells, to be mended and imported.
 * @throws AppError `invalid_request` when it cannot be written, or is the file that is read
 */
export async function openRejectsFile(
  file: string,
  input: { readonly file: string; readonly header: readonly string[] },
): Promise<RejectsFile> {
  // Before it is opened: opening it for writing empties it.
  const [own, read] = await Promise.all([realpath(file).catch(() => null), realpath(input.file)]);
  if (own === read) throw new AppError('invalid_request', `--rejects ${file} is the file that is to be imported.`);
  const handle: FileHandle = await open(file, 'w').catch((cause: NodeJS.ErrnoException) => {
    throw new AppError('invalid_request', `cannot write ${file}: ${cause.message}`, { cause });
  });
  await handle.write(csvLine(['line', 'message', ...input.header]));
  return {
    async write(rejects) {
      if (rejects.length === 0) return;
      await handle.write(
        rejects.map(({ line, message, cells }) => csvLine([String(line), message, ...cells])).join(''),
      );
    },
    close: () => handle.close(),
  };
}

/** A line of a CSV file that a spreadsheet shows and never runs: what it would take for a formula gets an apostrophe before it. */
function csvLine(cells: readonly string[]): string {
  const written = cells.map((cell) => {
    const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}
