import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { createApp } from './app.js';

/** A request that is not answered by then is cut off: whoever stops us does not wait for ever. */
const CLOSE_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 50;

export interface RunningServer {
  /** Where it really listens: with PORT=0 the port is chosen when it starts. */
  readonly url: string;
  /** Takes no more, answers what is under way. */
  close(): Promise<void>;
}

/**
 * @param first what has to be done before it listens; the server is made meanwhile
 * @throws AppError `invalid_request` when the port is taken or the address is not ours
 */
export async function startServer(deps: Deps, first?: Promise<unknown>): Promise<RunningServer> {
  // Looked at below: until then nobody is missing it.
  first?.catch(() => {});
  const app = await createApp(deps);
  const { host, port } = deps.config;
  try {
    await first;
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new AppError('invalid_request', `Port ${port} of ${host} is taken. Set PORT to another.`);
    if (code === 'EADDRNOTAVAIL') throw new AppError('invalid_request', `HOST ${host} is no address of this machine.`);
    if (code === 'EACCES')
      throw new AppError('invalid_request', `Port ${port} needs more rights. Set PORT to one above 1023.`);
    throw error;
  }
  const address = app.server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, close: () => closeGracefully(app) };
}

/** Connections that were busy when we began to close are kept alive by their clients, and end nothing by themselves. */
async function closeGracefully(app: FastifyInstance): Promise<void> {
  const until = Date.now() + CLOSE_TIMEOUT_MS;
  const look = setInterval(() => {
    if (Date.now() < until) app.server.closeIdleConnections();
    else app.server.closeAllConnections();
  }, LOOK_EVERY_MS);
  try {
    await app.close();
  } finally {
    clearInterval(look);
  }
}
