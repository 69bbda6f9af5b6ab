import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CarrierAdapter, Verification } from '../../src/carriers/adapter.js';
import { anyValue, checkOutcome, documentOf, expectedOf, fixtureNames, rawFixture, seeded } from './carriers.js';

/** Fixtures that every source has, by how their names begin. */
const REQUIRED = [
  'delivered-late',
  'delivered-in-time',
  'exception',
  'returned',
  'unknown-code',
  'duplicate',
  'out-of-order',
];

/**
 * What must hold for every source: its fixtures mean what they mean, its parser stands anything, and its signature lets in
 * the sender alone.
 * @param options.secrets two secrets as `sign` takes them, and the variable's value for each
 * @param options.hasWindow whether the signature is good for five minutes only
 */
export function describeSource(
  carrier: CarrierAdapter,
  options: {
    readonly secrets: readonly [SecretPair, SecretPair];
    readonly hasWindow: boolean;
  },
): void {
  const { source } = carrier;
  const names = fixtureNames(source);

  describe('fixtures: what comes in, and what it means', () => {
    test('every case that a source must stand is there', () => {
      expect(REQUIRED.filter((required) => !names.some((name) => name.startsWith(required)))).toEqual([]);
    });

    test.each(names)('%s', (name) => {
      expect(JSON.parse(JSON.stringify(carrier.parse(documentOf(source, name))))).toEqual(expectedOf(source, name));
    });
  });

  describe('parse never throws, and what it takes can be stored and judged', () => {
    test('any JSON document', () => {
      fc.assert(
        fc.property(fc.anything(), fc.jsonValue(), (anything, json) => {
          checkOutcome(carrier.parse(anything));
          checkOutcome(carrier.parse(json));
        }),
        { numRuns: 500, ...seeded },
      );
    });

    test('a valid document with one or two nodes replaced', () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...names),
          fc.array(fc.tuple(fc.nat(), anyValue), { minLength: 1, maxLength: 2 }),
          (name, replacements) => {
            const document = documentOf(source, name);
            for (const [pick, value] of replacements) replaceNode(document, pick, value);
            checkOutcome(carrier.parse(document));
          },
        ),
        { numRuns: 1500, ...seeded },
      );
    });
  });

  describe('the sender', () => {
    const [mine, other] = options.secrets;
    const now = new Date('2026-04-14T12:00:00Z');
    const body = rawFixture(source, names.find((name) => name.startsWith('delivered-late')) ?? '');
    const headersOf = (pair: SecretPair, bytes = body) => carrier.sign({ rawBody: bytes, secret: pair.signsWith, now });
    const verify = (
      headers: Record<string, string | string[]>,
      secrets: readonly string[] = [mine.configured],
      { bytes = body, at = now }: { bytes?: Buffer; at?: Date } = {},
    ): Verification => {
      const request = { rawBody: bytes, headers: headers as Record<string, string>, secrets, now: at };
      if (carrier.verifier.over === 'bytes') return carrier.verifier.verify(request);
      return carrier.verifier.verify({ ...request, document: JSON.parse(bytes.toString('utf8')) });
    };
    const right = headersOf(mine);

    test('is known by any of the secrets, while they rotate, and no longer by a revoked one', () => {
      expect(verify(right)).toBe('verified');
      expect(verify(right, [other.configured, mine.configured])).toBe('verified');
      expect(verify(headersOf(other), [mine.configured, other.configured])).toBe('verified');
      expect(verify(headersOf(other))).not.toBe('verified');
      expect(verify(right, [])).not.toBe('verified');
      expect(verify(right, [''])).not.toBe('verified');
    });

    test('is refused when one of the headers is missing, empty, sent twice, cut, longer or another', () => {
      for (const [name, value] of Object.entries(right)) {
        const { [name]: _left, ...without } = right;
        expect(verify(without)).toBe('refused');
        for (const wrong of ['', value.slice(0, -1), `${value}0`, `x${value}`, 'é\ud800', `${value}, ${value}`]) {
          expect([name, wrong, verify({ ...right, [name]: wrong })]).not.toEqual([name, wrong, 'verified']);
        }
        expect(verify({ ...right, [name]: [value, value] })).toBe('refused');
      }
      if (carrier.verifier.over === 'document') expect(carrier.verifier.hasSignature({})).toBe(false);
    });

    test('never makes the check throw', () => {
      const name = fc.constantFrom(...Object.keys(right));
      fc.assert(
        fc.property(
          name,
          fc.string({ unit: 'binary' }),
          fc.array(fc.string({ unit: 'binary' })),
          (key, value, secrets) => {
            // A static secret that is sent is what proves the sender.
            fc.pre(!secrets.some((secret) => secret !== '' && value.includes(secret)));
            expect(verify({ ...right, [key]: value }, secrets)).not.toBe('verified');
          },
        ),
        { numRuns: 300, ...seeded },
      );
    });

    if (carrier.trust === 'signed') {
      test('did not say what was changed on the way: by a byte, by a line feed', () => {
        const changed = Buffer.from(body.toString('utf8').replace('2026', '2027'));
        expect(changed.equals(body)).toBe(false);
        expect(verify(right, undefined, { bytes: changed })).toBe('refused');
        if (carrier.verifier.over === 'document') return;
        for (const bytes of [Buffer.concat([body, Buffer.from('\n')]), body.subarray(1), Buffer.alloc(0)]) {
          expect(verify(right, undefined, { bytes })).toBe('refused');
        }
      });
    } else {
      test('is all that is proven, and the adapter says so', () =>
        expect(carrier.weakness).toEqual(expect.any(String)));
    }

    if (options.hasWindow) {
      test.each([
        [-301, 'refused'],
        [-300, 'verified'],
        [0, 'verified'],
        [300, 'verified'],
        [301, 'refused'],
        [1e9, 'refused'],
      ])('signed %p seconds ago: %s', (seconds, expected) => {
        expect(verify(right, undefined, { at: new Date(now.getTime() + seconds * 1000) })).toBe(expected);
      });
    } else {
      test('may say it again years later: what it said counts once', () => {
        expect(verify(right, undefined, { at: new Date('2031-01-01T00:00:00Z') })).toBe('verified');
      });
    }
  });
}

