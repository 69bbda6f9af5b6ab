import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { recordAudit, recordAudits } from '../../src/db/audit-store.js';
import { openDatabase } from '../../src/db/database.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { readDatabaseState } from '../support/database-state.js';

/*
 * What the tables refuse, whoever asks: a mistake in our code, a person with psql, a worker that was thought dead.
 */

let database: TestDatabase;

const VERDICT = randomUUID();
const AWARD = randomUUID();
const TRANSFER = randomUUID();
const MONTHS_OF_HOUSE = randomUUID();
const MONTHS_OF_ANN = randomUUID();
const DOLLARS_OF_ANN = randomUUID();

/** One order that was late, with its award booked and its letter sent, as the stages write it. */
const HISTORY = `
  INSERT INTO customers (id, email) VALUES ('ann', 'ann@example.com');
  INSERT INTO orders (id, customer_id, promise_on, promise_time_zone, promised_until, registered_at)
    VALUES ('o-1', 'ann', '2025-03-05', 'America/New_York', '2025-03-06T05:00:00Z', now());
  INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, promise_on, promise_time_zone)
    VALUES (gen_random_uuid(), 'o-1', 1, 'usps', 'usps', '9400', '9400', '2025-03-07', 'America/New_York');
  INSERT INTO verdicts (id, order_id, verdict, promised_until, judged_at, policy_version, trigger, trace, inputs, explanation)
    VALUES ('${VERDICT}', 'o-1', 'late', '2025-03-06T05:00:00Z', now(), 1, 'webhook', 't', '{}', '{}');
  INSERT INTO incidents (id, order_id, kind, opened_at) VALUES (gen_random_uuid(), 'o-1', 'late', now());
  INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, months, status, rule, reason,
      policy_version, decided_at, applied_at)
    VALUES ('${AWARD}', 'o-1', 'ann', 'late', '${VERDICT}', 'membership', 1, 'membership_extension', 1, 'applied', 'prime-month',
      'late', 1, now(), now());
  INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, created_at)
    VALUES (gen_random_uuid(), 'o-1', 'ann', 'late', 'occasion-call', 'call', now());
  INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit) VALUES
    ('${MONTHS_OF_HOUSE}', 'house', 'goodwill', 'membership_months'),
    ('${MONTHS_OF_ANN}', 'customer', 'ann', 'membership_months'),
    ('${DOLLARS_OF_ANN}', 'customer', 'ann', 'USD');
  INSERT INTO ledger_transfers (id, award_id, kind, posted_at) VALUES ('${TRANSFER}', '${AWARD}', 'award', now());
  INSERT INTO ledger_entries (transfer_id, account_id, amount) VALUES
    ('${TRANSFER}', '${MONTHS_OF_HOUSE}', -1), ('${TRANSFER}', '${MONTHS_OF_ANN}', 1);
  INSERT INTO messages (id, order_id, customer_id, decision_id, template, to_address, message_id, letter, status, created_at, sent_at)
    VALUES (gen_random_uuid(), 'o-1', 'ann', '${VERDICT}', 'late-delivered', 'ann@example.com', '<1@shop.example>', '{}', 'sent', now(), now());
  INSERT INTO policy_versions (version, name, document, activated_by, reason) VALUES (1, 'Default', '{}', 'test', 'first');
  INSERT INTO inbox (id, source, dedupe_key, body, received_at) VALUES (gen_random_uuid(), 'easypost', '${VERDICT}', '{}', now());
  INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, status, occurred_at, code, received_at)
    VALUES ('${VERDICT}', 'easypost', 'USPS', 'usps', '9400', 'delivered', now(), '', now());
  INSERT INTO api_keys (id, role, name, key_hash) VALUES (gen_random_uuid(), 'agent', 'a', '\\x01');
  INSERT INTO audit (seq, at, actor, action, subject, reason, details, previous_hash, hash)
    VALUES (0, now(), 'key:ann', 'order.recheck', 'o-1', NULL, '{}', '', '');
`;

/** Another scan of the parcel, with these values of `status`, `occurred_at` and `occurred_on`. */
const copyOfScan = (values: string): string =>
  `INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, code, received_at, status, occurred_at, occurred_on)
   VALUES (gen_random_uuid(), 'easypost', 'USPS', 'usps', '9400', '', now(), ${values})`;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(HISTORY);
});
afterAll(async () => {
  await database.drop();
});

