import type { AddressInfo } from 'node:net';
import type { Deps } from '../deps.js';
import { AppError } from '../errors.js';
import { createApp } from './app.js';

export interface RunningServer {
  /** Where it really listens: with PORT=0 the port is chosen when it starts. */
  readonly url: string;
  /** Takes no more, answers what is under way. */
  close(): Promise<void>;
}

/** @throws AppError `invalid_request` when the port is taken or the address is not ours */
export async function startServer(deps: Deps): Promise<RunningServer> {
  const app = await createApp(deps);
  const { host, port } = deps.config;
  try {
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
  return { url: `http://${name}:${address.port}`, close: () => app.close() };
}
