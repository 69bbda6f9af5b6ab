import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import document from '../../src/compensation/policies/default.json' with { type: 'json' };
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Ended, runProgram } from '../support/run-program.js';
import { textOf } from '../support/source-files.js';

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-policy-'));
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const makegood = (...args: readonly string[]): Promise<Ended> =>
  runProgram(['makegood', ...args], { env: { DATABASE_URL: database.url } });
async function fileOf(name: string, content: unknown): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
  return file;
}
const DEFAULT = textOf('src/compensation/policies/default.json');

describe('makegood policy', () => {
  test('check: the default policy is right, and a fault is named by line and column', async () => {
    const good = await makegood('policy', 'check', await fileOf('good.json', DEFAULT));
    expect(good.status).toBe(0);

    const lines = DEFAULT.split('\n');
    const at = lines.findIndex((line) => line.includes('"settleMinutes"'));
    lines[at] = '  "settleMinutes": -5,';
    const bad = await makegood('policy', 'check', await fileOf('bad.json', lines.join('\n')));
    expect(bad.status).toBe(1);
    expect(bad.stdout + bad.stderr).toContain(`${at + 1}:20`);
    expect(bad.stdout + bad.stderr).toContain('settleMinutes');
  });

  test('check: broken JSON and a key twice are named where they are', async () => {
    const broken = await makegood('policy', 'check', await fileOf('broken.json', '{\n  "name": "x",,\n}'));
    expect(broken.status).toBe(1);
    expect(broken.stdout + broken.stderr).toMatch(/\b2:1[45]\b/);
    const twice = DEFAULT.replace('"name": "Default"', '"name": "Default",\n  "name": "Again"');
    const doubled = await makegood('policy', 'check', await fileOf('twice.json', twice));
    expect(doubled.status).toBe(1);
    expect(doubled.stdout + doubled.stderr).toMatch(/name/);
  });

  test('activate: a version that never changes, by whom and why; the same again is refused', async () => {
    const file = await fileOf('mine.json', { ...document, name: 'Mine' });
    const activated = await makegood('policy', 'activate', file, '--reason', 'peak season', '--json');
    expect(activated).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(activated.stdout)).toMatchObject({ version: 2 });
    const [row] = await database.query(
      'SELECT version, name, activated_by, reason FROM policy_versions WHERE version = 2',
    );
    expect(row).toMatchObject({ name: 'Mine', activated_by: expect.stringMatching(/^cli:/), reason: 'peak season' });
    expect(await database.query(`SELECT reason FROM audit WHERE action = 'policy.activate'`)).toEqual([
      { reason: 'peak season' },
    ]);
    await expect(database.query(`UPDATE policy_versions SET name = 'x'`)).rejects.toThrow('append-only');

    const again = await makegood('policy', 'activate', file, '--json');
    expect(again.status).toBe(1);
    expect(again.stderr).toMatch(/in force/);
    const list = JSON.parse((await makegood('policy', 'list', '--json')).stdout);
    expect(list).toHaveLength(2);
    const shown = await makegood('policy', 'show', '1', '--json');
    expect(JSON.parse(shown.stdout)).toMatchObject({ version: 1 });
  });

  test('activate: an invalid one changes nothing', async () => {
    const file = await fileOf('invalid.json', { ...document, rules: [{ id: 'x' }] });
    const ended = await makegood('policy', 'activate', file);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/rules\[0\]/);
    expect(await database.query('SELECT 1 FROM policy_versions WHERE version = 3')).toEqual([]);
  });
});
