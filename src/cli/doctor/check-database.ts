import { systemClock } from '../../clock.js';
import { APP_ROLE, inspectAppRole } from '../../db/app-role.js';
import type { Sql } from '../../db/database.js';
import { readNow } from '../../db/now.js';
import type { ServerFacts } from '../../db/server-facts-store.js';
import { countStuckTickets, countTickets } from '../../queue/outbox-store.js';
import { type Check, fault, ok, warning } from './check.js';

/** What CI has seen makegood run on. */
const OLDEST_POSTGRES = 15;
/** Clocks a second apart are as good as clocks get; a minute apart, signed times of webhooks begin to be refused. */
const CLOCK_WARNING_MS = 2_000;
const CLOCK_FAULT_MS = 60_000;
/** A ticket that waits longer waits for somebody who is not there. */
const STUCK_AFTER_MINUTES = 10;

/** The server: its version, and whether what it says is stored is stored. */
export function checkServer({ major, version, fsync, synchronousCommit, isReplica }: ServerFacts): Check {
  if (major < OLDEST_POSTGRES) {
    return fault('database', `PostgreSQL ${version}`, `makegood needs PostgreSQL ${OLDEST_POSTGRES} or newer`);
  }
  if (isReplica) {
    return fault('database', 'it is a replica, which cannot be written to', 'let DATABASE_URL name the primary');
  }
  const off = fsync === 'off' ? 'fsync' : synchronousCommit === 'off' ? 'synchronous_commit' : null;
  if (off === null) return ok('database', `PostgreSQL ${version}`);
  return fault('database', `${off} is off: what was acknowledged can be lost in a crash`, `set ${off} to on`);
}

export function checkSchema(pending: readonly string[]): Check {
  if (pending.length === 0) return ok('schema', 'up to date');
  return warning('schema', `not applied yet: ${pending.join(', ')}`, 'makegood migrate, or start makegood');
}

/** Whether what must not be rewritten is kept from the application itself. */
export async function checkAppRole(sql: Sql): Promise<Check> {
  const state = await inspectAppRole(sql);
  if (state === 'ready')
    return ok('role', `the application works as ${APP_ROLE}, which cannot rewrite ledger and audit`);
  const detail = `the application works as the owner of its tables: ${APP_ROLE} ${state === 'absent' ? 'could not be made' : 'has not the rights that it should have'}; triggers alone guard ledger and audit`;
  return warning(
    'role',
    detail,
    'give the user of DATABASE_URL CREATEROLE, or have the role made and granted to it, and start again',
  );
}

/** This machine's clock beside the database's, which is the one that decides. */
export async function checkClock(sql: Sql): Promise<Check> {
  const before = Date.now();
  const databaseNow = await readNow(sql, systemClock);
  const difference = Math.round(databaseNow.getTime() - (before + Date.now()) / 2);
  const apart = Math.abs(difference);
  const detail = `${(apart / 1000).toFixed(1)} s ${difference > 0 ? 'behind' : 'ahead of'} the database`;
  const advice = 'set the clocks of both machines by NTP: signed times of webhooks are read by this one';
  if (apart > CLOCK_FAULT_MS) return fault('clock', detail, advice);
  return apart > CLOCK_WARNING_MS ? warning('clock', detail, advice) : ok('clock', 'agrees with the database');
}

/** The work that waits, and the work that was set aside. */
export async function checkWork(sql: Sql): Promise<Check[]> {
  const counts = await countTickets(sql);
  const stuck = await countStuckTickets(sql, STUCK_AFTER_MINUTES);
  const waiting = counts.reduce((sum, stage) => sum + stage.waiting, 0);
  const parked = counts.flatMap((stage) => (stage.parked > 0 ? `${stage.parked} of ${stage.stage}` : []));
  const checks = [
    stuck > 0
      ? warning(
          'work',
          `${stuck} tickets have waited for more than ${STUCK_AFTER_MINUTES} minutes`,
          'see that npm run worker or npm start is running, and its log',
        )
      : ok('work', `${waiting} tickets wait`),
  ];
  if (parked.length > 0) {
    const advice = 'the column error of the table outbox says why';
    checks.push(warning('work', `set aside with an error: ${parked.join(', ')}`, advice));
  }
  return checks;
}
