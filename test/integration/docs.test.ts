import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { hasBrowser, startBrowser } from '../support/browser.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { startHttpServer, type TestServer } from '../support/http-server.js';
import { expectProblem } from '../support/problem.js';

let database: TestDatabase;
let server: TestServer;
beforeAll(async () => {
  database = await createTestDatabase();
  // Where others reach it is not where the browser is: the page must work all the same.
  server = await startHttpServer(database.url, { PUBLIC_URL: 'https://makegood.shop.example' });
});
afterAll(async () => {
  await server.stop();
  await database.drop();
});

const get = (path: string) => server.request('GET', path, undefined, { authorization: '' });

describe('/docs', () => {
  test('is open to everybody, and everything it needs is here', async () => {
    for (const path of ['/docs', '/docs/']) {
      const page = await get(path);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toMatch(/^text\/html/);
      expect(page.body).not.toMatch(/https?:\/\//);
      const needed = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
      expect(needed.length).toBeGreaterThanOrEqual(5);
      for (const address of needed) {
        expect((await get(new URL(address, `${server.url}/docs/`).pathname)).status).toBe(200);
      }
    }
  });

  test('shows what /openapi.json says, and asks the server that it came from', async () => {
    const [shown, description] = [await get('/docs/json'), await get('/openapi.json')];
    expect(shown.body).toEqual({ ...description.body, servers: [{ url: '..' }] });
  });

  test('may load from here alone, be framed by nobody, and run nothing that stands in its text', async () => {
    for (const path of ['/docs', '/docs/', '/docs/json', '/docs/static/swagger-ui-bundle.js']) {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await get('/openapi.json')).headers.get('content-security-policy')).toBeNull();
  });

  test('a file that is not there is a problem document, and so is one above it', async () => {
    for (const path of ['/docs/static/nothing.js', '/docs/nothing', '/docs/static/..%2f..%2fpackage.json']) {
      const answer = await get(path);
      expectProblem(answer, { status: answer.status === 403 ? 403 : 404 });
    }
  });
});

const inBrowser = hasBrowser() ? describe : describe.skip;

inBrowser('in a browser (left out where /usr/bin/chromium is missing: apt-get install chromium)', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${server.url}/docs`);
  });
  afterAll(() => browser.close());

  test('it shows the title and the operations, and opens one', async () => {
    await page.getByRole('heading', { name: 'makegood' }).first().waitFor();
    const operation = page
      .locator('.opblock', { hasText: '/v1/orders/{id}' })
      .filter({ hasText: 'Registers an order' });
    await operation.waitFor();
    await operation.locator('.opblock-summary-control').click();
    await operation.getByText('The first promise made is kept for ever').waitFor();
    await operation.getByText('Role: ingest.').waitFor();
  });

  test('it can be tried: the answer comes from the server that showed the page', async () => {
    const operation = page.locator('.opblock', { hasText: 'The process is alive' });
    await operation.locator('.opblock-summary-control').click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table .response-col_status', { hasText: '200' }).waitFor();
    expect(asked).toContain(`${server.url}/healthz`);
  });

  test('nothing is complained of in its console, and nothing is asked of anybody else', () => {
    expect(complaints).toEqual([]);
    expect(asked.length).toBeGreaterThanOrEqual(6);
    expect(asked.filter((url) => !url.startsWith(`${server.url}/`) && !url.startsWith('data:'))).toEqual([]);
  });
});
