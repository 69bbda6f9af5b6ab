import { isTimeZone } from './calendar.js';
import { keySetFault, keySetSettingsOf } from './carriers/key-set-setting.js';
import { CARRIERS } from './carriers/registry.js';
import { AppError, type FieldError } from './errors.js';
import { parseMailbox } from './messages/address.js';
import { parseSmtpUrl } from './messages/smtp-url.js';
import { isCronPattern } from './queue/cron.js';

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string;
  readonly dataDir: string;
  /** null: PostgreSQL is embedded, in dataDir. */
  readonly databaseUrl: string | null;
  /** null: BullMQ works on PostgreSQL. */
  readonly redisUrl: string | null;
  /** null: letters stay in the local mailbox. */
  readonly smtpUrl: string | null;
  readonly mailFrom: string;
  readonly shopName: string;
  readonly adminApiKey: string | null;
  readonly policyFile: string | null;
  readonly sweepCron: string;
  readonly sweepTimeZone: string;
  /** By source: the secrets of which any may match. A source without one is not configured. */
  readonly webhookSecrets: ReadonlyMap<string, readonly string[]>;
  readonly logLevel: string;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Fewer characters can be guessed by asking. */
const MIN_KEY_LENGTH = 8;

/**
 * Reads the environment once; .env.example says what each variable means. An empty variable counts as unset.
 * @throws AppError `invalid_request` that lists every fault at once
 */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const errors: FieldError[] = [];
  const refuse = (field: string, message: string) => errors.push({ field, message });
  const text = (name: string): string | null => environment[name]?.trim() || null;

  const port = Number(text('PORT') ?? 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    refuse('PORT', 'must be a port number from 0 to 65535 (0: any free one)');
  const host = text('HOST') ?? '127.0.0.1';
  const url = (name: string, protocols: readonly string[]): string | null => {
    const value = text(name);
    if (value === null) return null;
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      refuse(name, `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return value;
  };
  const mailFrom = text('MAIL_FROM') ?? 'Customer Care <care@shop.example>';
  if (parseMailbox(mailFrom) === null) {
    refuse('MAIL_FROM', 'must be one address, as care@shop.example or Customer Care <care@shop.example>');
  }
  const adminApiKey = text('ADMIN_API_KEY');
  if (adminApiKey !== null && adminApiKey.length < MIN_KEY_LENGTH) {
    refuse('ADMIN_API_KEY', `must have at least ${MIN_KEY_LENGTH} characters`);
  }
  const sweepTimeZone = text('SWEEP_TIME_ZONE') ?? 'UTC';
  if (!isTimeZone(sweepTimeZone)) refuse('SWEEP_TIME_ZONE', 'must be an IANA time zone such as Europe/Berlin');
  const sweepCron = text('SWEEP_CRON') ?? '30 2 * * *';
  if (!isCronPattern(sweepCron)) refuse('SWEEP_CRON', 'must be a cron pattern of five fields such as 30 2 * * *');
  const logLevel = text('LOG_LEVEL') ?? 'info';
  if (!LOG_LEVELS.includes(logLevel)) refuse('LOG_LEVEL', `must be one of ${LOG_LEVELS.join(', ')}`);

  const smtpUrl = text('SMTP_URL');
  try {
    if (smtpUrl !== null) parseSmtpUrl(smtpUrl);
  } catch (error) {
    refuse('SMTP_URL', (error as Error).message);
  }

  const webhookSecrets = new Map<string, readonly string[]>();
  for (const { source, secretVariable, secretKind } of CARRIERS) {
    const value = text(secretVariable);
    if (value === null) continue;
    const secrets =
      secretKind === 'key_set' ? keySetSettingsOf(value) : value.split(',').map((secret) => secret.trim());
    if (secrets.some((secret) => secret === '')) refuse(secretVariable, 'has an empty secret between its commas');
    const faults = secretKind === 'key_set' ? secrets.map(keySetFault) : [];
    for (const fault of new Set(faults)) if (fault !== null) refuse(secretVariable, fault);
    webhookSecrets.set(source, secrets);
  }

  const config: Config = {
    port,
    host,
    publicUrl: url('PUBLIC_URL', ['http:', 'https:']) ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    dataDir: text('DATA_DIR') ?? '.data',
    databaseUrl: url('DATABASE_URL', ['postgresql:', 'postgres:']),
    redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
    smtpUrl,
    mailFrom,
    shopName: text('SHOP_NAME') ?? 'the shop',
    adminApiKey,
    policyFile: text('POLICY_FILE'),
    sweepCron,
    sweepTimeZone,
    webhookSecrets,
    logLevel,
  };
  if (errors.length > 0) {
    throw new AppError('invalid_request', 'The environment is not right. .env.example says what each variable means.', {
      errors,
    });
  }
  return config;
}
