import { expect } from '@jest/globals';

import { eventually } from '../support/eventually.js';
import type { SmtpSink } from '../support/smtp-sink.js';
import type { Queryable } from './connect.js';
import type { Parcel } from './parcel.js';

/** A row of `messages`, and how many mails with its Message-ID were found where mail arrives. */
export interface Letter {
  readonly status: string;
  readonly copies: number;
}
const SENT: Letter = { status: 'sent', copies: 1 };
/** The sender died between the first byte and the record of the answer: nobody can know, so it is said and left alone. */
export const UNKNOWN_AND_LOST: Letter = { status: 'unknown', copies: 0 };
export const UNKNOWN_AND_ARRIVED: Letter = { status: 'unknown', copies: 1 };

/** Every state that is right for a letter when senders were killed at moments nobody chose. */
export const AFTER_ANY_KILL = [SENT, UNKNOWN_AND_LOST, UNKNOWN_AND_ARRIVED];

/** All work that was taken on is done, within this time after the last fault: the product promises a minute. */
const QUIET_TIMEOUT_MS = 60_000;

/** Waits until no ticket is left: a ticket goes in the same transaction in which its work and the next ticket come. */
export async function quiet(database: Queryable): Promise<void> {
  await eventually(async () => (await countOpen(database)) === 0, QUIET_TIMEOUT_MS);
  expect(await database.query('SELECT stage, ids, error FROM outbox')).toEqual([]);
}

async function countOpen(database: Queryable): Promise<number> {
  const [row] = await database.query<{ open: number }>(
    'SELECT count(*)::int AS open FROM outbox WHERE parked_at IS NULL',
  );
  return row?.open ?? 0;
}

/**
 * Sees that every customer has exactly what is owed and was told exactly once, and that the books agree.
 * @param letters the states that are right for a letter
 */
export async function expectMadeGood(
  database: Queryable,
  sink: SmtpSink | null,
  parcels: readonly Parcel[],
  letters: readonly Letter[] = [SENT],
): Promise<void> {
  const outcomes = await Promise.all(parcels.map((parcel) => readOutcome(database, sink, parcel, letters)));
  expect(outcomes).toEqual(parcels.map(outcomeOwed));
  await expectBalancedBooks(database);
}

function outcomeOwed({ orderId, owed, isTold }: Parcel) {
  return {
    orderId,
    awards: owed ? ['applied'] : [],
    balances: owed ? [{ unit: owed.unit, balance: owed.amount, entries: owed.amount }] : [],
    letters: isTold ? ['right'] : [],
    otherMails: 0,
  };
}

async function readOutcome(
  database: Queryable,
  sink: SmtpSink | null,
  { orderId, customerId, email }: Parcel,
  rightLetters: readonly Letter[],
) {
  const awards = await database.query('SELECT status FROM awards WHERE order_id = $1', [orderId]);
  const balances = await database.query(
    `SELECT a.unit, a.balance::int AS balance, sum(e.amount)::int AS entries
     FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account_id = a.id
     WHERE a.owner_kind = 'customer' AND a.owner_id = $1 GROUP BY a.id ORDER BY a.unit`,
    [customerId],
  );
  const messages = await database.query<{ status: string; message_id: string }>(
    'SELECT status, message_id FROM messages WHERE order_id = $1',
    [orderId],
  );
  const kept = await database.query<{ message_id: string }>('SELECT message_id FROM mailbox WHERE to_address = $1', [
    email,
  ]);
  const mails = [
    ...kept.map((mail) => mail.message_id),
    ...(sink?.mails ?? []).filter(({ to }) => to === email).map(({ messageId }) => messageId),
  ];
  const ids = new Set(messages.map((message) => message.message_id));
  return {
    orderId,
    awards: awards.map(({ status }) => status),
    balances,
    letters: messages.map(({ status, message_id }) => {
      const copies = mails.filter((id) => id === message_id).length;
      const isRight = rightLetters.some((right) => right.status === status && right.copies === copies);
      return isRight ? 'right' : { status, copies };
    }),
    otherMails: mails.filter((id) => !ids.has(id)).length,
  };
}

/** Every customer's balance is the sum of its entries, every transfer adds up to nothing, and every award has one. */
async function expectBalancedBooks(database: Queryable): Promise<void> {
  const wrong = await database.query(
    `SELECT 'balance' AS what, a.id FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account_id = a.id
       WHERE a.owner_kind = 'customer' GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0)
     UNION ALL SELECT 'transfer', t.id FROM ledger_transfers t LEFT JOIN ledger_entries e ON e.transfer_id = t.id
       GROUP BY t.id HAVING coalesce(sum(e.amount), 0) <> 0 OR count(e.amount) <> 2
     UNION ALL SELECT 'award', w.id FROM awards w LEFT JOIN ledger_transfers t ON t.award_id = w.id
       WHERE (w.status = 'applied') <> (t.id IS NOT NULL)`,
  );
  expect(wrong).toEqual([]);
}
