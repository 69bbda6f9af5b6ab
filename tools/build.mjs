// Generates the Prisma client and compiles to dist/. Needs no network: generating starts no engine, but Prisma's command
// line looks for one, and downloads it unless it is told where it is.
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

const run = (packageName, binary, args, env = {}) => {
  const script = join(dirname(require.resolve(`${packageName}/package.json`)), binary);
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (status === 0) return;
  process.stderr.write(`${stdout}${stderr}`);
  process.exit(status ?? 1);
};

if (!existsSync(join(root, 'node_modules', 'typescript')) && existsSync(join(root, 'dist'))) {
  console.error('The build tools are not installed (--omit=dev): dist/ stays as it is.');
  process.exit(0);
}
run('prisma', 'build/index.js', ['generate'], {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  CHECKPOINT_DISABLE: '1',
});
// Compiled beside and swapped in: a file that was deleted does not live on, and a program that starts meanwhile finds all.
const current = join(root, 'dist');
const mine = join(root, `dist.next.${process.pid}`);
const last = join(root, `dist.last.${process.pid}`);
run('typescript', 'bin/tsc', ['-p', 'tsconfig.build.json', '--outDir', mine]);
if (existsSync(current)) renameSync(current, last);
renameSync(mine, current);
rmSync(last, { recursive: true, force: true });