const RESTRICT_VIOLATION = '23001';
const UNIQUE_VIOLATION = '23505';
const CHECK_VIOLATION = '23514';

/** The checks of the table stand behind the guard of an award's life, which would refuse an update before them. */
const UNGUARDED = 'ALTER TABLE awards DISABLE TRIGGER awards_guard;';

/** Asserts that a statement is refused with this SQLSTATE, and that nothing is different afterwards. */
async function refused(sql: string, code: string, named?: string): Promise<void> {
  const before = await readDatabaseState(database);
  const wanted = named === undefined ? { code } : { code, constraint: named };
  await expect(database.query(sql)).rejects.toMatchObject(wanted);
  expect(await readDatabaseState(database)).toEqual(before);
}

describe('history is append-only', () => {
  const TABLES = [
    ['verdicts', `verdict = 'on_time'`],
    ['ledger_transfers', `posted_at = now()`],
    ['ledger_entries', `amount = amount * 100`],
    ['policy_versions', `document = '{"rules": []}'`],
    ['audit', `actor = 'nobody'`],
  ] as const;
  test.each(TABLES)('%s refuses UPDATE, DELETE and TRUNCATE, also of no row', async (table, change) => {
    await refused(`UPDATE ${table} SET ${change}`, RESTRICT_VIOLATION);
    await refused(`UPDATE ${table} SET ${change} WHERE false`, RESTRICT_VIOLATION);
    await refused(`DELETE FROM ${table}`, RESTRICT_VIOLATION);
    await refused(`TRUNCATE ${table} CASCADE`, RESTRICT_VIOLATION);
  });

  test('what history leads back to cannot be deleted from under it', async () => {
    await refused(`DELETE FROM awards`, RESTRICT_VIOLATION);
    await refused(`DELETE FROM orders`, RESTRICT_VIOLATION);
    await refused(`DELETE FROM customers`, RESTRICT_VIOLATION);
    await refused(`DELETE FROM ledger_accounts`, RESTRICT_VIOLATION);
    await refused(`UPDATE awards SET id = gen_random_uuid()`, RESTRICT_VIOLATION);
  });
});

describe('a scan is written once', () => {
  test.each([
    `UPDATE tracking_events SET occurred_at = now()`,
    `UPDATE tracking_events SET tracking_key = '9401'`,
    `UPDATE tracking_events SET code = 'other'`,
    `UPDATE tracking_events SET status = 'in_transit'`,
  ])('refused: %s', async (sql) => {
    await refused(sql, RESTRICT_VIOLATION);
  });

  test('what its source says of it later is noted: a correction, a status that it lends', async () => {
    await database.query(`UPDATE tracking_events SET superseded_at = now()`);
    await database.query(`UPDATE tracking_events SET status = 'in_transit', borrowed_at = now()`);
    await refused(`UPDATE tracking_events SET borrowed_at = NULL`, RESTRICT_VIOLATION);
  });
});

describe('a promise is made once', () => {
  test.each([
    `UPDATE orders SET promise_on = '2025-03-06'`,
    `UPDATE orders SET promise_on = NULL, promise_at = '2025-03-06T05:00:00Z'`,
    `UPDATE orders SET promise_time_zone = 'America/Los_Angeles'`,
    `UPDATE orders SET promised_until = '2025-03-07T05:00:00Z'`,
    `UPDATE orders SET customer_id = (SELECT id FROM customers WHERE id <> 'ann')`,
    `UPDATE shipments SET promise_on = '2025-03-08'`,
    `UPDATE shipments SET promise_on = NULL, promise_at = '2025-03-06T05:00:00Z'`,
    `UPDATE shipments SET promise_on = NULL, promise_time_zone = NULL`,
    `UPDATE shipments SET promise_time_zone = 'Europe/Berlin'`,
  ])('refused: %s', async (sql) => {
    await refused(sql, RESTRICT_VIOLATION);
  });

  test('what is no promise may be completed', async () => {
    await database.query(`UPDATE orders SET total_minor = 5990, currency = 'USD', promise_on = promise_on`);
    await database.query(`UPDATE shipments SET status = 'delivered', promise_on = promise_on`);
  });
});

