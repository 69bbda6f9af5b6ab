import type { Sql } from '../db/database.js';
import type { Letter } from './letter.js';
import { assertSameFigures, type Figure, figureOf } from './letter-amounts.js';

/** A letter as far as what it says was given goes. */
interface Telling {
  readonly messageId: string;
  /** A letter without awards of its own: a notice may name what it takes back. */
  readonly decisionId: string | null;
  readonly awardIds: readonly string[];
  /** As it is stored: one that was spoiled may say nothing at all. */
  readonly letter: Partial<Pick<Letter, 'awards'>>;
}

/**
 * Holds letters against the books: what the ledger gave, by its transfers; what others gave, by the awards.
 * @throws an assertion with both figures for the first letter that says otherwise
 */
export async function checkAmounts(sql: Sql, letters: readonly Telling[]): Promise<void> {
  const telling = letters.filter(({ decisionId }) => decisionId !== null);
  if (telling.length === 0) return;
  const given = await loadFigures(
    sql,
    telling.flatMap(({ awardIds }) => awardIds),
  );
  for (const { messageId, letter, awardIds } of telling) {
    assertSameFigures(
      messageId,
      (letter.awards ?? []).map(figureOf),
      awardIds.flatMap((id) => given.get(id) ?? []),
    );
  }
}

/** By award; one that the ledger should have given and did not has none. */
async function loadFigures(sql: Sql, awardIds: readonly string[]): Promise<Map<string, Figure>> {
  const { rows } = await sql.query(
    `SELECT a.id, c.unit, e.amount AS quantity FROM awards a
     JOIN ledger_transfers t ON t.award_id = a.id AND t.kind = 'award' JOIN ledger_entries e ON e.transfer_id = t.id
     JOIN ledger_accounts c ON c.id = e.account_id AND c.owner_kind = 'customer'
     WHERE a.id = ANY($1::uuid[]) AND a.provider = 'ledger'
     UNION ALL
     SELECT id, CASE WHEN kind IN ('gift', 'replacement') THEN kind WHEN months IS NOT NULL THEN 'membership_months'
         WHEN points IS NOT NULL THEN 'points' ELSE currency END,
       CASE WHEN kind IN ('gift', 'replacement') THEN 1 ELSE coalesce(amount_minor, months, points) END
     FROM awards WHERE id = ANY($1::uuid[]) AND provider IS DISTINCT FROM 'ledger'`,
    [awardIds],
  );
  return new Map(rows.map(({ id, unit, quantity }) => [id, { unit, quantity }]));
}
