import type pg from 'pg';

/** The role that the application works as: it can do what the application does, and cannot rewrite history. */
export const APP_ROLE = 'makegood_app';

const SELECT = ['SELECT'];
const APPEND = ['SELECT', 'INSERT'];
const CHANGE = ['SELECT', 'INSERT', 'UPDATE'];
const ALL = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];

/** What is less than everything. Lots are written by the posting of entries alone, with the rights of the owner. */
const FEWER_RIGHTS: Readonly<Record<string, readonly string[]>> = {
  _prisma_migrations: SELECT,
  audit: APPEND,
  awards: CHANGE,
  event_deliveries: CHANGE,
  event_endpoints: CHANGE,
  events: APPEND,
  ledger_accounts: APPEND,
  ledger_entries: APPEND,
  ledger_lot_uses: SELECT,
  ledger_lots: SELECT,
  ledger_transfers: APPEND,
  policy_versions: APPEND,
  reported_incidents: APPEND,
  signing_keys: APPEND,
  verdicts: APPEND,
};
const rightsOn = (table: string): readonly string[] => FEWER_RIGHTS[table] ?? ALL;

/** How the role stands: `ready`, `absent` (it could not be made, or this user may not become it), `incomplete` rights. */
export type AppRoleState = 'ready' | 'absent' | 'incomplete';

type Client = Pick<pg.ClientBase, 'query'>;

/** Whether this user may become the role. Before PostgreSQL 16 every member may. */
const MAY_BECOME = `pg_has_role(current_user, r.oid, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)`;

/** How the role stands, by what the database itself says of its rights; one round trip. */
export async function inspectAppRole(client: Client): Promise<AppRoleState> {
  const { rights, mayBecome } = await loadRights(client);
  if (!mayBecome) return 'absent';
  return rights.every(isRight) ? 'ready' : 'incomplete';
}

/**
 * Sees that the role is there with exactly its rights; called after migrations, by whoever owns the tables. Several processes
 * may do so at once: in one database one after the other, of several databases in one cluster in any order.
 * @returns how it stands then: without the right to make roles the application goes on as the owner, and only triggers guard
 */
export async function ensureAppRole(client: Client): Promise<AppRoleState> {
  if ((await inspectAppRole(client)) === 'ready') return 'ready';
  try {
    await tolerant(client, `CREATE ROLE ${APP_ROLE} NOLOGIN`, ROLE_EXISTS);
    if (!(await loadRights(client)).mayBecome) await tolerant(client, `GRANT ${APP_ROLE} TO CURRENT_USER`);
    const { rights } = await loadRights(client);
    const wrong = rights.filter((right) => !isRight(right)).map(({ table }) => table);
    const statements = wrong.map(
      (table) =>
        `REVOKE ALL ON "${table}" FROM ${APP_ROLE}; GRANT ${rightsOn(table).join(', ')} ON "${table}" TO ${APP_ROLE};`,
    );
    // One message is one transaction: nobody sees the role with half of its rights.
    await tolerant(client, [`GRANT USAGE ON SCHEMA public TO ${APP_ROLE};`, ...statements].join('\n'));
  } catch (error) {
    if (codeOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
  }
  return inspectAppRole(client);
}

/**
 * For a new session of the application: becomes the role where it is there and has its rights in this database. Where it has not
 * (tables that nobody has migrated yet, a user who may not make roles), the session stays with the user of the URL.
 */
export async function becomeAppRole(client: Client, { timeoutMs }: { timeoutMs: number }): Promise<void> {
  await client.query({
    text: `SELECT set_config('role', r.rolname, false) FROM pg_roles r WHERE r.rolname = '${APP_ROLE}' AND ${MAY_BECOME}
      AND has_table_privilege(r.oid, to_regclass('public.orders'), 'UPDATE')`,
    query_timeout: timeoutMs,
  } as pg.QueryConfig);
}

interface TableRights {
  readonly table: string;
  readonly rights: readonly string[];
}

async function loadRights(client: Client): Promise<{ rights: readonly TableRights[]; mayBecome: boolean }> {
  const { rows } = await client.query(
    `SELECT ${MAY_BECOME} AS "mayBecome", (
       SELECT coalesce(jsonb_agg(jsonb_build_object('table', c.relname, 'rights', (
         SELECT coalesce(jsonb_agg(p), '[]') FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) p
         WHERE has_table_privilege(r.oid, c.oid, p)))), '[]')
       FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')) AS rights
     FROM pg_roles r WHERE r.rolname = '${APP_ROLE}'`,
  );
  return rows[0] ?? { rights: [], mayBecome: false };
}

function isRight({ table, rights }: TableRights): boolean {
  const wanted = rightsOn(table);
  return rights.length === wanted.length && rights.every((right) => wanted.includes(right));
}

const INSUFFICIENT_PRIVILEGE = '42501';
const ROLE_EXISTS = ['42710', '23505'];
/** Another process changes the same row of a catalog at this moment: it has no code of its own. */
const UPDATED_AT_ONCE = 'XX000';
const TRIES = 20;

async function tolerant(client: Client, sql: string, tolerated: readonly string[] = []): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(sql);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (tolerated.includes(code)) return;
      if ((code !== UPDATED_AT_ONCE && code !== '23505') || attempt === TRIES) throw error;
    }
  }
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code);
}
