const armed = process.env.NODE_ENV === 'test' ? process.env.MAKEGOOD_FAILPOINT : undefined;

/**
 * A named place at which a test can kill this process, to prove that what was half done is finished later and nothing is
 * done twice. Without NODE_ENV=test this does nothing, whatever the environment says.
 */
export function failpoint(name: string): void {
  if (armed === name) process.kill(process.pid, 'SIGKILL');
}