describe('the ledger', () => {
  const entry = (transfer: string, account: string, amount: number) => `('${transfer}', '${account}', ${amount})`;
  const posting = (...entries: [string, number][]) => {
    const transfer = randomUUID();
    return `WITH t AS (INSERT INTO ledger_transfers (id, kind, posted_at) VALUES ('${transfer}', 'award', now()))
      INSERT INTO ledger_entries (transfer_id, account_id, amount) VALUES ${entries.map(([account, amount]) => entry(transfer, account, amount)).join()}`;
  };
  const balanceOf = async (account: string) =>
    (await database.query('SELECT balance FROM ledger_accounts WHERE id = $1', [account]))[0]?.balance;

  test('entries that do not add up to nothing are refused, too much as well as too little', async () => {
    await refused(posting([MONTHS_OF_HOUSE, -1], [MONTHS_OF_ANN, 2]), CHECK_VIOLATION);
    await refused(posting([MONTHS_OF_HOUSE, -2], [MONTHS_OF_ANN, 1]), CHECK_VIOLATION);
  });

  test('one side alone is refused', async () => {
    await refused(posting([MONTHS_OF_ANN, 1]), CHECK_VIOLATION);
  });

  test('an amount of nothing is refused', async () => {
    await refused(posting([MONTHS_OF_HOUSE, 0], [MONTHS_OF_ANN, 0]), CHECK_VIOLATION, 'ledger_entries_amount');
  });

  test('months do not become dollars', async () => {
    await refused(posting([MONTHS_OF_HOUSE, -1], [DOLLARS_OF_ANN, 1]), CHECK_VIOLATION);
  });

  test('two transfers of one statement are added up each for itself', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    await refused(
      `WITH t AS (INSERT INTO ledger_transfers (id, kind, posted_at) VALUES ('${a}', 'award', now()), ('${b}', 'award', now()))
       INSERT INTO ledger_entries (transfer_id, account_id, amount) VALUES ${entry(a, MONTHS_OF_HOUSE, -1)}, ${entry(a, MONTHS_OF_ANN, 2)},
         ${entry(b, MONTHS_OF_HOUSE, -2)}, ${entry(b, MONTHS_OF_ANN, 1)}`,
      CHECK_VIOLATION,
    );
  });

  test('a balance cannot be set by hand, nor an account opened with something in it', async () => {
    await refused(`UPDATE ledger_accounts SET balance = balance + 12 WHERE owner_id = 'ann'`, RESTRICT_VIOLATION);
    await refused(`UPDATE ledger_accounts SET balance = 0, unit = 'EUR'`, RESTRICT_VIOLATION);
    await refused(
      `INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit, balance) VALUES (gen_random_uuid(), 'customer', 'bob', 'USD', 5)`,
      RESTRICT_VIOLATION,
    );
  });

  test('a balance is the sum of its entries, from the first on', async () => {
    expect(await balanceOf(MONTHS_OF_ANN)).toBe('1');
    await database.query(posting([MONTHS_OF_HOUSE, -3], [MONTHS_OF_ANN, 3]));
    await database.query(posting([MONTHS_OF_HOUSE, 2], [MONTHS_OF_ANN, -2]));
    expect(await balanceOf(MONTHS_OF_ANN)).toBe('2');
    const wrong = await database.query(
      `SELECT a.id FROM ledger_accounts a LEFT JOIN ledger_entries e ON e.account_id = a.id
       WHERE a.owner_kind = 'customer' GROUP BY a.id HAVING a.balance <> coalesce(sum(e.amount), 0)`,
    );
    expect(wrong).toEqual([]);
  });

  test('an award has one transfer', async () => {
    await refused(
      `INSERT INTO ledger_transfers (id, award_id, kind, posted_at) VALUES (gen_random_uuid(), '${AWARD}', 'award', now())`,
      UNIQUE_VIOLATION,
      'ledger_transfers_one_per_award',
    );
  });

  test('an owner has one account of a unit', async () => {
    await refused(
      `INSERT INTO ledger_accounts (id, owner_kind, owner_id, unit) VALUES (gen_random_uuid(), 'customer', 'ann', 'USD')`,
      UNIQUE_VIOLATION,
      'ledger_accounts_one_per_owner_and_unit',
    );
  });
});

