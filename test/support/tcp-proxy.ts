import { createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Stands between this process and a server, and misbehaves when it is told to. */
export interface TcpProxy {
  /** The same address, through the proxy. */
  through(url: string): string;
  /** Connections break, new ones are refused: the server is down. */
  cut(): Promise<void>;
  /** Connections stand, new ones are taken, and not a byte comes through: the server is unplugged. */
  blackhole(): void;
  /** All is well again; what was held back comes through. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let silent = false;
  let listener: Server | null = null;
  let listeningOn = 0;

  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (chunk) => to.write(chunk));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    if (silent) from.pause();
  };
  const listen = async (): Promise<void> => {
    const server = createServer((client) => {
      const upstream = dial(Number(port), hostname);
      join(client, upstream);
      join(upstream, client);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(listeningOn, '127.0.0.1', resolve);
    });
    listeningOn = (server.address() as { port: number }).port;
    listener = server;
  };
  const cut = async (): Promise<void> => {
    const closed = new Promise((resolve) => (listener ? listener.close(resolve) : resolve(null)));
    listener = null;
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  await listen();
  return {
    through(url) {
      const changed = new URL(url);
      changed.hostname = '127.0.0.1';
      changed.port = String(listeningOn);
      return changed.toString();
    },
    cut,
    blackhole() {
      silent = true;
      for (const socket of sockets) socket.pause();
    },
    async restore() {
      silent = false;
      for (const socket of sockets) socket.resume();
      if (!listener) await listen();
    },
    stop: cut,
  };
}
