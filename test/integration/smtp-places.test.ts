import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { createSmtpMailer, type Mailer } from '../../src/messages/mailer.js';

let server: SMTPServer | null = null;
let mailer: Mailer | null = null;

afterEach(async () => {
  await mailer?.close();
  await new Promise<void>((resolve) => (server ? server.close(resolve) : resolve()));
});

/** A server that takes so many connections at once, and says 421 to any more. */
async function serverFor(connections: number) {
  const seen = { mails: [] as string[], turnedAway: 0 };
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    maxClients: connections,
    onData(stream, session, done) {
      stream.on('end', () => {
        seen.mails.push(session.envelope.rcptTo.map(({ address }) => address).join());
        // Long enough that all who may send do so at once.
        setTimeout(done, 20);
      });
      stream.resume();
    },
  });
  server.on('error', () => {
    seen.turnedAway++;
  });
  server.server.on('connection', (socket) => {
    const { write } = socket;
    socket.write = ((chunk: unknown, ...rest: []) => {
      if (String(chunk).startsWith('421')) seen.turnedAway++;
      return write.call(socket, chunk as string, ...rest);
    }) as typeof write;
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, seen };
}

async function sendMany(to: Mailer, count: number) {
  let handovers = 0;
  const outcomes = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      to.send(
        {
          from: 'shop@shop.example',
          to: `c-${index}@example.com`,
          subject: 'Hello',
          text: 'Hello',
          html: '<p>Hello</p>',
          messageId: `<${index}@shop.example>`,
          date: new Date('2026-11-28T12:00:00Z'),
        },
        async () => {
          handovers++;
        },
      ),
    ),
  );
  return { outcomes: outcomes.map(({ outcome }) => outcome), handovers };
}

describe('a server that takes fewer connections than the mailer wants', () => {
  test('gets every mail once, over as many as it takes', async () => {
    const { url, seen } = await serverFor(3);
    mailer = createSmtpMailer(url, { maxConnections: 10 });
    const { outcomes, handovers } = await sendMany(mailer, 40);
    expect(outcomes).toEqual(Array(40).fill('sent'));
    expect(handovers).toBe(40);
    expect(new Set(seen.mails).size).toBe(40);
    expect(seen.mails).toHaveLength(40);
    expect(seen.turnedAway).toBeGreaterThan(0);
  });

  test('is not asked for more again', async () => {
    const { url, seen } = await serverFor(3);
    mailer = createSmtpMailer(url, { maxConnections: 10 });
    await sendMany(mailer, 20);
    const before = seen.turnedAway;
    const { outcomes } = await sendMany(mailer, 20);
    expect(outcomes).toEqual(Array(20).fill('sent'));
    expect(seen.turnedAway).toBe(before);
  });
});

test('a server that takes none says so to every mail', async () => {
  const { url } = await serverFor(1);
  const first = createSmtpMailer(url, { maxConnections: 1 });
  await sendMany(first, 1);
  mailer = createSmtpMailer(url, { maxConnections: 10 });
  const { outcomes, handovers } = await sendMany(mailer, 12);
  expect(outcomes).toEqual(Array(12).fill('refused'));
  expect(handovers).toBe(0);
  await first.close();
});
