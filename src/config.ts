import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Role } from './auth/roles.js';
import { REMEDY_PROVIDERS, type RemedyProvider } from './awards/remedy-providers.js';
import { isTimeZone } from './calendar.js';
import { keySetFault, keySetSettingsOf } from './carriers/key-set-setting.js';
import { CARRIERS } from './carriers/registry.js';
import type { AwardKind } from './compensation/award.js';
import { AppError, type FieldError } from './errors.js';
import { parseMailbox } from './messages/address.js';
import { parseSmtpUrl } from './messages/smtp-url.js';
import { SERVICE_LETTERS, type ServiceLetter } from './promises/notice-kinds.js';
import { isCronPattern } from './queue/cron.js';

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly publicUrl: string;
  /** Who may say by X-Forwarded-For for whom they ask: so many proxies, or those at these addresses; null: nobody. */
  readonly trustProxy: number | readonly string[] | null;
  /** The most in a minute, of one process; 0: any number. */
  readonly rateLimits: RateLimitSettings;
  readonly dataDir: string;
  /** null: PostgreSQL is embedded, in dataDir. */
  readonly databaseUrl: string | null;
  /** null: BullMQ works on PostgreSQL. */
  readonly redisUrl: string | null;
  /** null: letters stay in the local mailbox. */
  readonly smtpUrl: string | null;
  readonly mailFrom: string;
  /** Where answers of customers go; null: to the sender. */
  readonly mailReplyTo: string | null;
  /** Who signs letters; null: the team. `senior` where things went wrong again. */
  readonly signers: { readonly usual: Signer | null; readonly senior: Signer | null };
  /** A folder with texts of letters in place of those that are shipped; null: none. */
  readonly letterTextsDir: string | null;
  /** Letters besides those that make up for something. */
  readonly serviceLetters: ReadonlySet<ServiceLetter>;
  /** Local times of whom a letter is for, `HH:MM`, between which none leaves; null: letters leave at any time. */
  readonly quietHours: { readonly from: string; readonly until: string } | null;
  /** Mails in a minute, of all processes together; 0: any number. */
  readonly mailsPerMinute: number;
  /** Apologies to one customer within 14 days; what is beyond waits for a person. 0: any number. */
  readonly apologyLimit: number;
  /** What becomes of a letter whose handover ended without an answer: a person decides, or one copy goes out by itself. */
  readonly unknownLetters: 'ask' | 'resend';
  /** How letters are signed with DKIM; `privateKey` is PEM. null: they are not. */
  readonly dkim: { readonly domain: string; readonly selector: string; readonly privateKey: string } | null;
  /** Whether events may be sent to private addresses. */
  readonly allowsPrivateAddresses: boolean;
  readonly shopName: string;
  readonly adminApiKey: string | null;
  readonly policyFile: string | null;
  readonly sweepCron: string;
  readonly sweepTimeZone: string;
  /** By source: the secrets of which any may match. A source without one is not configured. */
  readonly webhookSecrets: ReadonlyMap<string, readonly string[]>;
  /** Who carries out which remedy; a kind that is missing is carried out by nobody yet. */
  readonly remedyProviders: ReadonlyMap<AwardKind, RemedyProvider>;
  /** The shop's own system that carries out awards; null: none. The first secret is the newest. */
  readonly awardWebhook: { readonly url: string; readonly secrets: readonly string[] } | null;
  readonly stripe: { readonly apiKey: string; readonly apiUrl: string } | null;
  readonly shopify: { readonly shopUrl: string; readonly accessToken: string } | null;
  readonly logLevel: string;
}

/** A person as letters name them: `Jana Keller`, `Customer Care`. */
export interface Signer {
  readonly name: string;
  readonly role: string | null;
}

/** By role: requests with one key. */
interface RateLimitSettings extends Readonly<Record<Role, number>> {
  /** Of one source from one address. */
  readonly webhooks: number;
  /** From one address, with keys that are wrong or missing. */
  readonly wrongKeys: number;
  /** With one key, for what its role is not for. */
  readonly refusals: number;
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

