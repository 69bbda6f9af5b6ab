// Pictures of every letter in every language, light and dark, as wide as a phone, and one sheet with all of them:
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
  await drawSheet(pictures);
} finally {
  await browser.close();
}
console.log(`${pictures.length} pictures are in ${folder}; sheet.png shows them all.`);

/** All pictures on one, light ones before dark ones. */
async function drawSheet(shown) {
  const figures = shown.map(
    ({ name, label }) =>
      `<figure><img src="${pathToFileURL(join(folder, name)).href}"><figcaption>${label}</figcaption></figure>`,
  );
  const file = join(folder, 'sheet.html');
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><style>
body { margin: 16px; font: 12px sans-serif; background: #808080 }
main { display: grid; grid-template-columns: repeat(9, ${SHEET_PICTURE_WIDTH}px); gap: 12px; align-items: start }
figure { margin: 0 } img { width: 100%; display: block }
</style><main>${figures.join('')}</main>`,
  );
  const page = await browser.newPage({ viewport: { width: 9 * (SHEET_PICTURE_WIDTH + 12) + 32, height: 800 } });
  await page.goto(pathToFileURL(file).href, { waitUntil: 'load' });
  await page.screenshot({ path: join(folder, 'sheet.png'), fullPage: true });
  rmSync(file);
}
