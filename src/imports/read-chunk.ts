import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../errors.js';

/** Bytes of a file, in pieces. */
export interface ChunkReader {
  readonly file: string;
  /** Whether it can be read again; a pipe cannot. */
  readonly isSeekable: boolean;
  /** As much as there is from `offset` on, up to a full piece or `most`: a short one is the end. Of a pipe, what comes next. */
  read(offset: number, most?: number): Promise<Buffer>;
}

/** Bytes read at once. Smaller, and the pauses between cost more than the reading; bigger, and the bar jumps. */
const READ_BYTES = 256 * 1024;

/** Reads an open file. */
export function readChunksOf(
  handle: FileHandle,
  { file, isSeekable }: Pick<ChunkReader, 'file' | 'isSeekable'>,
): ChunkReader {
  return {
    file,
    isSeekable,
    async read(offset, most = READ_BYTES) {
      const wanted = Math.min(most, READ_BYTES);
      const chunk = Buffer.allocUnsafe(wanted);
      let filled = 0;
      while (filled < wanted) {
        const position = isSeekable ? offset + filled : null;
        const { bytesRead } = await handle.read(chunk, filled, wanted - filled, position).catch((cause: unknown) => {
          throw unreadable(file, cause);
        });
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return chunk.subarray(0, filled);
    },
  };
}

/** Says in plain words why a file cannot be read. */
export function unreadable(file: string, cause: unknown): AppError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
  };
  return new AppError('invalid_request', `cannot read ${file}: ${reasons[code ?? ''] ?? message}`, { cause });
}