  const mailReplyTo = text('MAIL_REPLY_TO');
  if (mailReplyTo !== null && parseMailbox(mailReplyTo) === null) {
    refuse('MAIL_REPLY_TO', 'must be one address, as help@shop.example, and somebody has to read it');
  }
  const letterTextsDir = text('MAIL_TEXTS_DIR');
  const serviceLetters = readServiceLetters(text('SERVICE_LETTERS'), refuse);
  const quietHours = readQuietHours(text('QUIET_HOURS'), refuse);
  const wholeNumber = (name: string, usual: number, message: string): number => {
    const value = Number(text(name) ?? usual);
    if (!Number.isSafeInteger(value) || value < 0) refuse(name, message);
    return value;
  };
  const unknownLetters = text('UNKNOWN_LETTERS') ?? 'ask';
  if (unknownLetters !== 'ask' && unknownLetters !== 'resend') {
    refuse('UNKNOWN_LETTERS', 'must be ask (a person decides) or resend (one copy goes out by itself)');
  }
  const privateAddresses = text('OUTBOUND_PRIVATE_ADDRESSES') ?? 'deny';
  if (privateAddresses !== 'deny' && privateAddresses !== 'allow') {
    refuse('OUTBOUND_PRIVATE_ADDRESSES', 'must be deny or allow');
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

  const providers = readProviders(text, url, refuse);
  const trustProxy = readTrustProxy(text('TRUST_PROXY'));
  if (trustProxy === 'fault') {
    refuse(
      'TRUST_PROXY',
      `must be how many proxies stand before this server, from 1 to ${MAX_PROXIES}, or their addresses, as 10.0.0.0/8, 192.0.2.7; never all addresses`,
    );
  }
  const perMinute = (name: string, usual: number): number => {
    const limit = Number(text(name) ?? usual);
    if (!Number.isSafeInteger(limit) || limit < 0)
      refuse(name, 'must be a whole number, the most in a minute (0: any number)');
    return limit;
  };
  const forPeople = perMinute('RATE_LIMIT_AGENT', 12_000);

  const config: Config = {
    port,
    host,
    publicUrl:
      publicUrlOf(url('PUBLIC_URL', ['http:', 'https:']), refuse) ??
      `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    trustProxy: trustProxy === 'fault' ? null : trustProxy,
    rateLimits: {
      webhooks: perMinute('RATE_LIMIT_WEBHOOKS', 3_000_000),
      ingest: perMinute('RATE_LIMIT_INGEST', 1_200_000),
      agent: forPeople,
      supervisor: forPeople,
      admin: perMinute('RATE_LIMIT_ADMIN', 1_200_000),
      wrongKeys: perMinute('RATE_LIMIT_WRONG_KEYS', 3_000),
      refusals: perMinute('RATE_LIMIT_REFUSALS', 600),
    },
    dataDir: text('DATA_DIR') ?? '.data',
    databaseUrl: url('DATABASE_URL', ['postgresql:', 'postgres:']),
    redisUrl: url('REDIS_URL', ['redis:', 'rediss:']),
    smtpUrl,
    mailFrom,
    mailReplyTo,
    signers: { usual: signerOf(text('MAIL_SIGNED_BY')), senior: signerOf(text('MAIL_SIGNED_BY_SENIOR')) },
    letterTextsDir,
    serviceLetters,
    quietHours,
    mailsPerMinute: wholeNumber('MAIL_RATE', 0, 'must be a whole number, the most in a minute (0: any number)'),
    apologyLimit: wholeNumber(
      'APOLOGY_LIMIT',
      2,
      'must be a whole number, the most to one customer within 14 days (0: any number)',
    ),
    unknownLetters: unknownLetters === 'resend' ? 'resend' : 'ask',
    dkim: readDkim(text, refuse),
    allowsPrivateAddresses: privateAddresses === 'allow',
    shopName: text('SHOP_NAME') ?? 'the shop',
    adminApiKey,
    policyFile: text('POLICY_FILE'),
    sweepCron,
    sweepTimeZone,
    webhookSecrets,
    ...providers,
    logLevel,
  };
  if (errors.length > 0) {
    throw new AppError('invalid_request', 'The environment is not right. .env.example says what each variable means.', {
      errors,
    });
  }
  return config;
}

/** As links begin: in ASCII, without a slash at its end. */
function publicUrlOf(value: string | null, refuse: (field: string, message: string) => void): string | null {
  if (value === null || !URL.canParse(value)) return null;
  const { href, search, hash } = new URL(value);
  if (search !== '' || hash !== '') refuse('PUBLIC_URL', 'must end with its path: links in letters go on from there');
  return href.replace(/\/+$/, '');
}

/** `Jana Keller, Customer Care`: the name, and after the first comma what the person does. */
function signerOf(value: string | null): Signer | null {
  if (value === null) return null;
  const [name = '', ...role] = value.split(',');
  return { name: name.trim(), role: role.join(',').trim() || null };
}

function readServiceLetters(
  value: string | null,
  refuse: (field: string, message: string) => void,
): ReadonlySet<ServiceLetter> {
  if (value === null) return new Set(['at-risk']);
  if (value === 'none') return new Set();
  const known: readonly string[] = SERVICE_LETTERS;
  const names = value.split(',').map((name) => name.trim());
  if (!names.every((name) => known.includes(name))) {
    refuse('SERVICE_LETTERS', `must be none, or some of ${SERVICE_LETTERS.join(', ')}, separated by commas`);
  }
  return new Set(SERVICE_LETTERS.filter((name) => names.includes(name)));
}

/** `21:00-08:00`. */
function readQuietHours(value: string | null, refuse: (field: string, message: string) => void): Config['quietHours'] {
  if (value === null) return null;
  const [, from = '', until = ''] = /^((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)$/.exec(value) ?? [];
  if (from === until) {
    refuse('QUIET_HOURS', 'must be two different times of the day, as 21:00-08:00');
    return null;
  }
  return { from, until };
}

function readDkim(
  text: (name: string) => string | null,
  refuse: (field: string, message: string) => void,
): Config['dkim'] {
  const [domain, selector, file] = [text('DKIM_DOMAIN'), text('DKIM_SELECTOR'), text('DKIM_KEY_FILE')];
  if (domain === null && selector === null && file === null) return null;
  for (const [name, value] of Object.entries({ DKIM_DOMAIN: domain, DKIM_SELECTOR: selector, DKIM_KEY_FILE: file })) {
    if (value === null) refuse(name, 'must be set too: DKIM needs DKIM_DOMAIN, DKIM_SELECTOR and DKIM_KEY_FILE');
  }
  if (domain === null || selector === null || file === null) return null;
  try {
    const privateKey = readFileSync(file, 'utf8');
    if (createPrivateKey(privateKey).asymmetricKeyType === 'rsa') return { domain, selector, privateKey };
  } catch {
    // Said below.
  }
  refuse('DKIM_KEY_FILE', 'must be a file with an RSA private key as PEM');
  return null;
}

/** More proxies stand in no row; a larger number is a mistake. */
const MAX_PROXIES = 10;

/** null: nobody is trusted. `fault`: not what can be trusted; all addresses are not, because then anybody is whom they say. */
function readTrustProxy(value: string | null): Config['trustProxy'] | 'fault' {
  if (value === null) return null;
  if (/^\d+$/.test(value)) return Number(value) >= 1 && Number(value) <= MAX_PROXIES ? Number(value) : 'fault';
  const addresses = value.split(',').map((address) => address.trim());
  return addresses.every(isAddressOrRange) ? addresses : 'fault';
}

/** `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
function isAddressOrRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  // Node takes a zone (`fe80::1%eth0`) for part of an address; it says nothing of others.
  if (family === 0 || address.includes('%') || more.length > 0) return false;
  return bits === undefined || (/^[1-9]\d*$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

type Providers = Pick<Config, 'remedyProviders' | 'awardWebhook' | 'stripe' | 'shopify'>;

/** Who carries out awards. A provider that is named and not set up is a fault: its awards would wait for ever. */
function readProviders(
  text: (name: string) => string | null,
  url: (name: string, protocols: readonly string[]) => string | null,
  refuse: (field: string, message: string) => void,
): Providers {
  const both = (one: string, other: string): boolean => {
    const given = [one, other].filter((name) => text(name) !== null);
    if (given.length === 1) refuse(given[0] === one ? other : one, `must be set too, where ${given[0]} is`);
    return given.length === 2;
  };
  const webhookUrl = url('AWARD_WEBHOOK_URL', ['http:', 'https:']);
  const hasWebhook = both('AWARD_WEBHOOK_URL', 'AWARD_WEBHOOK_SECRET');
  const secrets = (text('AWARD_WEBHOOK_SECRET') ?? '').split(',').map((secret) => secret.trim());
  if (hasWebhook && !secrets.every(isWebhookSecret)) {
    refuse('AWARD_WEBHOOK_SECRET', 'must be whsec_ and 24 to 64 bytes in base64; several are separated by commas');
  }
  const stripeUrl = url('STRIPE_API_URL', ['http:', 'https:']);
  const stripeKey = text('STRIPE_API_KEY');
  const shopUrl = url('SHOPIFY_SHOP_URL', ['http:', 'https:']);
  const hasShopify = both('SHOPIFY_SHOP_URL', 'SHOPIFY_ACCESS_TOKEN');
  const ready: Record<RemedyProvider, boolean> = {
    ledger: true,
    webhook: hasWebhook,
    stripe: stripeKey !== null,
    shopify: hasShopify,
  };

  const remedyProviders = new Map<AwardKind, RemedyProvider>(
    (Object.entries(REMEDY_PROVIDERS) as [AwardKind, readonly RemedyProvider[]][]).flatMap(([kind, able]) =>
      able.includes('ledger') ? [[kind, 'ledger'] as const] : [],
    ),
  );
  for (const pair of (text('REMEDY_PROVIDERS') ?? '').split(',').filter((part) => part.trim() !== '')) {
    const [kind = '', provider = ''] = pair.split('=').map((side) => side.trim());
    const able = (REMEDY_PROVIDERS as Record<string, readonly string[]>)[kind];
    if (!able) {
      refuse('REMEDY_PROVIDERS', `names ${kind}, and there are: ${Object.keys(REMEDY_PROVIDERS).join(', ')}`);
    } else if (!able.includes(provider)) {
      refuse('REMEDY_PROVIDERS', `${kind} can be carried out by ${able.join(', ')}, not by ${provider || 'nobody'}`);
    } else if (!ready[provider as RemedyProvider]) {
      refuse('REMEDY_PROVIDERS', `names ${provider} for ${kind}, and ${provider} is not set up`);
    } else {
      remedyProviders.set(kind as AwardKind, provider as RemedyProvider);
    }
  }
  return {
    remedyProviders,
    awardWebhook: hasWebhook && webhookUrl !== null ? { url: webhookUrl, secrets } : null,
    stripe: stripeKey === null ? null : { apiKey: stripeKey, apiUrl: stripeUrl ?? 'https://api.stripe.com' },
    shopify: hasShopify && shopUrl !== null ? { shopUrl, accessToken: text('SHOPIFY_ACCESS_TOKEN') ?? '' } : null,
  };
}

/** As Standard Webhooks writes them: `whsec_` and 24 to 64 bytes in base64. */
function isWebhookSecret(secret: string): boolean {
  const [, encoded] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? [];
  if (encoded === undefined) return false;
  const { length } = Buffer.from(encoded, 'base64');
  return length >= 24 && length <= 64;
}

/** DATA_DIR as an absolute path. */
export function dataDirOf(config: Config): string {
  return resolve(config.dataDir);
}
