// Generates the Prisma client, compiles to dist/, and puts each program of it together in few files. Needs no network: generating
// starts no engine, but Prisma's command line looks for one, and downloads it unless it is told where it is.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages of many small files, and those that share their types with them: a schema must be of the one zod that there is. */
const BUNDLED = ['@date-fns/tz', 'commander', 'date-fns', 'fastify-type-provider-zod', 'zod'];

/** zod brings its messages in some 50 languages, more text than all its code. Ours are in English, or written out. */
const withoutLocales = {
  name: 'without-locales',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

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
await bundle(mine);
if (existsSync(current)) renameSync(current, last);
renameSync(mine, current);
rmSync(last, { recursive: true, force: true });

/**
 * What bin/run.mjs starts: dist/programs/NAME.js, and beside them what they share or load later. Node looks for each module of
 * an import by itself, which for some 800 small files takes longer than all else at the start. Packages that are few files, or
 * look for files of their own, stay where they are.
 */
async function bundle(folder) {
  const { build } = await import('esbuild');
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await build({
    absWorkingDir: folder,
    entryPoints: {
      start: 'workers/start.js',
      server: 'src/http/main.js',
      worker: 'workers/main.js',
      demo: 'workers/demo.js',
      makegood: 'src/cli/main.js',
    },
    outdir: 'programs',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: Object.keys(dependencies).filter((name) => !BUNDLED.includes(name)),
    // For packages that are CommonJS and ask for a module of Node.
    banner: {
      js: "import { createRequire as requireFor } from 'node:module';\nconst require = requireFor(import.meta.url);",
    },
    plugins: [withoutLocales],
    logLevel: 'warning',
  });
}
