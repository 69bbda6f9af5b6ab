import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { decide } from '../../src/compensation/decide.js';
import { decisionAnswer, parseDecisionCase } from '../../src/compensation/decision-case.js';
import { DEFAULT_POLICY } from '../../src/compensation/default-policy.js';

/** The worked cases that come with the written rule. They live outside of this repository: MAKEGOOD_REFERENCE says where. */
const file = resolve(process.env.MAKEGOOD_REFERENCE ?? '../shared', 'rules/decision-vectors.json');

interface Vector {
  readonly name: string;
  /** `tasks` are named by their kind alone. */
  readonly expected: { readonly tasks: readonly string[] };
}

if (existsSync(file)) {
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];

  test('the reference has cases', () => {
    expect(vectors.length).toBeGreaterThan(0);
  });

  test.each(vectors)('as the reference has it: $name', (vector) => {
    const parsed = parseDecisionCase(vector, DEFAULT_POLICY);
    expect(parsed).toMatchObject({ outcome: 'ok' });
    if (parsed.outcome !== 'ok') return;
    const { incident, awards, tasks, declinedBecause } = decisionAnswer(decide(parsed.case, DEFAULT_POLICY, 1));
    expect({ incident, awards, tasks: tasks.map(({ kind }) => kind), declinedBecause }).toEqual(vector.expected);
  });
} else {
  test.skip(`the reference cases (not found at ${file}; set MAKEGOOD_REFERENCE)`, () => {});
}
