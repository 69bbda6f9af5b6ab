import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { TEMPLATE_NAMES } from '../../src/messages/letter.js';
import { LANGUAGES } from '../../src/messages/text-rules.js';
import { hasBrowser, startBrowser } from '../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { ADMIN_KEY, orderDocument, startMakegood, type TestMakegood, trackerEvent } from '../support/makegood.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let makegood: TestMakegood;

beforeAll(async () => {
  database = await createTestDatabase();
  makegood = await startMakegood({ databaseUrl: database.url, now: '2026-11-07T15:00:00Z' });
  const customer = { name: 'Ann <b>Lee</b>' };
  await makegood.put('o-1', orderDocument({ trackingNumber: 'T-1', customer }));
  await makegood.webhook(trackerEvent('T-1', [['delivered', 'arrived_at_destination', '2026-11-06T15:00:00Z']]));
  await makegood.quiet();
});
afterAll(async () => {
  await makegood.stop();
  await database.drop();
});

const get = (path: string) => makegood.request('GET', path, undefined, { authorization: '' });

describe('/mailbox', () => {
  test('is open, loads nothing from elsewhere, and may run nothing but its own script', async () => {
    const page = await get('/mailbox');
    expect(page.status).toBe(200);
    expect(page.body).not.toMatch(/https?:\/\//);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    for (const path of ['/mailbox/mailbox.css', '/mailbox/mailbox.js']) expect((await get(path)).status).toBe(200);
  });

  test('has every letter in every language with invented facts, and no other', async () => {
    const { languages, samples } = (await get('/mailbox/samples')).body;
    expect(languages.map(({ code }: { code: string }) => code)).toEqual(LANGUAGES);
    expect(samples).toEqual(TEMPLATE_NAMES);
    for (const language of LANGUAGES) {
      for (const template of TEMPLATE_NAMES) {
        const { status, body } = await get(`/mailbox/samples/${language}/${template}`);
        expect([language, template, status]).toEqual([language, template, 200]);
        expect(body).toEqual({ subject: expect.any(String), text: expect.any(String), html: expect.any(String) });
      }
    }
    expectProblem(await get('/mailbox/samples/en/nothing'), { status: 400 });
    expectProblem(await get('/v1/messages'), { status: 401 });
  });
});

const inBrowser = hasBrowser() ? describe : describe.skip;

inBrowser('/mailbox in a browser', () => {
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
  });
  afterAll(async () => {
    await browser.close();
  });

  test('shows samples, in the language that is chosen, as HTML and as text', async () => {
    await page.goto(`${makegood.url}/mailbox`);
    await page
      .locator('#items li')
      .nth(TEMPLATE_NAMES.length - 1)
      .waitFor();
    await page.getByRole('button', { name: /^late-delivered/ }).click();
    const letter = page.frameLocator('#html');
    await letter.getByRole('link', { name: 'Yes, it did' }).waitFor();
    await page.getByLabel('Language').selectOption('de');
    await page.getByRole('button', { name: /^late-delivered/ }).click();
    await page.getByRole('button', { name: 'Text' }).click();
    await page.locator('#text', { hasText: 'Bestellung' }).waitFor();
  });

  test('asks for a key before it shows what was written to customers, and says when it is wrong', async () => {
    await page.getByRole('tab', { name: 'Letters' }).click();
    await page.getByLabel(/API key/).fill('wrong-key-123456');
    await page.getByRole('button', { name: 'Show letters' }).click();
    await page.getByText('not known').waitFor();
    await page.getByLabel(/API key/).fill(ADMIN_KEY);
    await page.getByRole('button', { name: 'Show letters' }).click();
    await page.getByRole('button', { name: /c-1@example\.com/ }).click();
    await page.getByRole('button', { name: 'HTML' }).click();
    // Markup in a name is text in the letter.
    await page.frameLocator('#html').getByText('Hello Ann <b>Lee</b>,').waitFor();
    await page.getByText('late-delivered', { exact: true }).waitFor();
  });

  test('nothing went wrong in it', () => {
    // The wrong key was refused, as it should be.
    expect(errors.filter((error) => !error.includes('401'))).toEqual([]);
  });
});
