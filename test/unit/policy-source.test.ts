import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';
import { parsePolicy } from '../../src/compensation/policy.js';
import { policyJsonSchema } from '../../src/compensation/policy-schema.js';
import { readPolicySource, showFault } from '../../src/compensation/policy-source.js';
import { policyWarnings } from '../../src/compensation/policy-warnings.js';

const FOLDER = 'src/compensation/policies';
const DEFAULT_TEXT = readFileSync(`${FOLDER}/default.json`, 'utf8');

/** What is said of the default policy with one piece of its text replaced, as `makegood policy check` prints it. */
function faultsOf(text: string): string[] {
  const read = readPolicySource(text);
  return read.outcome === 'ok' ? [] : read.faults.map(showFault);
}
function replaced(piece: string, by: string): string {
  if (!DEFAULT_TEXT.includes(piece)) throw new Error(`the default policy has no ${piece}`);
  return DEFAULT_TEXT.replace(piece, by);
}
/** Line and column at which a piece of text begins for the first time. */
function placeOf(text: string, piece: string): string {
  const before = text.slice(0, text.indexOf(piece)).split('\n');
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

describe('the text of a policy', () => {
  test('the default policy is read as it is, with or without BOM, whatever the line ends', () => {
    for (const text of [DEFAULT_TEXT, `\uFEFF${DEFAULT_TEXT}`, DEFAULT_TEXT.replaceAll('\n', '\r\n')]) {
      expect(readPolicySource(text)).toMatchObject({ outcome: 'ok', policy: DEFAULT_POLICY });
    }
  });

  test.each<[string, string, string, RegExp]>([
    ['a wrong value, at the value', '"settleMinutes": 60', '"settleMinutes": -1', /: settleMinutes: /],
    ['a value of the wrong kind, at the value', '"mode": "active"', '"mode": "on"', /: mode: /],
    ['a percentage of a holdout above ten', '"percent": 0, ', '"percent": 10.5, ', /: holdout\.percent: /],
    ['a zone that is none', '"America/New_York"', '"New York"', /: fulfilment\.timeZone: an IANA time zone/],
  ])('%s', (_what, piece, by, saying) => {
    const text = replaced(piece, by);
    const [fault, ...others] = faultsOf(text);
    expect(others).toEqual([]);
    expect(fault).toMatch(saying);
    const value = by
      .slice(by.indexOf(':') + 1)
      .trim()
      .replace(/, $/, '');
    expect(fault?.startsWith(`${placeOf(text, by.includes(':') ? value : by)}: `)).toBe(true);
  });

  test('an unknown field is shown where it stands, with its path', () => {
    const text = replaced('"incident": ["late", "lost"], "member": true', '"incident": ["late"], "membr": true');
    const [line, column] = placeOf(text, '"membr": true').split(':').map(Number);
    const value = `${line}:${(column ?? 0) + '"membr": '.length}`;
    expect(faultsOf(text)).toEqual([`${value}: rules[0].when.membr: is not a known field`]);
  });

  test('a missing field is shown at what it is missing in', () => {
    const text = replaced('"months": 1', '"note": 1');
    const faults = faultsOf(text);
    expect(faults.map((fault) => fault.split(' ')[0])).toContain(
      `${placeOf(text, '{ "kind": "membership_extension"')}:`,
    );
    expect(faults.join('\n')).toMatch(/rules\[0\]\.gives\.months: is missing/);
  });

  test('what only holds between fields has its place too', () => {
    const text = replaced('"id": "late-4"', '"id": "late-2"');
    const second = text.lastIndexOf('"late-2"');
    const line = text.slice(0, second).split('\n').length;
    expect(faultsOf(text)).toEqual([`${line}:13: rules[6].id: another rule has this id already`]);
  });

  test('every fault is listed, from top to bottom', () => {
    const text = replaced('"settleMinutes": 60', '"settleMinutes": -1').replace(
      '"graceMinutes": 0',
      '"graceMinutes": ""',
    );
    expect(faultsOf(text).map((fault) => fault.split(': ')[1])).toEqual(['judging.graceMinutes', 'settleMinutes']);
  });

  test.each<[string, string, string]>([
    ['a comment', '{\n  // why\n  "a": 1\n}', '2:3: comments have no place in JSON'],
    ['a comma after the last item', '{\n  "a": 1,\n}', '3:1: a key in double quotes is expected here'],
    ['a comma that is missing', '{\n  "a": 1\n  "b": 2\n}', '3:3: a comma is expected here'],
    ['a key twice', '{"a": 1,\n "a": 2}', '2:2: a: this key stands here twice: the last one would win'],
    ['nothing', '', '1:1: a value is expected here'],
    ['something after the document', '{}\n{}', '2:1: nothing is expected after the document'],
    ['nesting without end', '['.repeat(100_000), '1:1: is nested deeper than 64 levels'],
    ['no object', '[]', '1:1: Invalid input: expected object, received array'],
  ])('%s is refused where it stands', (_what, text, wanted) => {
    expect(faultsOf(text)).toContain(wanted);
  });

  test('a key that would change the prototype is a field that is not known', () => {
    expect(faultsOf(replaced('"name"', '"__proto__": {"mode": "shadow"}, "name"')).join()).toMatch(/__proto__/);
  });

  test('whatever is cut out of or put into the text, the answer is a policy or faults with a place in the text', () => {
    const edits = fc.record({ at: fc.nat(DEFAULT_TEXT.length), cut: fc.nat(30), put: fc.string({ maxLength: 10 }) });
    fc.assert(
      fc.property(edits, ({ at, cut, put }) => {
        const text = DEFAULT_TEXT.slice(0, at) + put + DEFAULT_TEXT.slice(at + cut);
        const read = readPolicySource(text);
        if (read.outcome === 'ok') return;
        expect(read.faults.length).toBeGreaterThan(0);
        const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
        for (const { line, column } of read.faults) {
          expect(line).toBeLessThanOrEqual(lines.length);
          expect(column - 1).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1);
          expect(Math.min(line, column)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what is worth a look', () => {
  const fact = {
    id: 'waiver',
    kind: 'carrier' as const,
    says: 'x',
    validFrom: '2025-11-27',
    validTo: '2025-12-24',
    source: 'y',
    seenOn: '2025-11-01',
  };
  test.each([
    ['on its last day', { validTo: '2025-12-24' }, '2025-12-24', []],
    ['on the day after', { validTo: '2025-12-24' }, '2025-12-25', ['facts[0].validTo']],
    ['without an end', { validTo: null }, '2026-06-01', []],
    ['seen two years ago', { validTo: null }, '2027-11-01', []],
    ['seen a day more than two years ago', { validTo: null }, '2027-11-02', ['facts[0].seenOn']],
    ['over and long not seen', {}, '2028-01-01', ['facts[0].validTo', 'facts[0].seenOn']],
  ])('a fact %s', (_when, change, today, paths) => {
    expect(policyWarnings({ facts: [{ ...fact, ...change }] }, today).map(({ path }) => path)).toEqual(paths);
  });

  test('the default policy has nothing to warn of in the season it was written for', () => {
    expect(policyWarnings(DEFAULT_POLICY, '2026-11-26')).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  test('the file beside the default policy is up to date', () => {
    const file = JSON.parse(readFileSync(`${FOLDER}/policy.schema.json`, 'utf8'));
    // Not so? `npm run -s makegood -- policy schema > src/compensation/policies/policy.schema.json && npm run format`
    expect(file).toEqual(JSON.parse(JSON.stringify(policyJsonSchema())));
  });

  test('it is of draft 2020-12, names what is wanted, and describes every section and condition', () => {
    // biome-ignore lint/suspicious/noExplicitAny: whatever it is, the test says what it must be.
    const schema = policyJsonSchema() as any;
    expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(schema.additionalProperties).toBe(false);
    expect(schema.required).toEqual(expect.arrayContaining(['name', 'rules', 'limits', 'classes', 'currencies']));
    expect(schema.required).not.toContain('holdout');
    for (const described of Object.values(schema.properties) as { description?: string }[]) {
      expect(described.description).toMatch(/\.$/);
    }
    const conditions = schema.properties.rules.items.properties.when.properties as Record<
      string,
      { description: string }
    >;
    for (const { description } of Object.values(conditions)) expect(description).toMatch(/\.$/);
  });

  test('the default policy names the schema, and documents without any of the newer sections stay valid', () => {
    expect(DEFAULT_POLICY.$schema).toBe('./policy.schema.json');
    const { mode, holdout, dailyBudget, breaker, manual, expiry, fulfilment, calls, facts, $schema, ...old } =
      structuredClone(DEFAULT_POLICY);
    const parsed = parsePolicy({ ...old, judging: { graceMinutes: 0, attemptCounts: true, lostAfterDays: 7 } });
    expect(parsed).toMatchObject({
      outcome: 'ok',
      policy: {
        mode,
        holdout,
        breaker,
        manual,
        expiry,
        calls,
        dailyBudget: null,
        facts: [],
        judging: { shipsFrom: [] },
      },
    });
  });
});
