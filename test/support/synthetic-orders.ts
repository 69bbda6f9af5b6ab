/** Where statements run. */
type Query = (sql: string, values?: unknown[]) => Promise<unknown>;

/**
 * Fills an empty database with orders of one year, made by the database itself: a parcel each with five scans, a customer for
 * every three orders. Of a hundred orders some seven arrive late, one never moves, one is lost on its way and one is sent back;
 * every fourth customer is a member.
 */
export async function insertSyntheticOrders(query: Query, orders: number): Promise<void> {
  const customers = Math.max(1, Math.ceil(orders / 3));
  await query(
    `INSERT INTO customers (id, membership_tier) SELECT 'c-' || n, CASE WHEN n % 4 = 0 THEN 'prime' END
     FROM generate_series(0, $1::int - 1) AS n`,
    [customers],
  );
  await query(
    `INSERT INTO orders (id, customer_id, placed_at, total_minor, shipping_paid_minor, currency, promise_on, promise_time_zone,
       promised_until, destination_country, registered_at)
     SELECT 'o-' || lpad(n::text, 8, '0'), 'c-' || (n * 7919::bigint % $2::int), at - interval '5 days', 1000 + n % 20000, n % 3 * 300,
       CASE WHEN n % 5 = 0 THEN 'EUR' ELSE 'USD' END, at::date, 'America/New_York', at::date + interval '29 hours', 'US', at
     FROM (SELECT n, timestamptz '2025-03-03T12:00:00Z' + n % 365 * interval '1 day' AS at FROM generate_series(0, $1::int - 1) AS n) x`,
    [orders, customers],
  );
  await query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key)
     SELECT gen_random_uuid(), id, 0, 'usps', 'usps', 'N' || substr(id, 3), 'N' || substr(id, 3) FROM orders`,
  );
  // Numbers that have nothing to do with the customer: who is late is spread over all of them.
  await query(
    `INSERT INTO tracking_events (scan_key, source, carrier, carrier_key, tracking_key, status, exception, occurred_at, code, received_at)
     SELECT gen_random_uuid(), 'easypost', 'usps', 'usps', tracking_key, status, exception, at, status, at FROM (
       SELECT s.tracking_key, k, h,
         CASE WHEN k = 0 THEN 'pre_transit' WHEN k < 3 THEN 'in_transit' WHEN k = 3 THEN 'out_for_delivery'
           WHEN h = 98 THEN 'exception' WHEN h = 99 THEN 'return_to_sender' ELSE 'delivered' END AS status,
         CASE WHEN k = 4 AND h = 98 THEN 'lost' END AS exception,
         o.promise_on + time '15:00' + (k - 4) * interval '20 hours' + CASE WHEN h < 7 THEN 1 + h * 2 ELSE 0 END * (k = 4)::int * interval '1 day' AS at
       FROM orders o JOIN shipments s ON s.order_id = o.id CROSS JOIN generate_series(0, 4) AS k
         CROSS JOIN LATERAL (SELECT abs(hashtext(o.id)) % 100 AS h) x) y
     WHERE h <> 97`,
  );
  await query('ANALYZE');
}
