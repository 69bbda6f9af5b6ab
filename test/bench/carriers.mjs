import assert from 'node:assert/strict';
import { createHmac, createPrivateKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CARRIERS } from '../../dist/src/carriers/registry.js';
import { parseStrictJson } from '../../dist/src/carriers/strict-json.js';
import { comparePairs } from './pairs.mjs';

/** Verifying and reading a webhook may cost as much again as what nobody can do without. */
const GATE = 2;
const SECRET = 'a-secret-of-the-benchmark-000001';
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * For every source, what the door does with a webhook before it is stored (signature, UTF-8, strict JSON, scans), against
 * JSON.parse and one HMAC-SHA256 of the same bytes. An RSA verification alone costs many times an HMAC, so ShipEngine's
 * gate is against JSON.parse and one RSA verification; the ratio to an HMAC is shown besides.
 */
export async function* benchCarriers({ quick, say }) {
  const settings = quick ? { pairs: 3, turnMs: 200 } : { pairs: 7, turnMs: 1000 };
  const gate = quick ? GATE / 0.7 : GATE;
  for (const [index, carrier] of CARRIERS.entries()) {
    say(`\r${index + 1}/${CARRIERS.length} ${carrier.source.padEnd(20)}`);
    const body = readFileSync(new URL(`../fixtures/${carrier.source}/delivered-in-time.raw.json`, import.meta.url));
    const ours = receiverOf(carrier, body);
    const scans = ours().parcels.flatMap((parcel) => parcel.scans);
    assert(scans.length > 0, `${carrier.source}: the payload has scans`);
    const name = `carriers/${carrier.source}`;
    const note = `${body.length} bytes, ${scans.length} scans`;
    if (carrier.secretKind === 'key_set') {
      yield { ...comparePairs({ name, baseline: parseAndRsa(body), ours, gate, note, ...settings }), note };
      const against = `${name} (to an HMAC)`;
      yield comparePairs({
        name: against,
        baseline: parseAndHmac(body),
        ours,
        gate: null,
        note: 'no gate: RSA',
        ...settings,
      });
    } else {
      yield comparePairs({ name, baseline: parseAndHmac(body), ours, gate, note, ...settings });
    }
  }
  say('\r\u001b[K');
}

function receiverOf(carrier, rawBody) {
  const now = new Date();
  const keys = carrier.secretKind === 'key_set' ? keyPair() : { signsWith: SECRET, configured: SECRET };
  const headers = carrier.sign({ rawBody, secret: keys.signsWith, now });
  const secrets = [keys.configured];
  const { verifier } = carrier;
  const read = () => {
    const { document, outcome } = parseStrictJson(utf8.decode(rawBody));
    assert.equal(outcome, 'read');
    return document;
  };
  const receive = (sent) => {
    if (verifier.over === 'bytes') {
      if (verifier.verify({ rawBody, headers: sent, secrets, now }) !== 'verified') return null;
      return carrier.parse(read());
    }
    if (!verifier.hasSignature(sent)) return null;
    const document = read();
    return verifier.verify({ rawBody, headers: sent, secrets, now, document }) === 'verified'
      ? carrier.parse(document)
      : null;
  };
  // A receiver that lets everybody in would be fast.
  for (const header of Object.keys(headers)) assert.equal(receive({ ...headers, [header]: 'x' }), null);
  return () => {
    const parsed = receive(headers);
    assert.equal(parsed?.outcome, 'parsed');
    return parsed;
  };
}

function parseAndHmac(rawBody) {
  return () => {
    createHmac('sha256', SECRET).update(rawBody).digest('hex');
    return JSON.parse(rawBody.toString('utf8'));
  };
}

function parseAndRsa(rawBody) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('sha256', rawBody, privateKey);
  return () => {
    assert(verify('sha256', rawBody, publicKey, signature));
    return JSON.parse(rawBody.toString('utf8'));
  };
}

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
  const own = {
    ...createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' }),
    kid: 'bench',
  };
  return { signsWith: JSON.stringify(own), configured: JSON.stringify({ keys: [jwk] }) };
}
