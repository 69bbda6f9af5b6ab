import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** What the shop's own system was asked to carry out. */
export interface CarriedOut {
  readonly key: string;
  readonly order: string;
  readonly kind: string;
}

/** The shop's own system, for the demo: it takes signed awards, carries each out once, and answers with a number of its own. */
export async function startShopSystem(
  secret: string,
): Promise<{ readonly url: string; readonly carriedOut: readonly CarriedOut[]; stop(): Promise<void> }> {
  const webhook = new Webhook(secret);
  const byKey = new Map<string, CarriedOut>();
  const server = createServer(async (request, response) => {
    const body = await text(request);
    try {
      webhook.verify(body, request.headers as Record<string, string>);
    } catch {
      response.writeHead(401).end();
      return;
    }
    const { id, data } = JSON.parse(body) as { id: string; data: { order: string; kind: string } };
    byKey.set(id, { key: id, order: data.order, kind: data.kind });
    const reference = `shop-${[...byKey.keys()].indexOf(id) + 1}`;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ reference }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/awards`,
    get carriedOut() {
      return [...byKey.values()];
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        // Connections that are kept open for a next request would hold it up.
        server.closeAllConnections();
      }),
  };
}
