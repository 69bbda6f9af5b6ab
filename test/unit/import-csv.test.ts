import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { FilePlace } from '../../src/imports/file-place.js';
import { openCsv } from '../../src/imports/open-csv.js';
import { type CsvRecord, LONGEST_RECORD, parseCsvBlock } from '../../src/imports/parse-csv-block.js';
import { openRejectsFile, type RejectsState } from '../../src/imports/rejects-file.js';

/** Lines and cells of what was read, lines and 'broken' of what was not. */
const cut = (text: string | Buffer) =>
  parseCsvBlock(Buffer.from(text as string), { line: 1, offset: 0, isEnd: true }).records.map((record) =>
    record.outcome === 'read' ? [record.line, ...record.cells] : [record.line, 'broken'],
  );

describe('cutting a CSV file into records', () => {
  test.each<[string, string, unknown[][]]>([
    [
      'LF and CRLF, mixed, with and without an end',
      'a,b\r\n1,2\n3,4',
      [
        [1, 'a', 'b'],
        [2, '1', '2'],
        [3, '3', '4'],
      ],
    ],
    [
      'a record is named by its first line, CRLF within quotes counts once',
      'a,b\r\n1,"x\r\ny\r\nz"\r\n3,4\r\n',
      [
        [1, 'a', 'b'],
        [2, '1', 'x\r\ny\r\nz'],
        [5, '3', '4'],
      ],
    ],
    [
      'an empty line is no record, and counts as a line',
      'a\n\n\r\nb\n\n',
      [
        [1, 'a'],
        [4, 'b'],
      ],
    ],
    [
      'quotes within quotes',
      'a\n"say ""yes"", please"\n',
      [
        [1, 'a'],
        [2, 'say "yes", please'],
      ],
    ],
    [
      'text after a closing quote costs its line alone',
      'a,b\n"1"x,2\n3,4\n',
      [
        [1, 'a', 'b'],
        [2, 'broken'],
        [3, '3', '4'],
      ],
    ],
    [
      'a quote within a cell costs its line alone',
      'a,b\n1,5" pipe\n3,4\n',
      [
        [1, 'a', 'b'],
        [2, 'broken'],
        [3, '3', '4'],
      ],
    ],
    [
      'a quote that is never closed costs its line alone',
      'a,b\n1,"2\n3,4\n5,6\n',
      [
        [1, 'a', 'b'],
        [2, 'broken'],
        [3, '3', '4'],
        [4, '5', '6'],
      ],
    ],
    [
      'a quote that meets the next quoted cell costs its line alone',
      'a,b\n1,"2\n3,"4"\n5,6\n',
      [
        [1, 'a', 'b'],
        [2, 'broken'],
        [3, '3', '4'],
        [4, '5', '6'],
      ],
    ],
    [
      'letters beyond ASCII',
      'a\nSão Paulo 日本 🎁\n',
      [
        [1, 'a'],
        [2, 'São Paulo 日本 🎁'],
      ],
    ],
  ])('%s', (_name, text, wanted) => {
    expect(cut(text)).toEqual(wanted);
  });

  test('bytes that are no UTF-8 cost their record alone, and the cell is named', () => {
    const bytes = Buffer.from('a,b\n1,S\xe3o\n2,3\n', 'latin1');
    const { records } = parseCsvBlock(bytes, { line: 1, offset: 0, isEnd: true });
    expect(records).toMatchObject([
      { line: 1 },
      { line: 2, outcome: 'broken', cell: 1, problem: expect.stringMatching(/UTF-8/) },
      { line: 3, outcome: 'read', cells: ['2', '3'] },
    ]);
  });

  test('what ends in the middle of a record waits for its rest, wherever it is cut', () => {
    const text = 'a,b\r\n1,"é\r\n""x"""\r\n\r\n3,4\r\n5,"6"';
    const whole = cut(text);
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const one = parseCsvBlock(bytes.subarray(0, at), { line: 1, offset: 0, isEnd: false });
      const rest = Buffer.concat([one.rest, bytes.subarray(at)]);
      const other = parseCsvBlock(rest, { line: one.line, offset: one.offset, isEnd: true });
      const found = [...one.records, ...other.records];
      expect(found.map((record) => [record.line, ...record.cells])).toEqual(whole);
    }
  });
});

