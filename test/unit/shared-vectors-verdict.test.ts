import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { judge } from '../../src/promises/verdict.js';
import { parseVerdictCase, verdictAnswer } from '../../src/promises/verdict-case.js';

/** The worked cases that come with the written rule. They live outside of this repository: MAKEGOOD_REFERENCE says where. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const file = resolve(root, process.env.MAKEGOOD_REFERENCE ?? '../shared', 'rules/verdict-vectors.json');

interface Vector {
  readonly name: string;
  readonly expected: unknown;
}

if (existsSync(file)) {
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];

  test('the reference has cases', () => {
    expect(vectors.length).toBeGreaterThan(0);
  });

  test.each(vectors)('as the reference has it: $name', (vector) => {
    const parsed = parseVerdictCase(vector);
    expect(parsed).toMatchObject({ outcome: 'ok' });
    if (parsed.outcome === 'ok') expect(verdictAnswer(judge(parsed.case))).toEqual(vector.expected);
  });
} else {
  test.skip(`the reference cases (not found at ${file}; set MAKEGOOD_REFERENCE)`, () => {});
}
