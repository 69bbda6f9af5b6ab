import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPlatformPackage } from '../../dist/src/embedded/pg-binaries.js';

const SYNC_MS = 300;

/** What a figure was taken on: without it, it says nothing. */
export function machineFacts() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
    node: process.version,
    postgres: postgres(),
    fdatasyncPerS: fdatasyncRate(),
    commit: commit(),
  };
}

/** The PostgreSQL that benchmarks start: the one that comes with the product. */
function postgres() {
  try {
    const program = join(findPlatformPackage(), 'native', 'bin', 'postgres');
    return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim().split(' ').at(-1);
  } catch {
    return 'unknown';
  }
}

/** How often a page of the write-ahead log can be made durable in a second, where the databases of benchmarks lie. */
function fdatasyncRate() {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-sync-'));
  const file = openSync(join(folder, 'wal'), 'w');
  try {
    const page = Buffer.alloc(8192, 1);
    const startedAt = performance.now();
    let syncs = 0;
    for (; performance.now() - startedAt < SYNC_MS; syncs++) {
      // Over the same 128 pages again, as PostgreSQL does in its recycled segments: the file does not grow.
      writeSync(file, page, 0, page.length, (syncs % 128) * page.length);
      fdatasyncSync(file);
    }
    return Math.round((syncs / (performance.now() - startedAt)) * 1_000);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true, force: true });
  }
}

function commit() {
  const cwd = fileURLToPath(new URL('.', import.meta.url));
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
