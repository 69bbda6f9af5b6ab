import { readFileSync } from 'node:fs';
import { easypost } from '../../dist/src/carriers/easypost/adapter.js';

/** The same webhooks in the same order every time. */
const SEED = 20_261_128;
export const SECRET = 'bench-secret-of-easypost';
/** What time it is in a run: promises end two hours before, or two days after. */
const NOW = '18:00';
/** Nobody reads at that time: a letter is written and waits, so that mail is no part of what is measured. */
export const QUIET_HOURS = '12:00-23:00';
const MINUTE = 60_000;
const TEMPLATE = JSON.parse(
  readFileSync(new URL('../fixtures/easypost/delivered-in-time.raw.json', import.meta.url), 'utf8'),
);
/** When the six scans of the template happened, in minutes before the run. */
const SCANNED_BEFORE = [4_300, 3_900, 2_000, 1_700, 400, 40];

/**
 * What comes in. `real`: six webhooks a parcel, each the whole history so far as EasyPost sends it, and of a hundred parcels eight
 * arrive late. `worst`: one webhook an order, with one scan, and each order gets something.
 */
export const MIXES = {
  real: { perParcel: 6, latePercent: 8, text: '8 % late, 6 webhooks a parcel' },
  worst: { perParcel: 1, latePercent: 100, text: 'every event ends in an award' },
};

/** Orders of so many events: whole parcels. */
const ordersOf = (mix, events) => Math.ceil(events / MIXES[mix].perParcel);

/** Today at the time of a run, by the clock that the run is given. */
export function startOfRun() {
  return new Date(`${new Date().toISOString().slice(0, 10)}T${NOW}:00.000Z`);
}

/**
 * Orders as a shop registered them some days ago; every tenth customer has two, and every fourth is a member. Those that will be late were
 * promised for two hours before the run, the others for two days after it; none was judged yet.
 */
export async function insertOrders(query, mix, events, at = startOfRun()) {
  const orders = ordersOf(mix, events);
  const customers = Math.ceil(orders / 1.1);
  await query(
    `INSERT INTO customers (id, email, name, locale, membership_tier)
     SELECT 'c-' || n, 'c-' || n || '@example.com', 'Customer ' || n, 'en-US', CASE WHEN n % 4 = 0 THEN 'prime' END
     FROM generate_series(0, $1::int - 1) n`,
    [customers],
  );
  await query(
    `INSERT INTO orders (id, customer_id, placed_at, total_minor, shipping_paid_minor, currency, promise_on, promise_at, promise_time_zone,
       promised_until, destination_country, registered_at, due_at)
     SELECT 'o-' || lpad(n::text, 8, '0'), 'c-' || n % $2::int, $3::timestamptz - interval '5 days', 2000 + n % 20000, 0, 'USD',
       CASE WHEN NOT late THEN ($3::timestamptz + interval '1 day')::date END, CASE WHEN late THEN $3::timestamptz - interval '2 hours' END, 'UTC',
       until, 'US', $3::timestamptz - interval '5 days', until + interval '1 day'
     FROM (SELECT n, late, CASE WHEN late THEN $3::timestamptz - interval '2 hours' ELSE date_trunc('day', $3::timestamptz) + interval '2 days' END AS until
       FROM (SELECT n, n % 100 < $4::int AS late FROM generate_series(0, $1::int - 1) n) x) y`,
    [orders, customers, at, MIXES[mix].latePercent],
  );
  await query(
    `INSERT INTO shipments (id, order_id, position, carrier, carrier_key, tracking_number, tracking_key, service)
     SELECT gen_random_uuid(), id, 0, 'UPS', 'ups', '1Z' || lpad(substr(id, 3), 16, '0'), '1Z' || lpad(substr(id, 3), 16, '0'), 'Ground' FROM orders`,
  );
  // Else the program finds at its start that the sweep of last night is missing, and judges all of them before their webhooks do.
  await query(
    'INSERT INTO sweep_runs (id, started_at, finished_at, as_of) SELECT gen_random_uuid(), at, at, at FROM (SELECT $1::timestamptz AS at) x',
    [new Date(at.getTime() - 60 * MINUTE)],
  );
}

/** The webhooks, signed, in the order in which they are sent. */
export function signedWebhooks(mix, events, at = startOfRun()) {
  const { perParcel } = MIXES[mix];
  const startedAt = at.getTime();
  const requests = [];
  for (const { parcel, nth } of arrivals(ordersOf(mix, events), perParcel, events)) {
    const rawBody = Buffer.from(JSON.stringify(trackerEvent(parcel, nth, perParcel, startedAt)));
    const headers = easypost.sign({ rawBody, secret: SECRET, now: new Date(startedAt) });
    requests.push({ parcel, rawBody, headers: { ...headers, 'content-type': 'application/json' } });
  }
  return requests;
}

/**
 * As a day's rounds bring them: the first webhook of every parcel, then the second of every parcel, the parcels each time in much the same
 * order. Two of one parcel that follow close on each other are as rare as they are in life, where hours lie between.
 */
function arrivals(parcels, perParcel, events) {
  let state = SEED;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const all = Array.from({ length: parcels }, (_, parcel) => ({ parcel, place: random() })).flatMap(
    ({ parcel, place }) =>
      Array.from({ length: perParcel }, (_, index) => ({
        parcel,
        nth: index + 1,
        at: index + 0.9 * place + 0.1 * random(),
      })),
  );
  return all.sort((one, other) => one.at - other.at).slice(0, events);
}

/** The tracker as it stands when its nth webhook is sent; of one webhook a parcel, with the delivery alone. */
function trackerEvent(parcel, nth, perParcel, startedAt) {
  const all = TEMPLATE.result.tracking_details.map((detail, index) => ({
    ...detail,
    datetime: new Date(startedAt - SCANNED_BEFORE[index] * MINUTE - (parcel % 40) * MINUTE).toISOString(),
  }));
  const details = perParcel === 1 ? all.slice(-1) : all.slice(0, nth);
  const last = details.at(-1);
  const name = `${String(parcel).padStart(26, '0')}${String(nth).padStart(6, '0')}`;
  return {
    ...TEMPLATE,
    id: `evt_${name}`,
    created_at: last.datetime,
    updated_at: last.datetime,
    result: {
      ...TEMPLATE.result,
      id: `trk_${String(parcel).padStart(32, '0')}`,
      tracking_code: `1Z${String(parcel).padStart(16, '0')}`,
      status: last.status,
      status_detail: last.status_detail,
      created_at: all[0].datetime,
      updated_at: last.datetime,
      est_delivery_date: `${all.at(-1).datetime.slice(0, 10)}T00:00:00Z`,
      tracking_details: details,
      carrier_detail: {
        ...TEMPLATE.result.carrier_detail,
        est_delivery_date_local: all.at(-1).datetime.slice(0, 10),
      },
    },
  };
}

const expectations = new Map();

/** What must stand in the database when all of it is through, counted from the mix alone. */
export function expectedOf(mix, events) {
  const key = `${mix} ${events}`;
  const known = expectations.get(key) ?? count(mix, events);
  expectations.set(key, known);
  return known;
}

function count(mix, events) {
  const { perParcel, latePercent } = MIXES[mix];
  const orders = ordersOf(mix, events);
  // Awards are earned by the delivery, which is what the last webhook of a parcel tells.
  const last = arrivals(orders, perParcel, events).filter(({ nth }) => nth === perParcel);
  return { orders, scans: events, awards: last.filter(({ parcel }) => parcel % 100 < latePercent).length };
}
