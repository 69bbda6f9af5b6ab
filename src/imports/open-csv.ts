import { type FileHandle, open } from 'node:fs/promises';
import { AppError } from '../errors.js';
import { type CsvRecord, LONGEST_RECORD, parseCsvBlock } from './parse-csv-block.js';

export interface CsvBlock {
  readonly records: readonly CsvRecord[];
  /** How far the file has been read. */
  readonly bytesRead: number;
}

export interface CsvFile {
  /** The names of the columns, trimmed. */
  readonly header: readonly string[];
  readonly sizeBytes: number;
  /** The records after the header, in the order of the file, block by block: a file of any size takes the same memory. */
  blocks(): AsyncGenerator<CsvBlock>;
  close(): Promise<void>;
}

/** Bytes read at once. Smaller, and the pauses between cost more than the reading; bigger, and the bar jumps. */
const READ_BYTES = 256 * 1024;
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_BOMS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
const LF = 0x0a;

/**
 * Opens a CSV file and reads its header.
 * @throws AppError `invalid_request`: it cannot be read, is empty, or its header cannot be understood
 */
export async function openCsv(file: string): Promise<CsvFile> {
  const handle = await open(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) throw new AppError('invalid_request', `cannot read ${file}: it is a directory`);
    const blocks = readBlocks(handle, file);
    let first = await blocks.next();
    while (!first.done && first.value.records.length === 0) first = await blocks.next();
    const [header, ...rest] = first.done ? [] : first.value.records;
    if (first.done || !header)
      throw new AppError('invalid_request', `${file} is empty: its first line names the columns`);
    if (header.outcome === 'broken') {
      const where = header.cell === null ? '' : `, column ${header.cell + 1}`;
      throw new AppError('invalid_request', `the header of ${file} (line ${header.line}${where}): ${header.problem}`);
    }
    const { bytesRead } = first.value;
    return {
      header: header.cells.map((name) => name.trim()),
      sizeBytes: stat.size,
      async *blocks() {
        yield { records: rest, bytesRead };
        yield* blocks;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function* readBlocks(handle: FileHandle, file: string): AsyncGenerator<CsvBlock> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  let bytesRead = 0;
  /** The end of a line that was given up for its length is still to come. */
  let isSkipping = false;
  for (;;) {
    const chunk = await readChunk(handle, file);
    const isFirst = bytesRead === 0;
    bytesRead += chunk.length;
    const isEnd = chunk.length === 0;
    let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (isFirst) bytes = withoutBom(bytes, file);
    if (isSkipping) {
      const end = bytes.indexOf(LF);
      if (end === -1 && !isEnd) continue;
      bytes = end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 1);
      isSkipping = false;
    }
    const block = parseCsvBlock(bytes, { line, isEnd });
    ({ rest, line } = block);
    if (!isEnd && rest.length > LONGEST_RECORD && !rest.includes(LF)) {
      block.records.push({ outcome: 'broken', line, problem: 'is longer than 1 MiB', cell: null, cells: [] });
      rest = Buffer.alloc(0);
      line += 1;
      isSkipping = true;
    }
    yield { records: block.records, bytesRead };
    if (isEnd) return;
  }
}

/** As much as there is, up to a full block: a short read is the end of the file. */
async function readChunk(handle: FileHandle, file: string): Promise<Buffer> {
  const chunk = Buffer.allocUnsafe(READ_BYTES);
  let filled = 0;
  while (filled < READ_BYTES) {
    const { bytesRead } = await handle.read(chunk, filled, READ_BYTES - filled).catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return chunk.subarray(0, filled);
}

/** csv-parse would take the mark away too, and then read the cells as UTF-8 whatever it was told. */
function withoutBom(bytes: Buffer, file: string): Buffer {
  if (UTF16_BOMS.some((bom) => bytes.subarray(0, bom.length).equals(bom)))
    throw new AppError('invalid_request', `${file} is UTF-16 text: save it as UTF-8`);
  return bytes.subarray(0, UTF8_BOM.length).equals(UTF8_BOM) ? bytes.subarray(UTF8_BOM.length) : bytes;
}

function unreadable(file: string, cause: unknown): AppError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'permission denied',
  };
  return new AppError('invalid_request', `cannot read ${file}: ${reasons[code ?? ''] ?? message}`, { cause });
}
