import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { CarrierAdapter, Verification } from '../../src/carriers/adapter.js';
import { CARRIERS } from '../../src/carriers/registry.js';
import { checkOutcome } from '../support/carriers.js';

/** The reference samples are no part of the repository: MAKEGOOD_REFERENCE names them, else a folder beside it. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const reference = join(resolve(root, process.env.MAKEGOOD_REFERENCE ?? '../shared'), 'carriers');

interface Vector {
  readonly name: string;
  readonly secret?: string;
  readonly jwks?: object;
  readonly body?: string;
  readonly body_file?: string;
  readonly headers: Record<string, string>;
  /** Unix seconds, where now matters. */
  readonly at?: number;
  readonly valid: boolean;
  /** False: only the form of the header is published. */
  readonly recomputable?: boolean;
}

if (existsSync(reference)) {
  const sources = CARRIERS.map((carrier) => [carrier.source, carrier] as const);

  test('every folder of the reference is a source', () => {
    const folders = readdirSync(reference, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(sources.map(([source]) => source).sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  describe.each(sources)('reference of %s', (source, carrier) => {
    const folder = join(reference, source);
    const vectors = vectorsOf(folder);
    const samples = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'vectors.json');

    test('its vectors hold', () => {
      const verdicts = vectors.map((vector) => [vector.name, verify(carrier, folder, vector)]);
      expect(verdicts).toEqual(
        vectors.map(({ name, valid }) => [name, valid ? 'verified' : expect.stringMatching(/^(refused|unknown_key)$/)]),
      );
    });

    test('its samples are understood', () => {
      for (const sample of samples) {
        if (sample.startsWith('create-subscription.request')) continue;
        const outcome = carrier.parse(JSON.parse(readFileSync(join(folder, sample), 'utf8')));
        checkOutcome(outcome);
        expect([sample, outcome.outcome]).toEqual([sample, outcomeOf(sample)]);
        if (outcome.outcome !== 'parsed') continue;
        const scans = outcome.parcels.flatMap((parcel) => parcel.scans);
        // A status without a scan makes no event.
        expect([sample, scans.length > 0]).toEqual([sample, !sample.endsWith('.minimal.json')]);
        expect([sample, scans.map(({ unrecognised }) => unrecognised).filter(Boolean)]).toEqual([sample, []]);
      }
    });
  });
} else {
  const skipped = test.skip;
  skipped(`reference vectors and samples of the carriers: no folder ${reference}`, () => {});
}

function vectorsOf(folder: string): Vector[] {
  const file = join(folder, 'vectors.json');
  // Static secrets have nothing to compute.
  if (!existsSync(file)) return [];
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };
  return vectors.filter(({ recomputable }) => recomputable !== false);
}

function verify({ verifier }: CarrierAdapter, folder: string, vector: Vector): Verification {
  const rawBody = vector.body_file ? readFileSync(join(folder, vector.body_file)) : Buffer.from(vector.body ?? '');
  const request = {
    rawBody,
    // Node's HTTP server hands header names over in lower case.
    headers: Object.fromEntries(Object.entries(vector.headers).map(([name, value]) => [name.toLowerCase(), value])),
    secrets: ['another', vector.jwks ? JSON.stringify(vector.jwks) : (vector.secret ?? '')],
    now: new Date((vector.at ?? 1_790_000_000) * 1000),
  };
  if (verifier.over === 'bytes') return verifier.verify(request);
  return verifier.verify({ ...request, document: JSON.parse(rawBody.toString('utf8')) });
}

function outcomeOf(sample: string): string {
  if (/^(batch_created|event_without_result|stopped)/.test(sample)) return 'ignored';
  return sample.startsWith('handshake') ? 'handshake' : 'parsed';
}
