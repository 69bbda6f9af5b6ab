#!/usr/bin/env node
/**
 * Completes package-lock.json with the binaries for platforms other than this one:
 *
 *   node tools/complete-lockfile.mjs
 *
 * Some packages name a binary package for each platform as optional dependencies. A registry that does not serve all of
 * them makes `npm install` leave those out of the lock, and `npm ci` then refuses the lock as incomplete. What is added
 * here is what the packages that want them say themselves: an exact version, and by its name the platform.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

const added = {};
for (const [at, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(name, at)) continue;
    const words = name.split(/[/-]/);
    const os = OS.filter((word) => words.includes(word));
    const cpu = CPU.filter((word) => words.includes(word));
    if (os.length !== 1 || cpu.length !== 1 || !EXACT_VERSION.test(version)) {
      console.error(`complete-lockfile: ${at} wants ${name}@${version}, and its name does not say for which platform`);
      process.exit(1);
    }
    const libc = words.includes('musl') ? { libc: ['musl'] } : {};
    added[`node_modules/${name}`] = { version, cpu, ...(dev ? { dev } : {}), ...libc, optional: true, os };
  }
}
if (Object.keys(added).length > 0) {
  const [root, ...packages] = Object.entries({ ...lock.packages, ...added });
  lock.packages = Object.fromEntries([root, ...packages.sort(([a], [b]) => a.localeCompare(b, 'en'))]);
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(`complete-lockfile: ${Object.keys(added).length} added`);

/** Where Node would find it: beside the package that wants it, or above. */
function isLocked(name, at) {
  for (let folder = at; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    if (lock.packages[`${folder}${folder === '' ? '' : '/'}node_modules/${name}`]) return true;
    if (folder === '') return false;
  }
}