describe('reading a CSV file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-csv-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = async (bytes: Buffer | string) => {
    const file = join(folder, 'file.csv');
    writeFileSync(file, bytes);
    const csv = await openCsv(file);
    try {
      const records = [];
      for await (const block of csv.blocks()) for (const record of block.records) records.push(record);
      return { header: csv.header, records };
    } finally {
      await csv.close();
    }
  };

  test('a byte order mark is no part of the first name, and bytes after it are still checked', async () => {
    const { header, records } = await read(Buffer.from('\xef\xbb\xbf a ,b\n1,\xe9\n', 'latin1'));
    expect(header).toEqual(['a', 'b']);
    expect(records).toMatchObject([{ outcome: 'broken', line: 2, cell: 1 }]);
  });

  test('a file of many blocks has every record once, with its line', async () => {
    const count = 60_000;
    const { records } = await read(
      `n,text\n${Array.from({ length: count }, (_, n) => `${n},"two\nlines of ${n}"`).join('\n')}\n`,
    );
    expect(records).toHaveLength(count);
    expect(records.every((record, n) => record.line === 2 + 2 * n && record.cells[0] === String(n))).toBe(true);
  });

  test('a line without an end, and a quote without one, are given up for their length, and reading goes on', async () => {
    const long = 'x'.repeat(LONGEST_RECORD * 2);
    const many = 'x,y\n'.repeat(LONGEST_RECORD / 3);
    const { records } = await read(`a,b\n${long}\n3,4\n5,"6\n${many}`);
    expect(records.slice(0, 4)).toMatchObject([
      { line: 2, outcome: 'broken' },
      { line: 3, cells: ['3', '4'] },
      { line: 4, outcome: 'broken', problem: expect.stringMatching(/quote/) },
      { line: 5, cells: ['x', 'y'] },
    ]);
    expect(records.at(-1)).toMatchObject({ outcome: 'read', line: 4 + Math.floor(LONGEST_RECORD / 3) });
  });

  test.each([
    ['nothing', '', /is empty/],
    ['UTF-16', Buffer.from('\ufeffa,b\n', 'utf16le'), /UTF-16/],
    ['a header that is no UTF-8', Buffer.from('a,\xe9\n', 'latin1'), /column 2.*UTF-8/],
  ])('%s is refused in plain words', async (_name, bytes, saying) => {
    await expect(read(bytes)).rejects.toThrow(saying);
  });

  test('it goes on at the last place before which the bytes are the same, with the same records and lines', async () => {
    const file = join(folder, 'places.csv');
    const long = 'x'.repeat(LONGEST_RECORD + 300_000);
    const rows = Array.from({ length: 8_000 }, (_, n) => `${n},"a cell\nof two lines, ${'y'.repeat(30)}"\n\n`).join('');
    const text = `\ufeffa,b\r\n\r\n1,"é\r\nx"\r\n"2"x,y\r\n${long}\r\n${rows}last,one`;
    writeFileSync(file, text);
    const shownOf = ({ line, cells }: CsvRecord): string => `${line} ${cells[0]}`;
    const places: (FilePlace & { readonly next: number })[] = [];
    const lines: string[] = [];
    const csv = await openCsv(file);
    for await (const { records, placeAfter } of csv.blocks()) {
      for (const record of records) {
        lines.push(shownOf(record));
        const place = placeAfter(record);
        if (place) places.push({ ...place, next: lines.length });
      }
    }
    await csv.close();
    // The last line has no end yet.
    expect(places).toHaveLength(lines.length - 1);
    expect(lines.slice(0, 4)).toEqual(['3 1', '5 "2"x,y', '6 undefined', '7 0']);
    expect(lines.at(-1)).toBe(`${7 + 3 * 8_000} last`);

    const goOn = async (candidates: typeof places) => {
      const again = await openCsv(file);
      const found = await again.goTo(candidates, () => {});
      const rest: string[] = [];
      for await (const { records } of again.blocks()) rest.push(...records.map(shownOf));
      await again.close();
      return { found, rest: rest.join('\n') };
    };
    for (const at of [0, 2, 3, 7_000, places.length - 1]) {
      const place = places[at];
      const { found, rest } = await goOn(place ? [place] : []);
      expect(found).toBe(place);
      expect(rest).toBe(lines.slice(place?.next).join('\n'));
    }
    writeFileSync(file, text.replace('\n7000,"a', '\n7000,"b'));
    expect((await goOn(places.slice(6_990).reverse())).found).toMatchObject({ next: 7_003 });
    expect((await goOn([])).rest).toBe(lines.join('\n'));
  });

  test.each([
    ['a line without an end', '1,2\n3'],
    ['a quote that is not closed yet', '1,2\n3,"x\ny,z\n'],
  ])('what the end of the file cut off is no place to go on at: %s', async (_name, rows) => {
    const file = join(folder, 'cut-off.csv');
    writeFileSync(file, `a,b\n${rows}`);
    const csv = await openCsv(file);
    const ends: [number, boolean][] = [];
    for await (const { records, placeAfter } of csv.blocks())
      for (const record of records) ends.push([record.line, placeAfter(record) !== null]);
    await csv.close();
    expect(ends.slice(0, 2)).toEqual([
      [2, true],
      [3, false],
    ]);
    expect(ends.slice(2).every(([, isPlace]) => !isPlace)).toBe(true);
  });

  test('a file that is not there, and a folder', async () => {
    await expect(openCsv(join(folder, 'nowhere.csv'))).rejects.toThrow(/no such file/);
    await expect(openCsv(folder)).rejects.toThrow(/directory/);
  });
});

