import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { loadLetterTexts } from '../../src/messages/load-letter-texts.js';
import { renderLetter } from '../../src/messages/render.js';
import { sampleLetter } from '../../src/messages/samples.js';
import { ROOT } from '../support/source-files.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makegood-texts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** What is wrong with texts, as `en/lost.txt:3: …`; those that are right say nothing. */
async function faultsOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string[]> {
  await put(files);
  try {
    await loadLetterTexts(folder);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe('invalid_request');
    return error.errors.map(({ field, message }) => `${field.replace(`${folder}/`, '')}: ${message}`);
  }
}

const LOST = `Subject: Order {{orderId}} is lost

Order {{orderId}} is lost.

{{> remedies}}
`;

describe('texts of one’s own', () => {
  test('stand in place of those that are shipped, file by file and phrase by phrase; all others stay', async () => {
    await put({
      'en/lost.txt': LOST,
      'en/phrases.json': '{ "reply": "Write back.", "delay.days": { "one": "one day", "other": "{{count}} days" } }',
      'de/frame.txt': `\ufeffHallo,\r
\r
{{> letter}}\r
\r
{{#canAnswer}}Gut so?{{/canAnswer}}\r
{{> answers}}\r
{{replyLine}} {{#signerName}}{{signerName}}{{/signerName}} {{shopName}}\r
{{#canUnsubscribe}}Genug?{{/canUnsubscribe}}\r
{{> unsubscribe}}\r
`,
    });
    const texts = await loadLetterTexts(folder);
    const text = (...[template, language]: Parameters<typeof sampleLetter>) =>
      renderLetter(sampleLetter(template, language), texts).text;
    expect(text('lost', 'en')).toMatch(/^Hello Ann Lee,\n\nOrder 1042 is lost\.\n\nTo make up for it/);
    expect(text('lost', 'en')).not.toContain('Promised:');
    expect(text('lost', 'en')).toContain('Is anything still not right? Write back.\n');
    expect(text('late-delivered', 'en')).toContain('It came on Friday, November 6, one day late.');
    expect(text('lost', 'de')).toMatch(/^Hallo,\n\nwir hatten Ihnen/);
    expect(text('lost', 'de')).toContain(
      'Ein Mensch aus unserem Team liest jede Antwort. Jana Keller Lindgren & Sons\n',
    );
  });

  test('an empty folder changes nothing', async () => {
    expect(await loadLetterTexts(folder)).toEqual(await loadLetterTexts(null));
  });

  test('a paragraph of which nothing is left is left out, and a comment is not shown', async () => {
    await put({
      'en/lost.txt': LOST.replace(
        '\n{{> rem',
        '\n{{#lastNewsDay}}News: {{lastNewsDay}}{{/lastNewsDay}}{{! why }}\n\n{{> rem',
      ),
    });
    const texts = await loadLetterTexts(folder);
    const told = { ...sampleLetter('lost', 'en'), lastScan: null };
    expect(renderLetter(told, texts).text).toContain('Order 1042 is lost.\n\nTo make up for it');
    expect(renderLetter(sampleLetter('lost', 'en'), texts).text).toContain('lost.\n\nNews: Friday, November 6\n\nTo');
  });
});

