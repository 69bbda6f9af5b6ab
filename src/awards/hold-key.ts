import type { Sql } from '../db/database.js';
import { AppError } from '../errors.js';
import type { Person } from './agent-limits.js';
import { lockPerson } from './review-store.js';

/**
 * Takes the key of whoever decides until the transaction ends, before any other lock.
 * @param options.alone what one key does is counted: its requests wait for each other
 * @throws AppError `unauthenticated` when it was revoked since the request came in
 */
export async function holdKey(sql: Sql, { keyId }: Person, options: { alone: boolean }): Promise<void> {
  if (!(await lockPerson(sql, keyId, options)))
    throw new AppError('unauthenticated', 'This API key was revoked just now.');
}
