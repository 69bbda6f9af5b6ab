import { type AlarmKind, clearAlarm, raiseAlarm } from '../compensation/alarm-store.js';
import type { Config } from '../config.js';
import type { Sql } from '../db/database.js';

/** One alarm for all letters of its kind, however many there are. */
const SUBJECT = 'letters';
const WATCHED: readonly { readonly kind: AlarmKind; readonly message: string }[] = [
  {
    kind: 'letters_held',
    message:
      'Letters are held: each would be one apology more to a customer than APOLOGY_LIMIT. GET /v1/messages?status=held names them.',
  },
  {
    kind: 'letters_unsettled',
    message:
      'Letters failed, came back, or nobody knows whether they arrived. GET /v1/messages with status=failed, bounced or unknown names them.',
  },
];

/**
 * Raises the alarms about letters that wait for a person, and ends those about letters that wait no more. A letter of which a copy
 * goes out by itself waits for nobody.
 */
export async function settleLetterAlarms(
  sql: Sql,
  { unknownLetters }: Pick<Config, 'unknownLetters'>,
  at: Date,
): Promise<void> {
  const copies = unknownLetters === 'resend';
  for (const { kind, message } of WATCHED) {
    if (await standsFor(sql, kind, copies)) await raiseAlarm(sql, { kind, subject: SUBJECT, message, details: {}, at });
    else if ((await lockAlarm(sql, kind)) && !(await standsFor(sql, kind, copies)))
      await clearAlarm(sql, { kind, subject: SUBJECT, at });
  }
}

async function standsFor(sql: Sql, kind: AlarmKind, copies: boolean): Promise<boolean> {
  const { rows } = await sql.query(
    `SELECT EXISTS (SELECT 1 FROM messages WHERE status IN ('held', 'failed', 'bounced', 'unknown')
       AND CASE WHEN $1 = 'letters_held' THEN status = 'held'
           ELSE status IN ('failed', 'bounced') OR status = 'unknown' AND NOT ($2 AND resent_at IS NULL AND send_after IS NOT NULL) END) AS stands`,
    [kind, copies],
  );
  return rows[0].stands;
}

/** Whoever has raised it and not committed is waited for: only after that is it known whether it can end. */
async function lockAlarm(sql: Sql, kind: AlarmKind): Promise<boolean> {
  const { rows } = await sql.query(
    'SELECT 1 FROM alarms WHERE kind = $1 AND subject = $2 AND cleared_at IS NULL FOR UPDATE',
    [kind, SUBJECT],
  );
  return rows.length > 0;
}