describe('what is wrong is said with file and line, all at once', () => {
  const CASES: readonly (readonly [name: string, text: string, fault: RegExp])[] = [
    [
      'an unknown variable',
      LOST.replace('is lost.', '{{name}} is lost.'),
      /^en\/lost\.txt:3: there is no variable "name" here; there are: orderId, /,
    ],
    [
      'one that JavaScript knows',
      LOST.replace('is lost.', '{{toString}}'),
      /^en\/lost\.txt:3: there is no variable "toString"/,
    ],
    [
      'one of another letter',
      LOST.replace('is lost.', '{{#whatHappened}}x{{/whatHappened}}'),
      /lost\.txt:3: there is no variable "whatHappened"/,
    ],
    [
      'an optional one outside its section',
      LOST.replace('is lost.', 'is\nlost, {{lastNewsDay}}.'),
      /lost\.txt:4: \{\{lastNewsDay\}\} is not always there: write/,
    ],
    [
      'an optional one where it is not there',
      LOST.replace('is lost.', '{{^lastNewsDay}}{{lastNewsDay}}{{/lastNewsDay}}'),
      /lost\.txt:3: \{\{lastNewsDay\}\} is not always there/,
    ],
    [
      'a flag as text',
      LOST.replace('is lost.', '{{isMember}}'),
      /lost\.txt:3: \{\{isMember\}\} has no text of its own/,
    ],
    [
      'an unclosed section',
      LOST.replace('is lost.', 'is\n{{#isMember}}lost.'),
      /lost\.txt:\d: Unclosed section "isMember"/,
    ],
    [
      'a section closed by another',
      LOST.replace('is lost.', '{{#isMember}}{{/dayPromised}}'),
      /lost\.txt:3: Unclosed section "isMember"/,
    ],
    ['an unclosed tag', LOST.replace('is lost.', '{{orderId'), /lost\.txt:3: Unclosed tag/],
    ['a stray end of a tag', LOST.replace('is lost.', 'orderId}}'), /lost\.txt:3: \{\{ or \}\} without the other/],
    ['three braces', LOST.replace('is lost.', '{{{orderId}}}'), /lost\.txt:3: only \{\{name\}\}/],
    ['other braces', LOST.replace('is lost.', '{{=<% %>=}} <%orderId%>'), /lost\.txt:3: /],
    [
      'an unknown block',
      LOST.replace('{{> remedies}}', '{{> remedies}}\n{{> answers}}'),
      /lost\.txt:6: there is no block "answers" here; there are: remedies, facts, parcels/,
    ],
    [
      'a block within a sentence',
      LOST.replace('is lost.', 'is {{> facts}}'),
      /lost\.txt:3: \{\{> facts\}\} stands in a line of its own/,
    ],
    ['no subject', LOST.replace('Subject: ', ''), /lost\.txt:1: the first line is "Subject: …"/],
    ['an empty subject', LOST.replace(/^.*/, 'Subject: '), /lost\.txt:1: the first line is "Subject: …"/],
    [
      'a subject that is too long',
      LOST.replace(/^.*/, `Subject: {{orderId}}${'x'.repeat(61)}`),
      /lost\.txt:1: the subject has 61 characters besides its variables; 60 are the most/,
    ],
    [
      'no remedies',
      LOST.replace('{{> remedies}}', ''),
      /lost\.txt:1: what must be in this text is missing: \{\{> remedies\}\}/,
    ],
    ['an empty file', '', /lost\.txt:1: the first line is "Subject: …"/],
    [
      'what nobody can see',
      LOST.replace('is lost.', 'is\u202e lost.'),
      /lost\.txt:3: there is a character in it that nobody can see/,
    ],
  ];
  test.each(CASES)('%s', async (_name, text, fault) => {
    const faults = await faultsOf({ 'en/lost.txt': text });
    expect(faults).toEqual([expect.stringMatching(fault)]);
  });

  test('a section over two paragraphs, at both of its ends', async () => {
    const text = LOST.replace('is lost.', '{{#isMember}}is\n\nlost.{{/isMember}}');
    expect(await faultsOf({ 'en/lost.txt': text })).toEqual([
      expect.stringMatching(/lost\.txt:3: Unclosed section "isMember"/),
      expect.stringMatching(/lost\.txt:5: Unopened section "isMember"/),
    ]);
  });

  test('the longest subject is allowed, and of two sections only the longer counts', async () => {
    const subject = `Subject: {{#isMember}}${'x'.repeat(60)}{{/isMember}}{{^isMember}}${'y'.repeat(60)}{{/isMember}}{{orderId}}`;
    expect(await faultsOf({ 'en/lost.txt': LOST.replace(/^.*/, subject) })).toEqual([]);
  });

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('Subject: ä\n\nOrder '), Buffer.from([0xe4]), Buffer.from('\n')]);
    expect(await faultsOf({ 'en/lost.txt': bytes })).toEqual(['en/lost.txt:3: is not UTF-8 from here on']);
  });

  test('files, folders and languages that nobody knows', async () => {
    expect(await faultsOf({ 'en/lots.txt': LOST, 'fr/lost.txt': LOST, 'lost.txt': LOST, '.git/x': '' })).toEqual([
      expect.stringMatching(/^en\/lots\.txt: is no text of a letter; there are: order-confirmed\.txt, /),
      'fr: is none of the languages that letters can be in: en, de, es, pt',
      'lost.txt: is none of the languages that letters can be in: en, de, es, pt',
    ]);
  });

  test('a folder that is not there, and a text that is a folder', async () => {
    await put({ 'en/lost.txt/x': '' });
    await expect(loadLetterTexts(join(folder, 'none'))).rejects.toMatchObject({
      errors: [{ field: join(folder, 'none'), message: 'is no folder that can be read: ENOENT' }],
    });
    expect(await faultsOf({})).toEqual(['en/lost.txt: cannot be read: EISDIR']);
  });

  const FRAME = `{{> letter}}
{{#canAnswer}}ok?{{/canAnswer}}
{{> answers}}
{{replyLine}} {{#signerName}}{{signerName}}{{/signerName}} {{shopName}}
{{#canUnsubscribe}}off{{/canUnsubscribe}}
{{> unsubscribe}}
`;
  test.each([
    ['{{> letter}}', '{{> letter}}'],
    ['{{> answers}}', '{{> answers}}'],
    ['{{#canAnswer}}ok?{{/canAnswer}}', '{{canAnswer}}'],
    ['{{replyLine}}', '{{replyLine}}'],
    ['{{> unsubscribe}}', '{{> unsubscribe}}'],
    ['{{#signerName}}{{signerName}}{{/signerName}}', '{{signerName}}'],
  ])('a frame without %s', async (part, name) => {
    expect(await faultsOf({ 'en/frame.txt': FRAME })).toEqual([]);
    const faults = await faultsOf({ 'en/frame.txt': FRAME.replace(part, '') });
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(`en/frame.txt:1: what must be in this text is missing: ${name}`);
  });

  const PHRASES: readonly (readonly [name: string, json: string, fault: RegExp])[] = [
    ['no JSON', '{\n  "late":\n', /^en\/phrases\.json:\d: is not a JSON object/],
    ['a list', '[]', /phrases\.json:1: is not a JSON object/],
    ['a comment', '{\n// x\n}', /phrases\.json:2: is not a JSON object/],
    ['an unknown phrase', '{\n  "latte": "x" }', /phrases\.json:2: there is no phrase "latte"/],
    ['one that JavaScript knows', '{ "constructor": "x" }', /phrases\.json:1: there is no phrase "constructor"/],
    ['a phrase twice', '{ "reply": "x",\n"reply": "y" }', /phrases\.json:2: reply stands here twice/],
    ['an empty phrase', '{\n\n"reply": " " }', /phrases\.json:3: reply is a text that is not empty/],
    ['a number', '{ "reply": 1 }', /phrases\.json:1: reply is a text that is not empty/],
    ['two lines', '{ "reply": "a\\nb" }', /phrases\.json:1: reply is one line of text/],
    [
      'a wrong variable',
      '{\n"late": "{{days}}" }',
      /phrases\.json:2: late: there is no variable "days" here; there are: delay/,
    ],
    [
      'no plural forms',
      '{ "delay.days": "{{count}}" }',
      /phrases\.json:1: delay\.days is an object with the plural forms/,
    ],
    [
      'a plural form too few',
      '{ "delay.days": { "other": "x" } }',
      /phrases\.json:1: delay\.days has no plural form "one"/,
    ],
    [
      'a plural form too many',
      '{ "delay.days": { "one": "x", "other": "x",\n "few": "x" } }',
      /phrases\.json:2: delay\.days: en has no plural form "few"/,
    ],
  ];
  test.each(PHRASES)('phrases: %s', async (_name, json, fault) => {
    expect(await faultsOf({ 'en/phrases.json': json })).toEqual([expect.stringMatching(fault)]);
  });

  test('what is missing in a language, once for each', async () => {
    await cp(join(ROOT, 'src/messages/texts/en'), join(folder, 'en'), { recursive: true });
    await rm(join(folder, 'en/lost.txt'));
    await put({ 'en/phrases.json': '{ "reply": "x" }', 'en/damaged.txt': 'x', 'de/lost.txt': LOST });
    const missing = await loadLetterTexts(null, folder).then(
      () => [],
      (error: AppError) => error.errors.map(({ field, message }) => `${field.replace(`${folder}/`, '')}: ${message}`),
    );
    expect(missing).toContain('en/lost.txt: is missing');
    expect(missing).toContain('en/phrases.json: the phrase late is missing');
    expect(missing).not.toContain('en/phrases.json: the phrase reply is missing');
    expect(missing).toContain('de/phrases.json: is missing');
    expect(missing).toContain('de/frame.txt: is missing');
    expect(missing.filter((one) => one.startsWith('en/damaged.txt'))).toEqual([
      'en/damaged.txt:1: the first line is "Subject: …"',
    ]);
    expect(new Set(missing).size).toBe(missing.length);
  });

  test('a language of one’s own that is not shipped has to be whole, and then is one', async () => {
    const [shipped, own] = [join(folder, 'shipped'), join(folder, 'own')];
    await cp(join(ROOT, 'src/messages/texts/en'), join(shipped, 'en'), { recursive: true });
    await cp(join(ROOT, 'src/messages/texts/de'), join(own, 'de'), { recursive: true });
    expect([...(await loadLetterTexts(own, shipped)).keys()]).toEqual(['en', 'de']);
    await rm(join(own, 'de/lost.txt'));
    await expect(loadLetterTexts(own, shipped)).rejects.toMatchObject({
      errors: [{ field: join(own, 'de/lost.txt'), message: 'is missing' }],
    });
  });

  test('without English there is nothing to fall back on', async () => {
    await expect(loadLetterTexts(null, folder)).rejects.toMatchObject({
      errors: [{ field: join(folder, 'en'), message: 'is missing' }],
    });
  });
});
