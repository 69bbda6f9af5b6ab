import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { linkToken, readLinkToken } from '../../src/messages/links.js';

const KEY = randomBytes(32);
const ID = '0192f0c4-7a5e-7c31-9a41-5d2b6f0e8a77';

describe('a link of a letter', () => {
  test('names its letter, for its purpose, to whoever has the key', () => {
    const token = linkToken(KEY, 'answer', ID);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(readLinkToken(KEY, 'answer', token)).toBe(ID);
    expect(linkToken(KEY, 'answer', ID)).toBe(token);
  });

  test('is nothing for another purpose, with another key, or with any bit changed', () => {
    const token = linkToken(KEY, 'answer', ID);
    expect(readLinkToken(KEY, 'unsubscribe', token)).toBeNull();
    expect(readLinkToken(randomBytes(32), 'answer', token)).toBeNull();
    const bytes = Buffer.from(token, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(readLinkToken(KEY, 'answer', changed.toString('base64url'))).toBeNull();
    }
  });

  test.each([
    '',
    'x',
    '=',
    'a'.repeat(43),
    `${linkToken(KEY, 'answer', ID)}A`,
    `${linkToken(KEY, 'answer', ID)}=`,
    'ä'.repeat(43),
  ])('%j is none', (token) => {
    expect(readLinkToken(KEY, 'answer', token)).toBeNull();
  });
});
