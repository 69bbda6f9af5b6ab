import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TEMPLATE_NAMES } from '../../src/messages/letter.js';
import { runProgram } from '../support/run-program.js';
import { ROOT } from '../support/source-files.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-preview-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** DATABASE_URL is wrong, to show that nobody looks. */
const preview = (args: readonly string[], env: Record<string, string> = {}) =>
  runProgram(['makegood', 'mail', 'preview', ...args], { env: { DATABASE_URL: 'nowhere', ...env } });
const golden = (name: string) => readFile(join(ROOT, 'test/golden/letters', name), 'utf8');

describe('makegood mail preview', () => {
  test('lists what there is, and prints one as text', async () => {
    const { status, stdout } = await preview([]);
    expect(status).toBe(0);
    for (const template of TEMPLATE_NAMES) expect(stdout).toContain(` ${template} `);
    const one = await preview(['--template', 'lost', '--language', 'de']);
    expect(one).toMatchObject({ status: 0, stderr: '', stdout: `${await golden('de/lost.txt')}\n` });
    const answer = JSON.parse((await preview(['--template', 'lost', '--json'])).stdout);
    expect(answer.letters[0]).toMatchObject({ language: 'en', template: 'lost', html: await golden('en/lost.html') });
  });

  test('writes all as pages and texts, and one page that shows them', async () => {
    const out = join(folder, 'out', 'deep');
    const { status, stdout } = await preview(['--out', out]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining(join(out, 'index.html')) });
    const index = await readFile(join(out, 'index.html'), 'utf8');
    for (const language of ['en', 'de', 'es', 'pt']) {
      expect(await readdir(join(out, language))).toHaveLength(2 * TEMPLATE_NAMES.length);
      for (const template of TEMPLATE_NAMES) {
        expect(await readFile(join(out, language, `${template}.html`), 'utf8')).toBe(
          await golden(`${language}/${template}.html`),
        );
        expect(index).toContain(`<iframe src="${language}/${template}.html"`);
      }
    }
    const file = join(folder, 'file');
    await writeFile(file, '');
    expect(await preview(['--out', file])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('cannot be written'),
    });
  });

  test('what is wrong with texts is said with file and line, whoever names the folder', async () => {
    const own = join(folder, 'own');
    await mkdir(join(own, 'en'), { recursive: true });
    await writeFile(join(own, 'en', 'lost.txt'), 'Subject: {{who}}\n\n{{> remedies}}\n\n{{orderId}} {{#x}}\n');
    const [byOption, byEnvironment] = [await preview(['--texts', own]), await preview([], { MAIL_TEXTS_DIR: own })];
    expect(byOption).toMatchObject({ status: 1, stdout: '' });
    expect(byOption.stderr).toMatch(
      /en\/lost\.txt:1: there is no variable "who"[\s\S]*en\/lost\.txt:5: Unclosed section "x"/,
    );
    expect(byEnvironment).toEqual(byOption);
    expect((await preview(['--template', 'lots'])).status).toBe(2);
    // A folder of one's own in one language does not change the others.
    await writeFile(join(own, 'en', 'lost.txt'), 'Subject: Gone\n\n{{orderId}}\n\n{{> remedies}}\n');
    expect((await preview(['--texts', own, '--template', 'lost'])).stdout).toMatch(/^Subject: Gone: /);
    expect((await preview(['--texts', own, '--template', 'lost', '--language', 'de'])).stdout).toMatch(
      /^Subject: Best/,
    );
  });
});

test('with texts that are not right, nothing starts, and the database is not even asked', async () => {
  const own = join(folder, 'wrong');
  await mkdir(join(own, 'de'), { recursive: true });
  await writeFile(join(own, 'de', 'damaged.txt'), 'Subject: {{orderId}}\n\n{{> remedies}}\n\n{{wer}}\n');
  const env = { MAIL_TEXTS_DIR: own, DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nowhere', PORT: '0' };
  for (const program of [['server'], ['worker'], ['makegood', 'explain', '1042']]) {
    const { status, stderr } = await runProgram(program, { env });
    expect(status).toBe(1);
    expect(stderr).toContain(`${own}/de/damaged.txt:5: there is no variable "wer" here`);
  }
  const { stdout, status } = await runProgram(['makegood', 'doctor', '--json'], { env });
  expect(status).toBe(1);
  expect(JSON.parse(stdout).checks).toContainEqual(
    expect.objectContaining({ name: 'letters', status: 'fault', detail: expect.stringContaining('damaged.txt:5') }),
  );
});
