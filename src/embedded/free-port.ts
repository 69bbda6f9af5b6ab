import { createServer } from 'node:net';

/** Listens on 127.0.0.1 for a moment and gives the port (0 lets the system choose); null when that is not possible. */
export function freePort(port: number): Promise<number | null> {
  return new Promise((resolvePort) => {
    const server = createServer();
    server.once('error', () => resolvePort(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const chosen = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => resolvePort(chosen));
    });
  });
}
