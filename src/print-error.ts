import { AppError } from './errors.js';

/** What a person reads on a terminal: what is wrong, each fault on a line of its own. */
export async function printError(thrown: unknown): Promise<void> {
  const error = thrown instanceof AppError ? thrown : await explain(thrown);
  if (error instanceof AppError) {
    process.stderr.write(`makegood: ${error.message}\n`);
    for (const { field, message } of error.errors)
      process.stderr.write(`  ${field === '' ? '' : `${field}: `}${message}\n`);
    return;
  }
  process.stderr.write(`makegood: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
}

/** Loaded only now: a command that needs no database must not wait for its driver. */
async function explain(error: unknown): Promise<unknown> {
  const { explainConnection } = await import('./db/database.js');
  return explainConnection(error);
}
