import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import type { CarrierAdapter } from '../../carriers/adapter.js';
import { CARRIERS, findCarrier } from '../../carriers/registry.js';
import { AppError } from '../../errors.js';
import { readInput } from '../read-input.js';

export interface SendAnswer {
  readonly source: string;
  readonly url: string;
  readonly bytes: number;
  /** The HTTP status and body of the answer; a body that is not JSON as text. */
  readonly status: number;
  readonly answer: unknown;
}

/** Longer than any server of ours takes. */
const TIMEOUT_MS = 30_000;

/**
 * `makegood send SOURCE --file F --url U`: posts a body as the source would.
 * @throws AppError `invalid_request`: no such source, no secret, a file that cannot be read or signed, a server that does not
 *   answer
 */
export async function sendCommand(input: {
  readonly source: string;
  readonly file: string;
  readonly url: string;
  readonly secret: string | null;
  readonly privateKey: string | null;
}): Promise<SendAnswer> {
  const carrier = findCarrier(input.source);
  if (!carrier) {
    const known = CARRIERS.map(({ source }) => source).join(', ');
    throw new AppError('invalid_request', `there is no source ${JSON.stringify(input.source)}. There are: ${known}.`);
  }
  const url = addressOf(input.url, carrier.source);
  const secretOrKeyFile =
    carrier.secretKind === 'key_set' ? keyFileOf(input.privateKey) : secretOf(carrier, input.secret);
  // Before a new key is made: a body that cannot be read leaves none behind.
  const rawBody = await readInput(input.file);
  const secret = carrier.secretKind === 'key_set' ? await privateKeyIn(secretOrKeyFile, carrier) : secretOrKeyFile;
  const headers = carrier.sign({ rawBody, secret, now: new Date() });
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': `makegood send ${carrier.source}`, ...headers },
      body: new Uint8Array(rawBody),
      // Some sources send their secret as it is: it goes to nobody but the address that was given.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new AppError('invalid_request', `${url} does not answer: is makegood running there?`, { cause });
  }
  const text = await response.text();
  return { source: carrier.source, url, bytes: rawBody.length, status: response.status, answer: parsed(text) };
}

export function describeSend({ source, url, bytes, status, answer }: SendAnswer): string {
  return `${bytes} bytes, signed as ${source}, to ${url}: ${status} ${typeof answer === 'string' ? answer : JSON.stringify(answer)}`;
}

/** The address of a whole makegood is good enough: then its webhook of this source is meant. */
function addressOf(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new AppError('invalid_request', '--url is an address that begins with http:// or https://.');
  }
  if (url.pathname === '/') url.pathname = `/webhooks/${source}`;
  return url.toString();
}

function secretOf({ secretVariable }: CarrierAdapter, given: string | null): string {
  const secret = given ?? process.env[secretVariable]?.split(',')[0]?.trim() ?? '';
  if (secret !== '') return secret;
  throw new AppError('invalid_request', `nothing to sign with: set ${secretVariable}, or give --secret.`);
}

function keyFileOf(file: string | null): string {
  if (file !== null) return file;
  throw new AppError('invalid_request', 'this source signs with a private key: give --private-key FILE.');
}

/** A private key from its file, or a new one into it: sources that sign with a key of their own have no shared secret. */
async function privateKeyIn(file: string, { secretVariable }: CarrierAdapter): Promise<string> {
  if (existsSync(file)) return (await readInput(file)).toString('utf8');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomUUID();
  const own = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid });
  writeFileSync(file, `${own}\n`, { mode: 0o600 });
  const keySet = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] });
  process.stderr.write(
    `A new private key is in ${file}. Start makegood with its key set:\n  ${secretVariable}='${keySet}'\n`,
  );
  return own;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
