import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the receiver does with the next event at a path. Without one it answers 204. */
export type Reception =
  | { readonly say: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Takes the event and never answers. */
  | 'hang'
  /** Takes the event and drops the connection. */
  | 'close'
  /** Answers 200, and a body that never ends. */
  | 'flood'
  /** Answers 200, the first byte of a body, and nothing more. */
  | 'stall';

export interface Received {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A system of the shop's that is told of events, and misbehaves when it is told to. */
export interface EventReceiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  at(path: string): Received[];
  /** For the next events at this path, in this order; `always` for all of them from now on, null to be well again. */
  next(path: string, ...receptions: Reception[]): void;
  always(path: string, reception: Reception | null): void;
  stop(): Promise<void>;
}

export async function startEventReceiver(): Promise<EventReceiver> {
  const received: Received[] = [];
  const scripts = new Map<string, Reception[]>();
  const standing = new Map<string, Reception>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = request.url ?? '/';
    const body = Buffer.concat(chunks).toString('utf8');
    received.push({ path, headers: request.headers as Record<string, string>, body });
    const reception = scripts.get(path)?.shift() ?? standing.get(path);
    if (reception === 'hang') return;
    if (reception === 'close') return void response.destroy();
    if (reception === 'stall') return void response.writeHead(200).write('o');
    if (reception === 'flood') {
      const pour = () => {
        while (!response.destroyed && response.write('x'.repeat(4_096)));
      };
      response.writeHead(200).on('drain', pour);
      return pour();
    }
    const { say = 204, headers = {}, body: answer = '' } = reception ?? {};
    response.writeHead(say, headers).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    at: (path) => received.filter((one) => one.path === path),
    next: (path, ...receptions) => void scripts.set(path, [...(scripts.get(path) ?? []), ...receptions]),
    always: (path, reception) => void (reception === null ? standing.delete(path) : standing.set(path, reception)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
