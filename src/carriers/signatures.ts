import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Verification, WebhookRequest } from './adapter.js';

/**
 * How far a signed timestamp may be from now, in both directions. Less would refuse senders whose clock is off; more would
 * give who caught a webhook more time to send it again. Source: Standard Webhooks, and the sources that name one.
 */
const TIMESTAMP_TOLERANCE_MS = 300_000;

/**
 * True when both secrets are the same bytes; strings count as UTF-8. Takes the same time wherever the two differ and never
 * throws: the digests are compared, which are equally long whatever was sent, because `timingSafeEqual` throws on
 * unequal lengths and a check of the lengths beforehand would tell a stranger how long the right answer is.
 */
export function equalSecrets(a: string | Buffer, b: string | Buffer): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

/** As `equalSecrets`, for a signature: how long a right one is, everybody may know. Never throws. */
function equalSignatures(sent: string, right: string): boolean {
  const [sentBytes, rightBytes] = [Buffer.from(sent), Buffer.from(right)];
  return sentBytes.length === rightBytes.length && timingSafeEqual(sentBytes, rightBytes);
}

/**
 * `verified` when `check` holds for one of the secrets. All of them are checked, so that the time does not tell which one
 * matched while keys rotate. An empty secret is never checked: a variable left blank must not let everybody in.
 */
export function anySecret(secrets: readonly string[], check: (secret: string) => boolean): Verification {
  let matched = false;
  for (const secret of secrets) {
    if (secret !== '' && check(secret)) matched = true;
  }
  return matched ? 'verified' : 'refused';
}

/** HMAC-SHA256, the secret as UTF-8. */
export function hmacOf(secret: string, encoding: 'hex' | 'base64', ...parts: readonly (string | Buffer)[]): string {
  const hmac = createHmac('sha256', secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
}

/** A header that was sent once and holds something; null otherwise. Names in lower case, as Node hands them over. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** `verified` when the header is the signature that one of the secrets gives. Missing, empty or repeated, it is refused. */
export function verifySignature(
  { headers, secrets }: WebhookRequest,
  name: string,
  signatureOf: (secret: string) => string,
): Verification {
  const sent = headerOf(headers, name);
  if (sent === null) return 'refused';
  return anySecret(secrets, (secret) => equalSignatures(sent, signatureOf(secret)));
}

/** `verified` when the header is one of the secrets, behind a prefix such as `Bearer `. It protects nothing of the body. */
export function verifyStaticSecret({ headers, secrets }: WebhookRequest, name: string, prefix = ''): Verification {
  const sent = headerOf(headers, name);
  if (sent === null) return 'refused';
  return anySecret(secrets, (secret) => equalSecrets(sent, prefix + secret));
}

/** Whether a signed time is near enough to now. A time that could not be read (NaN) is not. */
export function isTimely(sentAtMs: number, now: Date): boolean {
  return Math.abs(now.getTime() - sentAtMs) <= TIMESTAMP_TOLERANCE_MS;
}

/** Unix seconds as a header holds them, in milliseconds; NaN for anything but a plain whole number. */
export function unixSecondsToMs(text: string): number {
  return /^\d{1,12}$/.test(text) ? Number(text) * 1000 : Number.NaN;
}
