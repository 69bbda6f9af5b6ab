// Pictures of every letter in every language, light and dark, as wide as a phone, and sheets with all of them and some:
//   node tools/letter-pictures.mjs [folder]
// Wants a build (npm run build) and Debian's chromium.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
/** A phone's width, and sharp enough to see a hair. */
const PAGE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
/** On the sheet, so that a dozen fit beside one another. */
const SHEET_PICTURE_WIDTH = 195;
/** For README.md: one letter, in each language, by day and by night (docs/letters.png). */
const LANGUAGES = ['en', 'de', 'es', 'pt'].map((language, place) =>
  join(language, `occasion-missed-${place % 2 === 0 ? 'light' : 'dark'}.png`),
);
const README_PICTURE_WIDTH = 290;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(process.argv[2] ?? 'letter-pictures');

const preview = join(root, 'dist', 'src', 'cli', 'commands', 'mail-preview.js');
for (const [file, advice] of [
  [CHROMIUM, 'apt-get install chromium'],
  [preview, 'npm run build'],
]) {
  if (existsSync(file)) continue;
  console.error(`letter-pictures: there is no ${file}: ${advice}`);
  process.exit(1);
}

const { mailPreviewCommand } = await import(pathToFileURL(preview).href);
const { letters } = await mailPreviewCommand({ template: null, language: null, textsDir: null, out: null });

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
const pictures = [];
try {
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ ...PAGE, colorScheme });
    for (const { language, template, html } of letters) {
      const name = join(language, `${template}-${colorScheme}.png`);
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      await page.setContent(html);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > PAGE.viewport.width) console.error(`letter-pictures: ${name} is ${width} pixels wide`);
      await page.screenshot({ path: join(folder, name), fullPage: true });
      pictures.push({ name, label: `${language} ${template}` });
    }
    await page.close();
  }
  await drawSheet('sheet.png', pictures, { columns: 9, width: SHEET_PICTURE_WIDTH });
  await drawSheet(
    'languages.png',
    pictures.filter(({ name }) => LANGUAGES.includes(name)),
    { columns: LANGUAGES.length, width: README_PICTURE_WIDTH },
  );
} finally {
  await browser.close();
}
console.log(
  `${pictures.length} pictures are in ${folder}; sheet.png shows them all, languages.png one in each language.`,
);

/** Pictures on one, beside and below one another. */
async function drawSheet(to, shown, { columns, width }) {
  const figures = shown.map(
    ({ name, label }) =>
      `<figure><img src="${pathToFileURL(join(folder, name)).href}"><figcaption>${label}</figcaption></figure>`,
  );
  const file = join(folder, 'sheet.html');
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><style>
body { margin: 16px; font: 12px sans-serif; background: #808080 }
main { display: grid; grid-template-columns: repeat(${columns}, ${width}px); gap: 12px; align-items: start }
figure { margin: 0 } img { width: 100%; display: block }
</style><main>${figures.join('')}</main>`,
  );
  const page = await browser.newPage({ viewport: { width: columns * (width + 12) + 20, height: 400 } });
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
  await page.screenshot({ path: join(folder, to), fullPage: true });
  await page.close();
  rmSync(file);
}
