import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, sign, verify } from 'node:crypto';
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
 * JSON.parse and one HMAC-SHA256 of the same bytes. Two sources cannot do with that: an RSA verification alone costs many times
 * an HMAC, and USPS has a second document inside the first. Their gates are against what they cannot do without, and the ratio
 * to JSON.parse and one HMAC is shown besides.
 */
export async function* benchCarriers({ quick, say }) {
  const settings = quick ? { pairs: 3, turnMs: 200 } : { pairs: 7, turnMs: 1000 };
  const gate = quick ? GATE / 0.7 : GATE;
  for (const [index, carrier] of CARRIERS.entries()) {
    say(`\r${index + 1}/${CARRIERS.length} ${carrier.source.padEnd(20)}`);
    const body = readFileSync(new URL(`../fixtures/${carrier.source}/delivered-in-time.raw.json`, import.meta.url));
    const { receive, check } = receiverOf(carrier, body);
    check();
    const name = `carriers/${carrier.source}`;
    const note = `${body.length} bytes`;
    const least = leastOf(carrier, body);
    yield comparePairs({ name, baseline: least ?? parseAndHmac(body), ours: receive, gate, note, ...settings });
    if (least !== null) {
      const besides = { name: `${name} (to one HMAC)`, gate: null, note: 'shown only' };
      yield comparePairs({ ...besides, baseline: parseAndHmac(body), ours: receive, ...settings });
    }
    check();
  }
  say('\r\u001b[K');
}

function receiverOf(carrier, rawBody) {
  const now = new Date();
  const keys = carrier.secretKind === 'key_set' ? keyPair() : { signsWith: SECRET, configured: SECRET };
  const headers = carrier.sign({ rawBody, secret: keys.signsWith, now });
  const secrets = [keys.configured];
  const { verifier } = carrier;
  const read = () => parseStrictJson(utf8.decode(rawBody), rawBody).document;
  const receiveWith = (sent) => {
    if (verifier.over === 'bytes') {
      return verifier.verify({ rawBody, headers: sent, secrets, now }) === 'verified' ? carrier.parse(read()) : null;
    }
    if (!verifier.hasSignature(sent)) return null;
    const document = read();
    const verification = verifier.verify({ rawBody, headers: sent, secrets, now, document });
    return verification === 'verified' ? carrier.parse(document) : null;
  };
  const receive = () => receiveWith(headers);
  return {
    receive,
    /** A receiver that lets everybody in, or reads nothing, would be fast. */
    check() {
      for (const header of Object.keys(headers)) assert.equal(receiveWith({ ...headers, [header]: 'x' }), null);
      const parsed = receive();
      assert.equal(parsed?.outcome, 'parsed');
      assert(parsed.parcels.flatMap((parcel) => parcel.scans).length > 0, `${carrier.source}: the payload has scans`);
    },
  };
}

function parseAndHmac(rawBody) {
  return () => {
    createHmac('sha256', SECRET).update(rawBody).digest('hex');
    return JSON.parse(rawBody.toString('utf8'));
  };
}

/** What a source cannot do without, where that is more than JSON.parse and one HMAC; else null. */
function leastOf(carrier, rawBody) {
  if (carrier.source === 'usps') {
    const outer = parseAndHmac(rawBody);
    return () => JSON.parse(outer().payload);
  }
  if (carrier.secretKind !== 'key_set') return null;
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signature = sign('sha256', rawBody, privateKey);
  return () => {
    verify('sha256', rawBody, publicKey, signature);
    return JSON.parse(rawBody.toString('utf8'));
  };
}

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' };
  const own = { ...privateKey.export({ format: 'jwk' }), kid: 'bench' };
  return { signsWith: JSON.stringify(own), configured: JSON.stringify({ keys: [jwk] }) };
}
