import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ADMIN_KEY, SECRET } from './makegood.js';

const RUN = fileURLToPath(new URL('../../bin/run.mjs', import.meta.url));

/** A long-running program of ours, in a process group of its own. */
export interface Program {
  readonly url: string;
  readonly pid: number;
  /** How it ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** What it wrote, for when a test fails. */
  output(): string;
  /** Sends a signal to the program, or to its whole group. */
  kill(signal: NodeJS.Signals, whom?: 'program' | 'group'): void;
}

/** Starts `npm start`'s program, and waits until it is ready. @throws with its output when it ends before */
export async function startProgram(env: Record<string, string>): Promise<Program> {
  const { PATH = '', HOME = '' } = process.env;
  const child: ChildProcess = spawn(process.execPath, [RUN, 'start'], {
    env: {
      PATH,
      HOME,
      NODE_ENV: 'test',
      PORT: '0',
      ADMIN_API_KEY: ADMIN_KEY,
      EASYPOST_WEBHOOK_SECRET: SECRET,
      MAIL_FROM: 'Test Shop <care@shop.example>',
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const [, ready] = /makegood is ready at (\S+)/.exec(output) ?? [];
        if (ready) resolve(ready);
      });
    }
    void ended.then(({ code, signal }) =>
      reject(new Error(`ended (${code ?? signal}) before it was ready:\n${output}`)),
    );
  });
  const pid = child.pid ?? 0;
  return {
    url,
    pid,
    ended,
    output: () => output,
    kill(signal, whom = 'program') {
      try {
        process.kill(whom === 'group' ? -pid : pid, signal);
      } catch {
        // It is gone already.
      }
    },
  };
}
