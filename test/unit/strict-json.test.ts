import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStrictJson as parse, type StrictJson } from '../../src/carriers/strict-json.js';
import { seeded } from '../support/carriers.js';

/** Wherever in a buffer the bytes begin, which is not ours to choose, the outcome is the same. */
function parseStrictJson(text: string) {
  const [first, ...others] = [0, 1, 2, 3].map((offset) => {
    const bytes = new Uint8Array(Buffer.byteLength(text) + offset).subarray(offset);
    new TextEncoder().encodeInto(text, bytes);
    return parse(text, bytes);
  });
  for (const other of others) expect(other).toEqual(first);
  return first as StrictJson;
}
const faultOf = (text: string) => {
  const read = parseStrictJson(text);
  return read.outcome === 'refused' ? read.fault : null;
};
const deep = (levels: number, open: string, close: string) => open.repeat(levels) + close.repeat(levels);

describe('a document that means one thing only', () => {
  test.each<[string, string | null]>([
    ['{}', null],
    ['[]', null],
    ['null', null],
    ['"a"', null],
    ['', 'not_json'],
    ['{"a":1,}', 'not_json'],
    ['{"a":1} {"a":1}', 'not_json'],
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}],"d":"a"}', null],
    ['{"a":1,"a":2}', 'repeated_key'],
    ['{"a":{"b":1},"a":[]}', 'repeated_key'],
    ['[{"x":0},{"a":1,"b":2,"a":3}]', 'repeated_key'],
    ['{"x":{"a":1,"b":[{"c":1}],"a":2}}', 'repeated_key'],
    ['{"a":1,"\\u0061":2}', 'repeated_key'],
    ['{"a\\"":1,"a\\\\":2}', null],
    ['{"a":"\\",\\"a\\":1"}', null],
    ['{"a":"a","b":"a"}', null],
    ['{"":1,"":2}', 'repeated_key'],
    ['{"a\\\\":1,"b":1,"b":2}', 'repeated_key'],
    ['{"a\\\\\\"":1,"b":1,"b":2}', 'repeated_key'],
    ['{"a":"{\\"b\\":1,\\"b\\":2}","c":":"}', null],
    ['{"a":1,"a" :2}', 'repeated_key'],
    ['{"Aa":1,"BB":2}', null],
    ['{"Aa":1,"BB":2,"Aa":3}', 'repeated_key'],
    ['{"a":{"__proto__":1}}', 'proto_key'],
    ['{"a":"__proto__"}', null],
    ['{"\\u005f_proto__":1}', 'proto_key'],
    ['{"__proto_":1,"_proto__":2}', null],
    [` {\n "a" : [ 1 , { "b" : 2 } ] ,\t"a" : 3 }`, 'repeated_key'],
    [deep(64, '[', ']'), null],
    [deep(65, '[', ']'), 'too_deep'],
    [`{"a":${deep(63, '[', ']')},"b":${deep(63, '[', ']')}}`, null],
    [deep(100_000, '[', ']'), 'too_deep'],
  ])('%j: %p', (text, fault) => expect(faultOf(text)).toBe(fault));

  test('an object of many keys, and one with the last of them twice', () => {
    const keys = Array.from({ length: 20_000 }, (_, index) => `"k${index}":1`).join(',');
    expect(faultOf(`{${keys}}`)).toBeNull();
    expect(faultOf(`{${keys},"k19999":1}`)).toBe('repeated_key');
  });

  test('what is read is what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        // A generator that makes a key __proto__ makes the one thing that is refused.
        fc.pre(!text.includes('__proto__'));
        expect(parseStrictJson(text)).toEqual({ outcome: 'read', document: JSON.parse(text) });
      }),
      { numRuns: 500, ...seeded },
    );
  });

  test('a key repeated anywhere is found, however it is written', () => {
    const key = fc.string({ maxLength: 4 });
    fc.assert(
      fc.property(
        fc.uniqueArray(key, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.nat({ max: 3 }),
        (keys, pick, depth) => {
          fc.pre(!keys.includes('__proto__'));
          const members = keys.map((one) => `${JSON.stringify(one)}:{"x":[1,"${'y'.repeat(depth)}"]}`);
          const again = keys[pick % keys.length] ?? '';
          const escaped = [...again].map((c) => `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`).join('');
          const wrap = (inner: string) => `${'[{"o":'.repeat(depth)}{${inner}}${'}]'.repeat(depth)}`;
          expect(faultOf(wrap(members.join(',')))).toBeNull();
          expect(faultOf(wrap([...members, `${JSON.stringify(again)}:0`].join(',')))).toBe('repeated_key');
          if (!/[^\0-\uffff]/u.test(again))
            expect(faultOf(wrap([...members, `"${escaped}":0`].join(',')))).toBe('repeated_key');
        },
      ),
      { numRuns: 500, ...seeded },
    );
  });
});
