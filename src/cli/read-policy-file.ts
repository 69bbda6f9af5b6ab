import type { Policy } from '../compensation/policy.js';
import { notAPolicy, readPolicySource } from '../compensation/policy-source.js';
import { AppError } from '../errors.js';
import { readInput } from './read-input.js';

/**
 * Reads a policy from a file, or from standard input when it is `-`.
 * @throws AppError `invalid_request`, with line and column, when it cannot be read or is no valid policy
 */
export async function readPolicyFile(file: string): Promise<Policy> {
  const read = readPolicySource(await readPolicyText(file));
  if (read.outcome === 'ok') return read.policy;
  throw notAPolicy(file === '-' ? 'standard input' : file, read.faults);
}

/** As bytes are: UTF-8, or it is refused. */
export async function readPolicyText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readInput(file));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('invalid_request', `${file} is not UTF-8 text`, { cause });
  }
}
