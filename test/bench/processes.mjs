import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { PATH = '', HOME = '' } = process.env;
/** Longer, and it does not come up at all. */
const READY_TIMEOUT_MS = 60_000;

/** Starts a program, and notes when and how it ends. Nothing of our environment but PATH and HOME: NODE_OPTIONS and such cost time. */
export function start(command, args, env = {}, cwd = ROOT) {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd, env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  let isOver = false;
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      isOver = true;
      resolve({ code, signal, ms: performance.now() - startedAt });
    });
  });
  return { pid: child.pid, startedAt, ended, isOver: () => isOver, output: () => output, child };
}

/** Runs a program to its end. @throws with what it wrote unless it ends with 0 */
export async function run(command, args, env, cwd) {
  const program = start(command, args, env, cwd);
  const { code, signal, ms } = await program.ended;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code ?? signal}\n${program.output()}`);
  return { ms, output: program.output() };
}

/** `npm start`, or a part of it. @returns once /readyz says 200, with the milliseconds that took */
export async function startReady(script, env) {
  const port = await freePort();
  const program = start('npm', ['run', '-s', script], { PORT: String(port), LOG_LEVEL: 'error', ...env });
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (program.isOver()) throw new Error(`npm run ${script} ended before it was ready:\n${program.output()}`);
    if (performance.now() - program.startedAt > READY_TIMEOUT_MS) {
      program.child.kill('SIGTERM');
      throw new Error(`npm run ${script} is not ready after ${READY_TIMEOUT_MS} ms:\n${program.output()}`);
    }
    await sleep(5);
  }
  return { ...program, url, readyMs: performance.now() - program.startedAt };
}

async function isReady(url) {
  try {
    const response = await fetch(`${url}/readyz`);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}

/** Ends a program with SIGTERM. @returns milliseconds to its end. @throws unless it ends with 0 and leaves no process behind */
export async function stop(program) {
  const family = familyOf(program.pid);
  const startedAt = performance.now();
  program.child.kill('SIGTERM');
  const { code, signal } = await program.ended;
  const ms = performance.now() - startedAt;
  if (code !== 0) throw new Error(`SIGTERM: ended with ${code ?? signal}\n${program.output()}`);
  const alive = new Set(processes().map(({ pid, started }) => `${pid} ${started}`));
  const left = family.filter(({ pid, started }) => alive.has(`${pid} ${started}`));
  if (left.length > 0) throw new Error(`SIGTERM: left behind ${left.map(({ pid, name }) => `${name} (${pid})`)}`);
  return ms;
}

/** A process and all that came of it, also those in sessions of their own. */
export function familyOf(pid) {
  const all = processes();
  const family = all.filter((one) => one.pid === pid);
  for (const parent of family) family.push(...all.filter((one) => one.parent === parent.pid));
  return family;
}

/** /proc counts the time of processors in hundredths of a second. */
const TICK_MS = 10;

/** All processes, as /proc has them; memory in MiB. One that ends while we look is not there. */
function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The name stands in brackets and may hold anything.
        const [, comm = '', rest = ''] = /\((.*)\) (.*)$/s.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? [];
        const [, parent, ...fields] = rest.split(' ');
        const started = fields[17];
        const [user, system, reapedUser, reapedSystem] = fields.slice(9, 13).map(Number);
        // Its own, and that of those that came of it and have ended.
        const cpuMs = (user + system + reapedUser + reapedSystem) * TICK_MS;
        const isZombie = rest.startsWith('Z');
        return isZombie
          ? []
          : [{ pid: Number(name), parent: Number(parent), name: comm, started, cpuMs, ...memoryOf(name) }];
      } catch {
        return [];
      }
    });
}

/** What a process holds now and held at the most. Kernel threads have no memory. */
function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { rss: mib('VmRSS'), peak: mib('VmHWM') };
}

/** MiB of a process where a page that n processes share counts as an n-th: the sum over all of them is what they hold together. */
export function shareOf({ pid }) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1024;
}

/** The most that a program held until it ended, in MiB; what npm and shells hold is not counted. */
export async function peakOf(program) {
  let peak = 0;
  while (!program.isOver()) {
    const mains = familyOf(program.pid).filter(isOurs);
    peak = Math.max(peak, ...mains.map((one) => one.peak));
    await sleep(20);
  }
  return peak;
}

/** Node's processes, and not npm's, which calls itself `npm run …`. */
export const isOurs = ({ name }) => name === 'node' || name === 'MainThread';
/** The servers of PostgreSQL and the shell that watches over them. */
export const isPostgres = ({ name }) => name === 'postgres' || name === 'sh';

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
