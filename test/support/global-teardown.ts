import { rmSync } from 'node:fs';
import type { EmbeddedPostgres } from '../../src/embedded/postgres.js';

export default async function globalTeardown(): Promise<void> {
  const { testServer, testDataDir } = globalThis as unknown as { testServer: EmbeddedPostgres; testDataDir: string };
  await testServer.stop();
  rmSync(testDataDir, { recursive: true, force: true });
}
