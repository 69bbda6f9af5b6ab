import type { Sql } from '../db/database.js';
import type { OrderToRegister } from './order-store.js';

type TellingOrder = Pick<OrderToRegister, 'id' | 'order'>;

interface CustomerRow {
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly phone: string | null;
  readonly locale: string | null;
  readonly membership_tier: string | null;
  readonly membership_renews_on: string | null;
  readonly membership_trial: boolean;
}

const COLUMNS = [
  'email',
  'name',
  'phone',
  'locale',
  'membership_tier',
  'membership_renews_on',
  'membership_trial',
] as const;

/** Makes sure that there is a row for each customer, without holding one that was there. @returns those that are new */
export async function addCustomers(sql: Sql, orders: readonly TellingOrder[]): Promise<Set<string>> {
  if (orders.length === 0) return new Set();
  const { rows } = await sql.query(
    `INSERT INTO customers (id) SELECT DISTINCT id FROM unnest($1::text[]) AS n(id) ORDER BY id
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [orders.map(({ order }) => order.customer.id)],
  );
  return new Set(rows.map((row) => row.id));
}

/**
 * Writes what the orders say of their customers, one after the other: what is given replaces what was known, what is left out
 * stays. Takes the customers until the transaction ends.
 * @param added customers that are new
 * @returns the ids of the orders that changed something
 */
export async function saveCustomers(
  sql: Sql,
  orders: readonly TellingOrder[],
  added: ReadonlySet<string>,
): Promise<Set<string>> {
  const changed = new Set<string>();
  const isNew = new Set(added);
  for (const { id, order } of orders) if (isNew.delete(order.customer.id)) changed.add(id);
  const telling = orders.filter(({ order }) => Object.keys(order.customer).length > 1);
  if (telling.length === 0) return changed;
  const { rows } = await sql.query(
    `SELECT id, ${COLUMNS.join(', ')} FROM customers WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE`,
    [[...new Set(telling.map(({ order }) => order.customer.id))]],
  );
  const before = new Map<string, CustomerRow>(rows.map((row) => [row.id, row]));
  const after = new Map(before);
  for (const { id, order } of telling) {
    const { customer } = order;
    const known = after.get(customer.id);
    if (!known) continue;
    const next = withTold(known, customer);
    if (!isSame(known, next)) changed.add(id);
    after.set(customer.id, next);
  }
  const different = [...after.values()].filter((row) => !isSame(before.get(row.id), row));
  if (different.length > 0) {
    await sql.query(
      `UPDATE customers c SET (${COLUMNS.join(', ')}, updated_at) = ROW(${COLUMNS.map((column) => `n.${column}`).join(', ')}, now())
       FROM jsonb_populate_recordset(NULL::customers, $1::jsonb) AS n WHERE c.id = n.id`,
      [JSON.stringify(different)],
    );
  }
  return changed;
}

function withTold(known: CustomerRow, customer: TellingOrder['order']['customer']): CustomerRow {
  const { membership } = customer;
  return {
    ...known,
    email: customer.email ?? known.email,
    name: customer.name ?? known.name,
    phone: customer.phone ?? known.phone,
    locale: customer.locale ?? known.locale,
    // null says that there is no membership any more; a document without the field says nothing.
    ...(membership === undefined
      ? {}
      : {
          membership_tier: membership?.tier ?? null,
          membership_renews_on: membership?.renewsOn ?? null,
          membership_trial: membership?.trial ?? false,
        }),
  };
}

function isSame(a: CustomerRow | undefined, b: CustomerRow): boolean {
  return a !== undefined && COLUMNS.every((column) => a[column] === b[column]);
}