describe('the file of rejects', () => {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-rejects-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const input = join(folder, 'orders.csv');
  writeFileSync(input, 'id,note\n');

  test('a spreadsheet runs nothing of it', async () => {
    const file = join(folder, 'rejects.csv');
    const rejects = await openRejectsFile(file, { file: input, header: ['id', 'note'], before: null });
    await rejects.write([{ line: 7, message: 'no', cells: ['=1+1', '+1', '-1', '@x', 'a "b", c', 'plain'] }]);
    rejects.keep();
    await rejects.close();
    expect(readFileSync(file, 'utf8')).toBe(
      'line,message,id,note\r\n7,no,\'=1+1,\'+1,\'-1,\'@x,"a ""b"", c",plain\r\n',
    );
  });

  test('the import that goes on adds to the one of the earlier part, and never writes over it when it was changed', async () => {
    const file = join(folder, 'continued.csv');
    const reject = (line: number) => ({ line, message: 'no', cells: ['a', 'é'] });
    const open = (before: RejectsState | null) =>
      openRejectsFile(file, { file: input, header: ['id', 'note'], before });
    const first = await open(null);
    const left = await first.write([reject(1)]);
    first.keep();
    // A transaction that failed, and its second try.
    await first.write([reject(2), reject(3)]);
    await first.write([reject(3)]);
    await first.close();
    const text = 'line,message,id,note\r\n1,no,a,é\r\n';
    expect(readFileSync(file, 'utf8')).toBe(`${text}3,no,a,é\r\n`);

    const second = await open(left);
    expect(second.isContinued).toBe(true);
    const later = await second.write([reject(2)]);
    await second.close();
    expect(readFileSync(file, 'utf8')).toBe(`${text}2,no,a,é\r\n`);

    const whole = `${text}2,no,a,é\r\n`;
    for (const changed of [whole.replace('2,no,a', '2,no,b'), text]) {
      writeFileSync(file, changed);
      await expect(open(later)).rejects.toThrow(/was changed since/);
      expect(readFileSync(file, 'utf8')).toBe(changed);
    }
    for (const before of [{ ...later, file: input }, null]) {
      writeFileSync(file, whole);
      const anew = await open(before);
      expect(anew.isContinued).toBe(false);
      await anew.close();
      expect(readFileSync(file, 'utf8')).toBe('line,message,id,note\r\n');
    }
  });

  test('it never takes the place of the file that is read', async () => {
    await expect(openRejectsFile(input, { file: input, header: [], before: null })).rejects.toThrow(/is the file/);
    expect(readFileSync(input, 'utf8')).toBe('id,note\n');
  });
});
