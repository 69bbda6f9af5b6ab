import { randomFillSync } from 'node:crypto';

/** Random bytes are drawn in one go for 256 ids: a draw for each would cost more than all the rest. */
const POOL_BYTES = 256 * 10;
const pool = Buffer.alloc(POOL_BYTES);
let used = POOL_BYTES;

let lastMs = 0;
let counter = 0;
/** The counter starts in the lower half, so that thousands of ids of one millisecond fit behind it. */
const COUNTER_START = 0x7ff;
const COUNTER_END = 0xfff;

/**
 * A UUID of version 7 (RFC 9562): sorts by the time it was made, so that new rows lie together in an index, and those of
 * one process in the order in which they were made, also within a millisecond (its method 1: a counter after the time).
 */
export function newId(): string {
  if (used === POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.toString('hex', used, used + 10);
  used += 10;
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = Number.parseInt(random.slice(0, 3), 16) & COUNTER_START;
  } else if (++counter > COUNTER_END) {
    // More ids than a millisecond has room for (or a clock that went back): time goes on without waiting for it.
    lastMs++;
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  // Variant bits 10xx: one of 8, 9, a, b, taken from the random nibble.
  const variant = '89ab'.charAt(Number.parseInt(random.charAt(3), 16) & 3);
  const sequence = counter.toString(16).padStart(3, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${sequence}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}
