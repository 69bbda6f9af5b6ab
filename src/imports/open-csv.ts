import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { AppError } from '../errors.js';
import { type FilePlace, findPlace, PrefixHash } from './file-place.js';
import { type CsvRecord, LONGEST_RECORD, parseCsvBlock } from './parse-csv-block.js';
import { type ChunkReader, readChunksOf, unreadable } from './read-chunk.js';

export interface CsvBlock {
  readonly records: readonly CsvRecord[];
  /** How far the file has been read. */
  readonly bytesRead: number;
  /**
   * Where the file goes on after this record; to be asked in the order of the records, and before the next block. null where
   * nobody could go on: in a file that can be read once only, and after what the end of the file cut off, which may get its rest.
   */
  placeAfter(record: CsvRecord): FilePlace | null;
}

export interface CsvFile {
  /** The names of the columns, trimmed. */
  readonly header: readonly string[];
  readonly sizeBytes: number;
  /**
   * Goes to the last of these places before which the file still has the very bytes that it had.
   * @returns that place; null: there is none, and the records begin after the header
   */
  goTo<Place extends FilePlace>(
    places: readonly Place[],
    onProgress: (bytesRead: number) => void,
  ): Promise<Place | null>;
  /** The records from there on, in the order of the file, block by block: a file of any size takes the same memory. */
  blocks(): AsyncGenerator<CsvBlock>;
  close(): Promise<void>;
}

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
    const reader = readChunksOf(handle, { file, isSeekable: stat.isFile() });
    let blocks = readBlocks(reader, { offset: 0, line: 1, hash: createHash('sha256') });
    let first = await blocks.next();
    while (!first.done && first.value.records.length === 0) first = await blocks.next();
    const [header, ...rest] = first.done ? [] : first.value.records;
    if (first.done || !header)
      throw new AppError('invalid_request', `${file} is empty: its first line names the columns`);
    if (header.outcome === 'broken') {
      const where = header.cell === null ? '' : `, column ${header.cell + 1}`;
      throw new AppError('invalid_request', `the header of ${file} (line ${header.line}${where}): ${header.problem}`);
    }
    let begun: CsvBlock | null = { ...first.value, records: rest };
    return {
      header: header.cells.map((name) => name.trim()),
      sizeBytes: stat.size,
      async goTo(places, onProgress) {
        const found = reader.isSeekable ? await findPlace(reader, places, onProgress) : null;
        if (!found) return null;
        begun = null;
        const { bytesDone: offset, nextLine: line } = found.place;
        blocks = readBlocks(reader, { offset, line, hash: found.hash });
        return found.place;
      },
      async *blocks() {
        if (begun) yield begun;
        yield* blocks;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** @param from the beginning of a record, and the hash of what stands before it */
async function* readBlocks(
  reader: ChunkReader,
  from: { readonly offset: number; readonly line: number; readonly hash: ReturnType<typeof createHash> },
): AsyncGenerator<CsvBlock> {
  let { offset, line } = from;
  const prefix = new PrefixHash(from.hash, offset);
  let rest: Buffer = Buffer.alloc(0);
  /** A line was given up for its length, and its end is still to come. */
  let isTooLong = false;
  for (;;) {
    const chunk = await reader.read(offset + rest.length);
    const isEnd = chunk.length === 0;
    const start = offset;
    const whole = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const records: CsvRecord[] = [];
    let bytes = offset === 0 ? withoutBom(whole, reader.file) : whole;
    offset += whole.length - bytes.length;
    if (isTooLong) {
      const end = bytes.indexOf(LF);
      const skipped = end === -1 ? bytes.length : end + 1;
      bytes = bytes.subarray(skipped);
      offset += skipped;
      isTooLong = end === -1 && !isEnd;
      if (!isTooLong) {
        const extent = { line, nextLine: line + 1, end: offset };
        records.push({ outcome: 'broken', ...extent, problem: 'is longer than 1 MiB', cell: null, cells: [] });
        line += 1;
      }
    }
    if (!isTooLong) {
      const block = parseCsvBlock(bytes, { line, offset, isEnd });
      for (const record of block.records) records.push(record);
      ({ rest, line, offset } = block);
      if (!isEnd && rest.length > LONGEST_RECORD && !rest.includes(LF)) {
        offset += rest.length;
        rest = Buffer.alloc(0);
        isTooLong = true;
      }
    } else rest = Buffer.alloc(0);
    yield {
      records,
      bytesRead: start + whole.length,
      placeAfter({ end, nextLine }) {
        if (!reader.isSeekable || isEnd) return null;
        return { bytesDone: end, nextLine, prefixHash: prefix.upTo(end, whole, start) };
      },
    };
    if (isEnd) return;
    prefix.upTo(offset, whole, start);
  }
}

/** csv-parse would take the mark away too, and then read the cells as UTF-8 whatever it was told. */
function withoutBom(bytes: Buffer, file: string): Buffer {
  if (UTF16_BOMS.some((bom) => bytes.subarray(0, bom.length).equals(bom)))
    throw new AppError('invalid_request', `${file} is UTF-16 text: save it as UTF-8`);
  return bytes.subarray(0, UTF8_BOM.length).equals(UTF8_BOM) ? bytes.subarray(UTF8_BOM.length) : bytes;
}
