import { CsvError, parse } from 'csv-parse/sync';

/** A record of a CSV file, by the line on which it begins; the header stands on line 1. */
export type CsvRecord = {
  readonly line: number;
  /** The line after it, and the byte of the file with which that line begins. */
  readonly nextLine: number;
  readonly end: number;
} & (
  | { readonly outcome: 'read'; readonly cells: readonly string[] }
  | {
      readonly outcome: 'broken';
      readonly problem: string;
      /** The place of the cell that is at fault, from 0; null where no cell could be told from the others. */
      readonly cell: number | null;
      /** What stands there, as far as it can be shown. */
      readonly cells: readonly string[];
    }
);

/**
 * The longest record, in bytes. Smaller, and a note of many lines is cut off; bigger, and a quote that is never closed
 * takes more memory and time before it is noticed.
 */
export const LONGEST_RECORD = 1024 * 1024;
/** Of a line that cannot be read, so much is shown. */
const SHOWN_BYTES = 2_000;
const LF = 0x0a;

/**
 * Cuts a piece of a CSV file (RFC 4180) into records. A record that cannot be cut costs its first line alone: reading goes on
 * with the next one, so that a quote too many does not swallow the file.
 *
 * Lines are counted here, not by csv-parse, which takes CRLF within quotes for two. And bytes are read as Latin-1, which
 * keeps each as it is, so that what is no UTF-8 is found cell by cell: decoded at once, it would turn into question marks.
 * @param bytes from the beginning of a record on
 * @param at.line that of the first byte
 * @param at.offset of the first byte in the file
 * @param at.isEnd whether the file ends with `bytes`
 * @returns `rest`: the beginning of a record whose end is not there yet, its line and its offset
 */
export function parseCsvBlock(
  bytes: Buffer,
  at: { readonly line: number; readonly offset: number; readonly isEnd: boolean },
): { readonly records: CsvRecord[]; readonly rest: Buffer; readonly line: number; readonly offset: number } {
  const records: CsvRecord[] = [];
  let { line } = at;
  let from = 0;
  const until = at.isEnd ? bytes.length : bytes.lastIndexOf(LF) + 1;
  while (from < until) {
    const piece = bytes.subarray(from, until);
    let done = 0;
    try {
      parse(piece, {
        encoding: 'latin1',
        record_delimiter: ['\r\n', '\n'],
        relax_column_count: true,
        on_record: (cells: string[], { bytes: end }) => {
          const nextLine = line + countLines(piece, done, end);
          const record = toRecord({ line, nextLine, end: at.offset + from + end }, cells);
          if (record) records.push(record);
          line = nextLine;
          done = end;
          return null;
        },
      });
      from = until;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      from += done;
      const isOpen = error.code === 'CSV_QUOTE_NOT_CLOSED';
      if (isOpen && !at.isEnd && bytes.length - from < LONGEST_RECORD) break;
      const end = bytes.indexOf(LF, from);
      const next = end === -1 ? bytes.length : end + 1;
      const shown = bytes
        .subarray(from, Math.min(next, from + SHOWN_BYTES))
        .toString('utf8')
        .trimEnd();
      const extent = { line, nextLine: line + 1, end: at.offset + next };
      records.push({ outcome: 'broken', ...extent, problem: problemOf(isOpen, at.isEnd), cell: null, cells: [shown] });
      line += 1;
      from = next;
    }
  }
  return { records, rest: bytes.subarray(from), line, offset: at.offset + from };
}

function problemOf(isOpen: boolean, isEnd: boolean): string {
  if (!isOpen)
    return 'the quotes of this line do not fit: a quote within a cell is written twice, and a cell with one is quoted as a whole';
  return isEnd
    ? 'a quote is opened on this line and never closed'
    : 'a quote is opened on this line and not closed within 1 MiB';
}

/** An empty line is none: many files end with some. */
function toRecord(extent: Pick<CsvRecord, 'line' | 'nextLine' | 'end'>, raw: readonly string[]): CsvRecord | null {
  if (raw.length === 1 && raw[0] === '') return null;
  let undecodable: number | null = null;
  const cells = raw.map((text, index) => {
    const decoded = decode(text);
    if (decoded !== null) return decoded;
    undecodable ??= index;
    return Buffer.from(text, 'latin1').toString('utf8');
  });
  if (undecodable === null) return { outcome: 'read', ...extent, cells };
  const problem = 'is not UTF-8 text: save the file as UTF-8';
  return { outcome: 'broken', ...extent, problem, cell: undecodable, cells };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @param text bytes, each as the character of its number; null when they are no UTF-8 */
function decode(text: string): string | null {
  if (/^[\0-\x7f]*$/.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, 'latin1'));
  } catch {
    return null;
  }
}

function countLines(bytes: Buffer, from: number, until: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF, from); at !== -1 && at < until; at = bytes.indexOf(LF, at + 1)) lines += 1;
  return lines;
}
