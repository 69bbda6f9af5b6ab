import { type Config, readConfig } from '../../config.js';
import { openDatabase } from '../../db/database.js';
import { findPendingMigrations } from '../../db/migrate.js';
import { loadServerFacts, type ServerFacts } from '../../db/server-facts-store.js';
import { AppError } from '../../errors.js';
import { createLogger } from '../../logger.js';
import { loadLetterTexts } from '../../messages/load-letter-texts.js';
import { checkMailServer } from '../../messages/mailer.js';
import { openRedisBackend } from '../../queue/backend.js';
import { type Check, fault, ok, reasonOf, warning } from '../doctor/check.js';
import { checkAppRole, checkClock, checkSchema, checkServer, checkWork } from '../doctor/check-database.js';
import { checkSources, checkWhatSourcesSaid } from '../doctor/check-sources.js';
import { hasDatabase, openDatabaseUrl } from '../session.js';

export interface DoctorAnswer {
  /** No fault; there may be warnings. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

/** `makegood doctor`: looks at everything that makegood stands on, changes nothing, and says what is wrong. */
export async function doctorCommand(): Promise<DoctorAnswer> {
  const checks: Check[] = [];
  const config = readEnvironment(checks);
  if (config !== null) {
    const [sources, mail, texts] = await Promise.all([checkSources(config), checkMail(config), checkTexts(config)]);
    checks.push(...(await checkStores(config)), mail, ...texts, ...sources);
  }
  return { ok: checks.every(({ status }) => status !== 'fault'), checks };
}

function readEnvironment(checks: Check[]): Config | null {
  const advice = '.env.example says what each variable means';
  try {
    const config = readConfig(process.env);
    checks.push(ok('configuration', `HTTP at ${config.publicUrl}`));
    return config;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    checks.push(...error.errors.map(({ field, message }) => fault('configuration', `${field} ${message}`, advice)));
    return null;
  }
}

async function checkStores(config: Config): Promise<Check[]> {
  if (!(await hasDatabase(config))) {
    const detail = `there is none in ${config.dataDir} yet`;
    return [warning('database', detail, 'npm start makes it, or set DATABASE_URL to one of yours')];
  }
  let database: Awaited<ReturnType<typeof openDatabaseUrl>>;
  try {
    database = await openDatabaseUrl(config);
  } catch (error) {
    return [fault('database', reasonOf(error), 'see that DATA_DIR can be written to and no other process is in it')];
  }
  const db = openDatabase(database.url, { poolSize: 2, onError: () => {} });
  const checks: Check[] = [];
  try {
    const facts = await loadServerFacts(db.pool);
    checks.push(
      checkServer(facts),
      checkSchema(await findPendingMigrations(database.url)),
      await checkClock(db.pool),
      await checkQueue(config, facts),
    );
    // A database that was never started on has no tables of ours yet.
    if (facts.hasTables)
      checks.push(await checkAppRole(db.pool), ...(await checkWork(db.pool)), ...(await checkWhatSourcesSaid(db.pool)));
  } catch (error) {
    checks.push(fault('database', reasonOf(error), 'see that it runs, and that DATABASE_URL is right'));
  } finally {
    await db.close();
    await database.close();
  }
  return checks;
}

async function checkQueue({ redisUrl }: Config, { hasQueue }: ServerFacts): Promise<Check> {
  if (redisUrl === null) {
    return ok('queue', hasQueue ? 'BullMQ on PostgreSQL' : 'BullMQ on PostgreSQL, to be made by the first start');
  }
  const backend = openRedisBackend(redisUrl, { log: createLogger('silent') });
  try {
    await backend.prepare();
    await backend.check();
    return ok('queue', 'BullMQ on Redis');
  } catch (error) {
    return fault('queue', reasonOf(error), 'see that it runs, and that REDIS_URL is right');
  } finally {
    await backend.close();
  }
}

async function checkMail({ smtpUrl }: Config): Promise<Check> {
  if (smtpUrl === null) {
    const detail = 'no SMTP_URL: letters stay in the local mailbox and reach nobody';
    return warning('mail', detail, 'set SMTP_URL before real customers are to read them');
  }
  try {
    await checkMailServer(smtpUrl);
    return ok('mail', 'the mail server lets us in');
  } catch (error) {
    return fault('mail', reasonOf(error), 'see that SMTP_URL names the right server, user and password');
  }
}

async function checkTexts({ letterTextsDir }: Config): Promise<Check[]> {
  try {
    const texts = await loadLetterTexts(letterTextsDir);
    return [ok('letters', `their texts are whole, in ${[...texts.keys()].join(', ')}`)];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const advice = 'mend the text; makegood mail preview shows whether it is right';
    return error.errors.map(({ field, message }) => fault('letters', `${field}: ${message}`, advice));
  }
}

const SIGNS = { ok: '✓', warning: '!', fault: '✗' } as const;

export function describeDoctor({ checks }: DoctorAnswer): string {
  const lines = checks.map(({ name, status, detail, advice }) => {
    const line = `${SIGNS[status]} ${name}: ${detail}`;
    return advice === null ? line : `${line}\n    ${advice}`;
  });
  const count = (wanted: 'fault' | 'warning') => {
    const found = checks.filter(({ status }) => status === wanted).length;
    return `${found} ${wanted}${found === 1 ? '' : 's'}`;
  };
  return [...lines, '', `${count('fault')}, ${count('warning')}.`].join('\n');
}
