import type { BACKENDS } from '../support/backends.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { type Client, clientOf } from '../support/makegood.js';
import { startProgram } from '../support/program.js';
import { runProgram } from '../support/run-program.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';

type StartQueue = (typeof BACKENDS)[number]['start'];

/** How a program ended: one of the two is null. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}
export const KILLED: Ending = { code: null, signal: 'SIGKILL' };
export const STOPPED: Ending = { code: 0, signal: null };

/** The real program, in a process group of its own, and what one can ask of it. */
export interface RunningProgram extends Client {
  readonly ended: Promise<Ending>;
  /** SIGTERM, and waits. */
  stop(): Promise<Ending>;
  /** kill -9 of the whole group, and waits. */
  kill(): Promise<Ending>;
}

/** What stays when programs die: a database, a queue and a mail server of a test's own. */
export interface World {
  readonly database: TestDatabase;
  readonly queue: Awaited<ReturnType<StartQueue>>;
  readonly smtp: SmtpSink;
  /** Starts the program in this world. An empty variable counts as unset. */
  start(changes?: Record<string, string>): Promise<RunningProgram>;
  /** Runs a command of the command line in this world. @returns what it printed, which must be JSON */
  command(...args: string[]): Promise<unknown>;
}

/** Makes a world, and takes it down when the work is done. When it fails, the error shows what the programs have said. */
export async function withWorld(startQueue: StartQueue, work: (world: World) => Promise<void>): Promise<void> {
  const undo: (() => Promise<void>)[] = [];
  try {
    const database = await createTestDatabase();
    undo.push(() => database.drop());
    const queue = await startQueue();
    undo.push(() => queue.stop());
    const smtp = await startSmtpSink();
    undo.push(() => smtp.stop());
    const env = { DATABASE_URL: database.url, REDIS_URL: queue.redisUrl ?? '', SMTP_URL: smtp.url };
    await withPrograms((start) =>
      work({
        database,
        queue,
        smtp,
        start: (changes = {}) => start({ ...env, ...changes }),
        async command(...args) {
          const { status, stdout, stderr } = await runProgram(['makegood', ...args], { env });
          if (status !== 0) throw new Error(`makegood ${args.join(' ')} ended with ${status}: ${stderr}`);
          return JSON.parse(stdout);
        },
      }),
    );
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

/** What a failed test shows of each program that it started. */
const EVIDENCE_LENGTH = 6_000;

/** Gives a test the means to start programs. What still runs when it ends is killed. */
export async function withPrograms(
  work: (start: (env: Record<string, string>) => Promise<RunningProgram>) => Promise<void>,
): Promise<void> {
  const programs: Awaited<ReturnType<typeof startProgram>>[] = [];
  try {
    await work(async (env) => {
      const program = await startProgram(env);
      programs.push(program);
      const { ended } = program;
      const end = (signal: NodeJS.Signals) => {
        program.kill(signal, signal === 'SIGKILL' ? 'group' : 'program');
        return ended;
      };
      return { ...clientOf(program.url), ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
    });
  } catch (error) {
    const evidence = programs.map(
      (program) => `\n--- program ${program.pid}:\n${program.output().slice(-EVIDENCE_LENGTH)}`,
    );
    if (error instanceof Error) error.message += evidence.join('');
    throw error;
  } finally {
    for (const program of programs) program.kill('SIGKILL', 'group');
  }
}
