import { expect } from '@jest/globals';
import type { Answer } from './makegood.js';

/** Asserts a problem document (RFC 9457) and, when they are given, its code and the fields that it names. */
export function expectProblem(answer: Answer, wanted: { status: number; code?: string; fields?: readonly string[] }) {
  const { status, code, fields } = wanted;
  // Compared as one, so that a failure shows what was answered.
  expect({ status: answer.status, body: answer.body }).toMatchObject({
    status,
    body: {
      type: expect.stringMatching(/^urn:makegood:error:\w+$/),
      title: expect.stringMatching(/\w/),
      status,
      detail: expect.stringMatching(/\w/),
      code: code ?? expect.stringMatching(/^\w+$/),
      errors: expect.any(Array),
    },
  });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json\b/);
  for (const { field, message } of answer.body.errors) {
    expect(typeof field).toBe('string');
    expect(message).toMatch(/\w/);
  }
  if (fields) expect(answer.body.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
  expectNoInsides(answer);
}

/** Nothing of our insides: no stack, no file, no SQL, no name of a library or a constraint. */
function expectNoInsides(answer: Answer): void {
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  expect(text).not.toMatch(
    /\bat \S+ \(|node_modules|\.(ts|js):\d|SELECT |INSERT |UPDATE "?\w+"? SET|violates|constraint|prisma|postgres|FST_|zod|ECONN|127\.0\.0\.1/i,
  );
}
