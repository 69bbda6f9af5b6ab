import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.js';
import { TEMPLATE_NAMES, type TemplateName } from '../../messages/letter.js';
import { loadLetterTexts } from '../../messages/load-letter-texts.js';
import { type RenderedLetter, renderLetter } from '../../messages/render.js';
import { sampleLetter } from '../../messages/samples.js';
import type { Language } from '../../messages/text-rules.js';
import { table } from '../print.js';

interface PreviewedLetter extends RenderedLetter {
  readonly language: Language;
  readonly template: TemplateName;
}

export interface MailPreviewAnswer {
  /** The folder that was written, with its `index.html`; null: none. */
  readonly out: string | null;
  /** The letters; `text` and `html` are the names of their files where a folder was written. */
  readonly letters: readonly PreviewedLetter[];
}

/**
 * `makegood mail preview`: letters with made-up facts, as customers would get them. Needs no database and no configuration.
 * @throws AppError `invalid_request`: texts that are not right, each fault with file and line; a language that has no
 *   texts; a folder that cannot be written
 */
export async function mailPreviewCommand(input: {
  readonly template: TemplateName | null;
  readonly language: Language | null;
  readonly textsDir: string | null;
  readonly out: string | null;
}): Promise<MailPreviewAnswer> {
  const texts = await loadLetterTexts(input.textsDir);
  const languages = [...texts.keys()];
  if (input.language !== null && !texts.has(input.language)) {
    throw new AppError(
      'invalid_request',
      `there are no letters in ${input.language}; there are: ${languages.join(', ')}`,
    );
  }
  const letters = (input.language === null ? languages : [input.language]).flatMap((language) =>
    (input.template === null ? TEMPLATE_NAMES : [input.template]).map((template) => ({
      language,
      template,
      ...renderLetter(sampleLetter(template, language), texts),
    })),
  );
  if (input.out === null) return { out: null, letters };
  try {
    return { out: input.out, letters: await writeLetters(input.out, letters) };
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new AppError('invalid_request', `${input.out} cannot be written (${reason}).`, { cause });
  }
}

export function describeMailPreview({ out, letters }: MailPreviewAnswer, { isOne }: { isOne: boolean }): string {
  if (out !== null) return `${letters.length} letters are in ${out}; ${join(out, 'index.html')} shows them all.`;
  if (isOne) return letters.map(({ subject, text }) => `Subject: ${subject}\n\n${text}`).join('\n\n');
  const rows = letters.map(({ language, template, subject }) => [language, template, subject]);
  return `${table(['language', 'letter', 'subject'], rows)}\n--template shows one as text, --out writes them all as pages.`;
}

async function writeLetters(folder: string, letters: readonly PreviewedLetter[]): Promise<PreviewedLetter[]> {
  const written: PreviewedLetter[] = [];
  for (const letter of letters) {
    const { language, template, subject, text, html } = letter;
    const files = { text: `${language}/${template}.txt`, html: `${language}/${template}.html` };
    await mkdir(join(folder, language), { recursive: true });
    await writeFile(join(folder, files.text), `Subject: ${subject}\n\n${text}`);
    await writeFile(join(folder, files.html), html);
    written.push({ ...letter, ...files });
  }
  await writeFile(join(folder, 'index.html'), indexPage(written));
  return written;
}

/** All letters beside one another, as wide as a phone. */
function indexPage(letters: readonly PreviewedLetter[]): string {
  const languages = [...new Set(letters.map(({ language }) => language))];
  const sections = languages.map((language) => {
    const figures = letters.filter((letter) => letter.language === language).map(figure);
    return `<h1 id="${language}">${language}</h1>\n<div class="letters">\n${figures.join('\n')}\n</div>`;
  });
  const ways = languages.map((language) => `<a href="#${language}">${language}</a>`).join(' ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Letters</title>
<style>
body { margin: 24px; font-family: system-ui, sans-serif }
.letters { display: grid; grid-template-columns: repeat(auto-fill, 390px); gap: 24px }
figure { margin: 0 }
iframe { width: 390px; height: 640px; border: 1px solid #808080 }
</style>
</head>
<body>
<nav>${ways}</nav>
${sections.join('\n')}
</body>
</html>
`;
}

function figure({ template, subject, html, text }: PreviewedLetter): string {
  const words = subject.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
  return `<figure>
<figcaption><b>${template}</b> (<a href="${html}">page</a>, <a href="${text}">text</a>)<br>${words}</figcaption>
<iframe src="${html}" title="${template}" sandbox loading="lazy"></iframe>
</figure>`;
}
