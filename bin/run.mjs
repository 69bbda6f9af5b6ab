#!/usr/bin/env node
// Starts one of the programs of dist/. Where install scripts were off nothing is built yet: then it is built first.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PROGRAMS = ['start', 'server', 'worker', 'demo', 'makegood'];

const [name, ...args] = process.argv.slice(2);
if (!PROGRAMS.includes(name)) {
  console.error(`usage: run.mjs ${PROGRAMS.join('|')} [ARGUMENTS]`);
  process.exit(2);
}
const built = fileURLToPath(new URL(`../dist/programs/${name}.js`, import.meta.url));
if (!existsSync(built)) {
  console.error('makegood is not built yet: building it now.');
  const build = fileURLToPath(new URL('../tools/build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [build], { stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}
process.argv.splice(1, 2 + args.length, built, ...args);
await import(pathToFileURL(built).href);