describe('once and not twice', () => {
  const award = (
    changes: Partial<Record<'incident' | 'class' | 'kind', string>> & {
      step?: number;
      months?: number | null;
      amount?: number | null;
      status?: string;
    },
  ) => {
    const {
      incident = 'late',
      class: ofClass = 'membership',
      kind = 'membership_extension',
      step = 1,
      months = 1,
      amount = null,
      status = 'pending',
    } = changes;
    return `INSERT INTO awards (id, order_id, customer_id, incident, decision_id, class, step, kind, months, amount_minor, currency,
        status, rule, reason, policy_version, decided_at)
      VALUES (gen_random_uuid(), 'o-1', 'ann', '${incident}', '${VERDICT}', '${ofClass}', ${step}, '${kind}', ${months}, ${amount},
        ${amount === null ? 'NULL' : `'USD'`}, '${status}', 'r', 'r', 2, now())`;
  };

  test('one award of an order, incident, class and step, under whatever policy and of whatever kind', async () => {
    await refused(award({}), UNIQUE_VIOLATION, 'awards_one_per_incident_class_and_step');
    await refused(
      award({ kind: 'store_credit', months: null, amount: 5 }),
      UNIQUE_VIOLATION,
      'awards_one_per_incident_class_and_step',
    );
    await refused(award({ status: 'held' }), UNIQUE_VIOLATION, 'awards_one_per_incident_class_and_step');
  });

  test('the next step, another class and another incident are other awards', async () => {
    await database.query(award({ step: 2 }));
    await database.query(award({ class: 'money', kind: 'store_credit', months: null, amount: 300 }));
    await database.query(award({ incident: 'lost' }));
  });

  test.each<[string, string, string, string]>([
    [
      'a letter of a decision and template',
      `INSERT INTO messages (id, order_id, customer_id, decision_id, template, to_address, message_id, letter, status, created_at)
       SELECT gen_random_uuid(), order_id, customer_id, decision_id, template, 'other@example.com', '<2@shop.example>', letter, 'queued', now() FROM messages`,
      UNIQUE_VIOLATION,
      'messages_one_per_decision_template_and_part',
    ],
    [
      'a Message-ID',
      `INSERT INTO messages (id, order_id, customer_id, decision_id, template, to_address, message_id, letter, status, created_at)
       SELECT gen_random_uuid(), order_id, customer_id, decision_id, 'top-up', to_address, message_id, letter, 'queued', now() FROM messages`,
      UNIQUE_VIOLATION,
      'messages_message_id_unique',
    ],
    [
      'an incident of an order and kind',
      `INSERT INTO incidents (id, order_id, kind, opened_at) VALUES (gen_random_uuid(), 'o-1', 'late', now())`,
      UNIQUE_VIOLATION,
      'incidents_one_per_order_and_kind',
    ],
    [
      'a task of an order, incident and rule',
      `INSERT INTO tasks (id, order_id, customer_id, incident, rule, kind, created_at)
       VALUES (gen_random_uuid(), 'o-1', 'ann', 'late', 'occasion-call', 'call', now())`,
      UNIQUE_VIOLATION,
      'tasks_one_per_incident_and_rule',
    ],
    [
      'a webhook',
      `INSERT INTO inbox (id, source, dedupe_key, body, received_at) VALUES (gen_random_uuid(), 'easypost', '${VERDICT}', 'other', now())`,
      UNIQUE_VIOLATION,
      'inbox_dedupe_key_unique',
    ],
    [
      'a scan',
      `INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, status, occurred_at, code, received_at)
       VALUES ('${VERDICT}', 'easypost', 'USPS', 'usps', '9400', 'in_transit', now(), '', now())`,
      UNIQUE_VIOLATION,
      'tracking_events_pkey',
    ],
    [
      'a parcel of an order',
      `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key)
       VALUES (gen_random_uuid(), 'o-1', 2, 'U.S.P.S.', 'usps', '94-00', '9400')`,
      UNIQUE_VIOLATION,
      'shipments_one_per_order_and_number',
    ],
    [
      'an API key',
      `INSERT INTO api_keys (id, role, name, key_hash) VALUES (gen_random_uuid(), 'admin', 'b', '\\x01')`,
      UNIQUE_VIOLATION,
      'api_keys_hash_unique',
    ],
  ])('%s', async (_name, sql, code, constraint) => {
    await refused(sql, code, constraint);
  });
});

