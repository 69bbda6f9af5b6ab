import { rmSync } from 'node:fs';

export default async function globalTeardown() {
  await globalThis.testServer.stop();
  rmSync(globalThis.testDataDir, { recursive: true, force: true });
}
