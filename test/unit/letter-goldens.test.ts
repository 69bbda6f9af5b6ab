import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { TEMPLATE_NAMES } from '../../src/messages/letter.js';
import { loadLetterTexts } from '../../src/messages/load-letter-texts.js';
import { renderLetter } from '../../src/messages/render.js';
import { sampleLetter } from '../../src/messages/samples.js';
import { ROOT } from '../support/source-files.js';

/** UPDATE_GOLDEN=1 writes them anew: what changed is then seen by whoever reads the diff. */
const UPDATES = process.env.UPDATE_GOLDEN === '1';
const GOLDEN = join(ROOT, 'test', 'golden', 'letters');
const TEXTS = await loadLetterTexts(null);

describe.each([...TEXTS.keys()])('%s', (language) => {
  const folder = join(GOLDEN, language);
  if (UPDATES) mkdirSync(folder, { recursive: true });

  test.each(TEMPLATE_NAMES)('%s is as it was, byte for byte', (template) => {
    const { subject, text, html } = renderLetter(sampleLetter(template, language), TEXTS);
    const files = { txt: `Subject: ${subject}\n\n${text}`, html };
    for (const [ending, content] of Object.entries(files)) {
      const file = join(folder, `${template}.${ending}`);
      if (UPDATES) writeFileSync(file, content);
      expect(readFileSync(file, 'utf8')).toBe(content);
    }
  });

  test('there is a golden file for each letter and no other', () => {
    const wanted = TEMPLATE_NAMES.flatMap((template) => [`${template}.html`, `${template}.txt`]);
    expect(readdirSync(folder).sort()).toEqual(wanted.sort());
  });
});
