import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('peers/', import.meta.url));

/** Sees that what is only compared with is there: packages of a folder of their own, so that neither the product nor the other benchmarks meet their pg. */
export function installPeers(say) {
  if (existsSync(`${FOLDER}node_modules/.package-lock.json`)) return;
  say('the packages that are compared with are installed into test/bench/peers, this once\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status, stderr } = spawnSync(npm, ['ci', '--ignore-scripts'], { cwd: FOLDER, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ci in test/bench/peers: ${stderr}`);
}
