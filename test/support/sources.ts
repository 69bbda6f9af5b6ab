import { generateKeyPairSync } from 'node:crypto';
import type { CarrierAdapter } from '../../src/carriers/adapter.js';
import { CARRIERS } from '../../src/carriers/registry.js';
import type { SecretPair } from './carrier-suite.js';

const secretOf = (source: string): string => `test-secret-of-${source}`;

/** A private RSA key as `sign` takes it, and the key set with its public half. */
export function makeKeyPair(kid: string): SecretPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
  return {
    signsWith: JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid }),
    configured: JSON.stringify({ keys: [jwk] }),
  };
}

const keyPair = makeKeyPair('test-key');

/** What every source signs with in tests, and how it is configured. */
export function secretsOf({ source, secretKind }: CarrierAdapter): SecretPair {
  if (secretKind === 'key_set') return keyPair;
  return { signsWith: secretOf(source), configured: secretOf(source) };
}

/** The environment in which every source is configured. */
export function sourceEnvironment(): Record<string, string> {
  return Object.fromEntries(CARRIERS.map((carrier) => [carrier.secretVariable, secretsOf(carrier).configured]));
}

/** The headers with which the source would send this body. */
export function signedBy(carrier: CarrierAdapter, rawBody: Buffer, now = new Date()): Record<string, string> {
  return carrier.sign({ rawBody, secret: secretsOf(carrier).signsWith, now });
}