/** A secret as the source signs with it, and as the variable holds it; the same for all but key sets. */
export interface SecretPair {
  readonly signsWith: string;
  readonly configured: string;
}

/** Two secrets that are the same on both sides. */
export const TEXT_SECRETS: readonly [SecretPair, SecretPair] = [
  { signsWith: 'a-secret-of-32-characters-000001', configured: 'a-secret-of-32-characters-000001' },
  { signsWith: 'a-secret-of-32-characters-000002', configured: 'a-secret-of-32-characters-000002' },
];

/** Puts a value in the place of the node that `pick` lands on. JSON inside a string is a document too. */
function replaceNode(document: Record<string, unknown>, pick: number, value: unknown): void {
  const nodes: ((replacement: unknown) => void)[] = [];
  const visit = (node: Record<string, unknown>): void => {
    for (const [key, child] of Object.entries(node)) {
      nodes.push((replacement) => {
        node[key] = replacement;
      });
      if (typeof child === 'object' && child !== null) visit(child as Record<string, unknown>);
      const inner = typeof child === 'string' ? innerDocument(child) : null;
      if (inner !== null) {
        for (const innerKey of Object.keys(inner)) {
          nodes.push((replacement) => {
            node[key] = JSON.stringify({ ...inner, [innerKey]: replacement });
          });
        }
      }
    }
  };
  visit(document);
  nodes[pick % Math.max(nodes.length, 1)]?.(value);
}

function innerDocument(text: string): Record<string, unknown> | null {
  try {
    return text.startsWith('{') ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}
