import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { easypost } from '../../src/carriers/easypost/adapter.js';

/** The reference samples are no part of the repository: MAKEGOOD_REFERENCE names them, else a folder beside it. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(resolve(root, process.env.MAKEGOOD_REFERENCE ?? '../shared'), 'carriers', 'easypost');

interface Vector {
  readonly name: string;
  readonly secret: string;
  readonly body?: string;
  readonly body_file?: string;
  readonly headers: Record<string, string>;
  readonly valid: boolean;
}

if (existsSync(join(folder, 'vectors.json'))) {
  const { vectors } = JSON.parse(readFileSync(join(folder, 'vectors.json'), 'utf8')) as { vectors: Vector[] };
  const samples = readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'vectors.json');

  describe('reference vectors', () => {
    test('there are some', () => expect([vectors.length > 0, samples.length > 0]).toEqual([true, true]));

    test.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
      const { body, body_file: file } = vector;
      const bytes = file === undefined ? Buffer.from(body ?? '') : readFileSync(join(folder, file));
      // Node's HTTP server hands header names over in lower case.
      const headers = Object.fromEntries(
        Object.entries(vector.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      expect(easypost.verify(bytes, headers, [vector.secret])).toBe(vector.valid);
      expect(easypost.verify(bytes, headers, ['another', vector.secret])).toBe(vector.valid);
    });
  });

  describe('reference samples', () => {
    test.each(samples)('%s is understood', (name) => {
      const outcome = easypost.parse(JSON.parse(readFileSync(join(folder, name), 'utf8')));
      expect(outcome.outcome).toBe(/^(batch|event_without_result)/.test(name) ? 'ignored' : 'parsed');
      if (outcome.outcome !== 'parsed') return;
      const statuses = outcome.parcels.flatMap((parcel) => parcel.scans.map((scan) => scan.status));
      expect(statuses.length).toBeGreaterThan(0);
      expect(statuses).not.toContain('unknown');
    });
  });
} else {
  const skipped = test.skip;
  skipped(`reference vectors of EasyPost: no folder ${folder}`, () => {});
}
