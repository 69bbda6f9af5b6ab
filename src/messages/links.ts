import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a link in a letter is for. A link for one thing is none for another. */
export type LinkPurpose = 'answer' | 'unsubscribe';

/** Enough that none is found by trying, few enough that a link fits on a line of a mail. */
const SEAL_BYTES = 16;

/**
 * The token of a link in a letter: which letter, and a seal that only we can make. It holds nothing personal, works without a
 * login, and for one purpose only. A pure function.
 * @param key at least 32 random bytes, the same in all processes
 * @param messageId the id of the letter, a UUID
 */
export function linkToken(key: Uint8Array, purpose: LinkPurpose, messageId: string): string {
  const id = Buffer.from(messageId.replaceAll('-', ''), 'hex');
  return Buffer.concat([id, seal(key, purpose, id)]).toString('base64url');
}

/** The id of the letter that a token names; null: nobody made this token for this purpose. */
export function readLinkToken(key: Uint8Array, purpose: LinkPurpose, token: string): string | null {
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length !== ID_BYTES + SEAL_BYTES || bytes.toString('base64url') !== token) return null;
  const id = bytes.subarray(0, ID_BYTES);
  if (!timingSafeEqual(bytes.subarray(ID_BYTES), seal(key, purpose, id))) return null;
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const ID_BYTES = 16;

function seal(key: Uint8Array, purpose: LinkPurpose, id: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`${purpose} `).update(id).digest().subarray(0, SEAL_BYTES);
}
