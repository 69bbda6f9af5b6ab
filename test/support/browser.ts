import { accessSync, constants } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** Debian's. */
const CHROMIUM = '/usr/bin/chromium';

/** Whether this machine has a browser. In CI it must: a page that nobody opened is not tested. */
export function hasBrowser(): boolean {
  try {
    accessSync(CHROMIUM, constants.X_OK);
    return true;
  } catch {
    if (process.env.CI) throw new Error('chromium is not installed: apt-get install chromium');
    return false;
  }
}

/** A browser without a window, and without anything that it would ask the network for by itself. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ['--no-sandbox', '--disable-gpu', '--no-first-run'],
      ['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ].flat(),
  });
}
