import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { AppError } from '../errors.js';
import { readChunksOf } from './read-chunk.js';

export interface Reject {
  readonly line: number;
  readonly message: string;
  readonly cells: readonly string[];
}

/** A file of rejects as it is: by its size and what is in it, a later import knows it again. */
export interface RejectsState {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface RejectsFile {
  /** Whether it has the rows that an earlier part of the import rejected. */
  readonly isContinued: boolean;
  /**
   * Writes behind what was kept. Until it is kept too, writing again takes its place: a transaction may be run again.
   * @returns how the file is then
   */
  write(rejects: readonly Reject[]): Promise<RejectsState>;
  keep(): void;
  close(): Promise<void>;
}

/**
 * A CSV file for the rows that were rejected: the line of each, what is wrong with it, and its cells, to be mended and imported.
 * @param before how an earlier part of the same import left its file: if it is this one, it is added to; null: it had none
 * @throws AppError `invalid_request` when it cannot be written, is the file that is read, or is not as that part left it
 */
export async function openRejectsFile(
  file: string,
  input: { readonly file: string; readonly header: readonly string[]; readonly before: RejectsState | null },
): Promise<RejectsFile> {
  const fails = (cause: unknown): never => {
    throw new AppError(
      'invalid_request',
      `cannot write ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  };
  // Before it is opened: opening it for writing empties it.
  const [own, read] = await Promise.all([realpath(file).catch(() => null), realpath(input.file)]);
  if (own === read) throw new AppError('invalid_request', `--rejects ${file} is the file that is to be imported.`);
  const isSame = own !== null && own === input.before?.file;
  const continued = isSame && input.before ? await openContinued(own, input.before) : null;
  // What is in it will not be rejected again.
  if (isSame && !continued) {
    const problem = 'has rows that this import rejected before, and was changed since';
    throw new AppError('invalid_request', `--rejects ${file} ${problem}: move it away, or name another file.`);
  }
  const handle = continued?.handle ?? (await open(file, 'w').catch(fails));
  const path = await realpath(file);
  // A pipe or a terminal has no places, and nobody goes on with it.
  const isSeekable = (await handle.stat()).isFile();
  let kept: { readonly bytes: number; readonly hash: Hash } = continued ?? { bytes: 0, hash: createHash('sha256') };
  let written = kept;
  /** How long the file is: what was written for a transaction that failed still stands behind what was kept. */
  let longest = kept.bytes;

  const append = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) {
      const position = isSeekable ? kept.bytes + done : null;
      const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position).catch(fails);
      done += bytesWritten;
    }
    written = { bytes: kept.bytes + bytes.length, hash: kept.hash.copy().update(bytes) };
    longest = Math.max(longest, written.bytes);
  };
  if (!continued) {
    await append(csvLine(['line', 'message', ...input.header]));
    kept = written;
  }
  return {
    isContinued: continued !== null,
    async write(rejects) {
      written = kept;
      if (rejects.length > 0)
        await append(rejects.map(({ line, message, cells }) => csvLine([String(line), message, ...cells])).join(''));
      if (isSeekable && longest > written.bytes) {
        await handle.truncate(written.bytes).catch(fails);
        longest = written.bytes;
      }
      return { file: path, bytes: written.bytes, sha256: written.hash.copy().digest('hex') };
    },
    keep() {
      kept = written;
    },
    close: () => handle.close(),
  };
}

/** @returns null when it is no longer what it was: mended by somebody, or another one by now */
async function openContinued(
  file: string,
  before: RejectsState,
): Promise<{ handle: FileHandle; bytes: number; hash: Hash } | null> {
  const handle = await open(file, 'r+').catch(() => null);
  if (!handle) return null;
  const reader = readChunksOf(handle, { file, isSeekable: true });
  const hash = createHash('sha256');
  let bytes = 0;
  while (bytes < before.bytes) {
    const chunk = await reader.read(bytes, before.bytes - bytes);
    if (chunk.length === 0) break;
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (bytes === before.bytes && hash.copy().digest('hex') === before.sha256) {
    await handle.truncate(bytes);
    return { handle, bytes, hash };
  }
  await handle.close();
  return null;
}

/** A line of a CSV file that a spreadsheet shows and never runs: what it would take for a formula gets an apostrophe before it. */
function csvLine(cells: readonly string[]): string {
  const written = cells.map((cell) => {
    const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(',')}\r\n`;
}
