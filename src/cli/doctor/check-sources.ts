import type { CarrierAdapter } from '../../carriers/adapter.js';
import { isKeySetDocument } from '../../carriers/key-set-setting.js';
import { CARRIERS } from '../../carriers/registry.js';
import type { Config } from '../../config.js';
import type { Sql } from '../../db/database.js';
import { loadHandshakes } from '../../inbox/handshake-store.js';
import { fetchKeySet } from '../../inbox/key-sets.js';
import { loadUnknownCodes } from '../../inbox/unknown-code-store.js';
import { type Check, fault, ok, reasonOf, warning } from './check.js';

/** Fewer characters can be found by trying. */
const SHORTEST_SECRET = 16;
/** More would hide the rest of the answer; the table has them all. */
const CODES_SHOWN = 20;

/** Each source that is configured: its keys, and what its signature leaves unproven. */
export async function checkSources(config: Config): Promise<Check[]> {
  const configured = CARRIERS.filter(({ source }) => config.webhookSecrets.has(source));
  const others = CARRIERS.filter(({ source }) => !config.webhookSecrets.has(source));
  const checks = await Promise.all(
    configured.map((carrier) => checkSource(carrier, config.webhookSecrets.get(carrier.source) ?? [])),
  );
  const notConfigured = `not configured, their webhooks are answered with 404: ${others.map(({ title }) => title).join(', ')}`;
  if (configured.length === 0) {
    const advice = 'set a secret, such as EASYPOST_WEBHOOK_SECRET: .env.example lists them';
    return [warning('sources', 'no source of webhooks is configured', advice)];
  }
  return others.length > 0 ? [...checks.flat(), ok('sources', notConfigured)] : checks.flat();
}

async function checkSource(carrier: CarrierAdapter, secrets: readonly string[]): Promise<Check[]> {
  const { title, secretVariable, secretKind, weakness } = carrier;
  const name = `source ${carrier.source}`;
  if (secretKind === 'key_set') {
    try {
      await Promise.all(secrets.filter((secret) => !isKeySetDocument(secret)).map(fetchKeySet));
    } catch (error) {
      const advice = `see that the address in ${secretVariable} can be reached from here; until then its webhooks are answered with 503`;
      return [fault(name, `${title}: ${reasonOf(error)}`, advice)];
    }
  }
  const checks: Check[] = [];
  if (secretKind === 'text' && secrets.some((secret) => secret.length < SHORTEST_SECRET)) {
    const detail = `${title}: a secret has fewer than ${SHORTEST_SECRET} characters`;
    checks.push(warning(name, detail, `choose a long random one, and set both in ${secretVariable} while it changes`));
  }
  if (weakness !== null) {
    const advice = `keep the secret long and secret, let ${title} send over TLS alone, and change it now and then`;
    checks.push(warning(name, `${title}: ${weakness}`, advice));
  }
  return checks.length > 0 ? checks : [ok(name, `${title}: signed`)];
}

/** What the sources have said that nobody has acted on: words that no table has, and subscriptions that wait. */
export async function checkWhatSourcesSaid(sql: Sql): Promise<Check[]> {
  const { codes, total } = await loadUnknownCodes(sql, CODES_SHOWN);
  const checks: Check[] = [];
  if (total === 0) checks.push(ok('codes', 'every code of every scan is in our tables'));
  else {
    const list = codes.map(({ source, code, scans }) => `${source} ${quoted(code)} (${scans})`).join(', ');
    const more = total > codes.length ? `, and ${total - codes.length} more in the table unknown_codes` : '';
    const advice =
      'their scans are kept as unknown, which neither causes nor denies a payment: tell the makers of makegood';
    checks.push(warning('codes', `not in our tables: ${list}${more}`, advice));
  }
  for (const { source, subscription: text, state, secret } of await loadHandshakes(sql)) {
    const name = `subscription ${source}`;
    const subscription = quoted(text);
    if (state === 'ready') checks.push(ok(name, `${subscription} is active`));
    else if (state === 'validate') {
      const advice = `activate it with the secret ${quoted(secret ?? '')}, as src/carriers/${source}/README.md says`;
      checks.push(warning(name, `${subscription} waits to be activated: nothing comes until then`, advice));
    } else checks.push(fault(name, `${subscription} has failed`, `subscribe anew at ${source}`));
  }
  return checks;
}

/** What a source wrote, for a terminal: nothing in it can move the cursor or colour the screen. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
