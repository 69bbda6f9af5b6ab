import { type Config, readConfig } from './config.js';
import { createLogger, type Logger } from './logger.js';
import { printError } from './print-error.js';

/** How long a process may take to stop. Longer, and whoever stops it kills it; shorter, and a batch is cut off (and done again). */
const STOP_TIMEOUT_MS = 25_000;

/** How long a start may go on after it was told to stop. A start takes a few seconds, unless it waits for something. */
const START_ABORT_MS = 8_000;

/**
 * The life of a long-running process: reads the configuration, starts, and stops cleanly on SIGTERM or SIGINT, however
 * often and to whomever they are sent. Exit code 0 after a clean stop, 1 when it could not start or stop.
 * @param start returns what stops it again
 */
export async function runProcess(
  start: (context: { config: Config; log: Logger }) => Promise<() => Promise<void>>,
): Promise<void> {
  let stopping = false;
  let started: (() => Promise<void>) | null = null;
  let log: Logger | null = null;
  let abort: NodeJS.Timeout | undefined;

  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    // Not there yet: whoever is starting finds out when it is; what waits for a server that is away waits in vain.
    if (!started) {
      abort = setTimeout(() => process.exit(0), START_ABORT_MS).unref();
      return;
    }
    await finish(started, log);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void stop());
  process.on('unhandledRejection', (error) => {
    (log ?? console).error({ err: error } as object, 'unforeseen: a promise was rejected and nobody looked');
    process.exitCode = 1;
  });

  try {
    const config = readConfig(process.env);
    log = createLogger(config.logLevel);
    started = await start({ config, log });
    // It has started after all: from here on it stops in its own time.
    clearTimeout(abort);
  } catch (error) {
    await printError(error);
    process.exit(1);
  }
  if (stopping) await finish(started, log);
}

async function finish(stop: () => Promise<void>, log: Logger | null): Promise<void> {
  setTimeout(() => {
    log?.error({}, 'did not stop in time');
    process.exit(1);
  }, STOP_TIMEOUT_MS).unref();
  try {
    await stop();
    process.exit(process.exitCode ?? 0);
  } catch (error) {
    await printError(error);
    process.exit(1);
  }
}
