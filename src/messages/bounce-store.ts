import type { Sql } from '../db/database.js';
import { recordMessagesSent } from '../events/event-store.js';

/** A letter that came back. @returns null: no letter of ours to this address that could have, or it is known already */
export async function saveBounce(
  sql: Sql,
  report: { messageId: string; address: string; response: string },
): Promise<{ id: string; orderId: string } | null> {
  const { rows } = await sql.query(
    `UPDATE messages SET status = 'bounced', response = $3
     WHERE message_id = $1 AND lower(to_address) = $2 AND status IN ('sent', 'unknown')
     RETURNING id, order_id AS "orderId"`,
    [report.messageId, report.address, report.response],
  );
  return rows[0] ?? null;
}

/** A letter of which it was not known has arrived. @returns whether there is such a letter */
export async function saveDelivery(
  sql: Sql,
  report: { messageId: string; address: string; now: Date },
): Promise<boolean> {
  const { rows } = await sql.query(
    `UPDATE messages SET status = 'sent', sent_at = $3, response = 'reported as delivered'
     WHERE message_id = $1 AND lower(to_address) = $2 AND status = 'unknown' RETURNING id`,
    [report.messageId, report.address, report.now],
  );
  await recordMessagesSent(
    sql,
    rows.map(({ id }) => id),
  );
  return rows.length > 0;
}
