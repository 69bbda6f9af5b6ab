import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../dist/src/embedded/free-port.js';

/** Why there is no Redis to compare with; null: there is. */
export function whyNoRedis() {
  return spawnSync('redis-server', ['--version']).status === 0 ? null : 'redis-server is not installed';
}

/** A Redis of the benchmark's own, that writes what it was told to its disk every second, or always. */
export async function withRedis(appendfsync, work) {
  const port = await freePort(0);
  const dir = mkdtempSync(join(tmpdir(), 'makegood-bench-redis-'));
  const settings = {
    port,
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync,
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  const gone = new Promise((resolve) => server.once('exit', resolve));
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { retryStrategy: () => 50 });
  client.on('error', () => {});
  try {
    await Promise.race([client.ping(), sleep(10_000).then(() => Promise.reject(new Error('Redis does not answer')))]);
    const [, version] = /redis_version:(\S+)/.exec(await client.info('server')) ?? [];
    const [, policy] = await client.config('GET', 'appendfsync');
    const [, aof] = await client.config('GET', 'appendonly');
    assert.deepEqual([aof, policy], ['yes', appendfsync], 'Redis writes to its disk as it was told');
    return await work({
      url,
      version,
      flush: () => client.flushall(),
    });
  } finally {
    client.disconnect();
    server.kill('SIGTERM');
    await gone;
    rmSync(dir, { recursive: true, force: true });
  }
}