describe('values that mean nothing are refused', () => {
  test.each<[string, string]>([
    [
      'orders_one_promise',
      `INSERT INTO orders (id, customer_id, promise_time_zone, promised_until, registered_at) VALUES ('o-2', 'ann', 'UTC', now(), now())`,
    ],
    ['orders_money', `UPDATE orders SET total_minor = -1`],
    ['orders_money', `UPDATE orders SET currency = NULL, total_minor = 1`],
    ['orders_occasion', `UPDATE orders SET occasion_name = 'christmas', occasion_on = NULL`],
    ['awards_content', `${UNGUARDED} UPDATE awards SET months = 0 WHERE kind = 'membership_extension'`],
    ['awards_content', `${UNGUARDED} UPDATE awards SET months = NULL WHERE kind = 'membership_extension'`],
    [
      'awards_content',
      `${UNGUARDED} UPDATE awards SET amount_minor = 5, currency = 'USD' WHERE kind = 'membership_extension'`,
    ],
    ['awards_content', `${UNGUARDED} UPDATE awards SET amount_minor = NULL WHERE kind = 'store_credit'`],
    ['awards_content', `${UNGUARDED} UPDATE awards SET amount_minor = -1 WHERE kind = 'store_credit'`],
    ['awards_content', `${UNGUARDED} UPDATE awards SET currency = NULL WHERE kind = 'store_credit'`],
    ['awards_kind', `${UNGUARDED} UPDATE awards SET kind = 'pony' WHERE kind = 'store_credit'`],
    ['awards_status', `${UNGUARDED} UPDATE awards SET status = 'maybe'`],
    ['awards_step', `${UNGUARDED} UPDATE awards SET step = 0 WHERE class = 'money'`],
    ['awards_applied', `${UNGUARDED} UPDATE awards SET applied_at = NULL WHERE status = 'applied'`],
    ['messages_status', `UPDATE messages SET status = 'perhaps'`],
    ['messages_sent', `UPDATE messages SET sent_at = NULL`],
    ['tracking_events_one_time', copyOfScan(`'delivered', now(), '2025-03-05'`)],
    ['tracking_events_one_time', copyOfScan(`'delivered', NULL, NULL`)],
    ['tracking_events_status', copyOfScan(`'teleported', now(), NULL`)],
    ['handshakes_state', `INSERT INTO handshakes VALUES ('dhl', 's', 'maybe', NULL, now())`],
    ['api_keys_role', `UPDATE api_keys SET role = 'god'`],
    ['ledger_accounts_owner', `UPDATE ledger_accounts SET owner_kind = 'bank'`],
  ])('%s: %s', async (constraint, sql) => {
    await refused(sql, CHECK_VIOLATION, constraint);
  });
});

describe('the life of an award', () => {
  test.each([
    ['what was applied is not declined', `UPDATE awards SET status = 'declined' WHERE status = 'applied'`],
    ['what was applied is not pending again', `UPDATE awards SET status = 'pending' WHERE status = 'applied'`],
    ['what was applied gives what it gave', `UPDATE awards SET amount_minor = 99 WHERE kind = 'store_credit'`],
    ['nor more months', `UPDATE awards SET months = 12 WHERE kind = 'membership_extension'`],
    ['it stays with its order', `UPDATE awards SET order_id = 'other'`],
    ['it stays with its provider', `UPDATE awards SET provider = 'webhook'; UPDATE awards SET provider = 'stripe'`],
    ['it is not deleted', `DELETE FROM awards`],
  ])('%s', async (_what, sql) => {
    await refused(sql, RESTRICT_VIOLATION);
  });
});

