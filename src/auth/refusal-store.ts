import type { Clock } from '../clock.js';
import { recordAudit } from '../db/audit-store.js';
import type { Database } from '../db/database.js';
import { readNow } from '../db/now.js';
import type { Role } from './roles.js';

/** What a key asked for, and which roles it is for. `route` is the pattern, never the address that was sent. */
export interface Refusal {
  readonly actor: string;
  readonly keyId: string;
  readonly details: {
    readonly role: string;
    readonly needed: readonly Role[];
    readonly method: string;
    readonly route: string | undefined;
  };
}

/** Adds to the audit that a role was not enough. */
export async function recordRefusal(db: Database, clock: Clock, { actor, keyId, details }: Refusal): Promise<void> {
  await db.transaction(async (sql) => {
    const at = await readNow(sql, clock);
    await recordAudit(sql, { at, actor, action: 'access.refused', subject: keyId, reason: null, details });
  });
}