describe('the audit', () => {
  interface Row extends Record<string, unknown> {
    seq: string;
    at: Date;
    actor: string;
    action: string;
    subject: string;
    reason: string | null;
    details: string;
    previous_hash: Buffer;
    hash: Buffer;
  }
  const load = () =>
    database.query<Row>(
      'SELECT seq, at, actor, action, subject, reason, details::text AS details, previous_hash, hash FROM audit ORDER BY seq',
    );

  /** As PostgreSQL writes the sealed array: the instant in seconds with six decimals, `details` as it stands. */
  function sealOf(row: Row): Buffer {
    const ms = row.at.getTime();
    const epoch = `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}000`;
    const texts = [row.actor, row.action, row.subject, row.reason].map((text) => JSON.stringify(text));
    return createHash('sha256')
      .update(row.previous_hash)
      .update(`[${[row.seq, epoch, ...texts, row.details].join(', ')}]`)
      .digest();
  }
  /** The number of the first row that does not fit the one before, or whose seal is not its own; null when all do. */
  function firstBroken(rows: readonly Row[]): number | null {
    let previous = Buffer.from([0]);
    for (const [index, row] of rows.entries()) {
      const fits = Number(row.seq) === index + 1 && row.previous_hash.equals(previous) && row.hash.equals(sealOf(row));
      if (!fits) return index + 1;
      previous = Buffer.from(row.hash);
    }
    return null;
  }

  test('entries written by many at once make one chain without a gap, that can be checked from outside', async () => {
    const db = openDatabase(database.url, { poolSize: 10, onError: () => {} });
    try {
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          db
            .transaction(async (sql) => {
              const entry = {
                actor: `key:"ann" \\ 配達 ${index}`,
                action: 'order.recheck',
                subject: `o-${index}`,
                reason: index % 2 ? `why\n"${index}"\t😀` : null,
              };
              await recordAudit(sql, {
                at: new Date(Date.UTC(2025, 2, 5, 12, 0, 0, index * 7)),
                ...entry,
                details: { z: index, a: ['x', null, 1.5], 'ü"': { b: true } },
              });
              // What is rolled back leaves no number behind.
              if (index % 10 === 9) throw new Error('undone');
            })
            .catch((error) => {
              if (error.message !== 'undone') throw error;
            }),
        ),
      );
    } finally {
      await db.close();
    }
    const rows = await load();
    expect(rows).toHaveLength(1 + 54);
    expect(firstBroken(rows)).toBeNull();
  });

  test('entries that are written together are links of it in their order', async () => {
    const db = openDatabase(database.url, { poolSize: 1, onError: () => {} });
    const subjects = Array.from({ length: 30 }, (_, index) => `together-${index}`);
    try {
      await db.transaction((sql) =>
        recordAudits(
          sql,
          subjects.map((subject, index) => ({
            at: new Date(Date.UTC(2025, 2, 6, 12, 0, 0, 900 - index)),
            actor: 'makegood',
            action: 'task.escalate',
            subject,
            reason: null,
            details: { z: index, list: ['ü', null] },
          })),
        ),
      );
    } finally {
      await db.close();
    }
    const rows = await load();
    expect(rows.slice(-30).map(({ subject }) => subject)).toEqual(subjects);
    expect(firstBroken(rows)).toBeNull();
  });

  test('number and seal are set by the database, whatever the writer says', async () => {
    const length = (await load()).length;
    await database.query(
      `INSERT INTO audit (seq, at, actor, action, subject, details, previous_hash, hash)
       VALUES (999999, now(), 'forger', 'x', 'y', '{}', '\\xdeadbeef', '\\xdeadbeef')`,
    );
    const rows = await load();
    expect(rows.at(-1)).toMatchObject({ actor: 'forger', seq: String(length + 1) });
    expect(firstBroken(rows)).toBeNull();
  });

  test('a row that somebody edits, removes or adds with the triggers off breaks the chain at that row', async () => {
    const whole = await load();
    const tamper = async (sql: string): Promise<number | null> => {
      await database.query(
        `BEGIN; ALTER TABLE audit DISABLE TRIGGER ALL; ${sql}; ALTER TABLE audit ENABLE TRIGGER ALL; COMMIT`,
      );
      const broken = firstBroken(await load());
      await database.query(
        `BEGIN; ALTER TABLE audit DISABLE TRIGGER ALL; DELETE FROM audit;
         INSERT INTO audit SELECT * FROM audit_copy; ALTER TABLE audit ENABLE TRIGGER ALL; COMMIT`,
      );
      expect(await load()).toEqual(whole);
      return broken;
    };
    await database.query('CREATE TABLE audit_copy AS SELECT * FROM audit');
    expect(await tamper(`UPDATE audit SET reason = 'a better one' WHERE seq = 7`)).toBe(7);
    expect(await tamper(`UPDATE audit SET details = details || '{"z": 0}' WHERE seq = 9`)).toBe(9);
    expect(await tamper(`UPDATE audit SET at = at + interval '1 ms' WHERE seq = 3`)).toBe(3);
    expect(await tamper(`DELETE FROM audit WHERE seq = 12`)).toBe(12);
    expect(await tamper(`UPDATE audit SET hash = sha256('x') WHERE seq = 20`)).toBe(20);
    expect(firstBroken(await load())).toBeNull();
  });
});
