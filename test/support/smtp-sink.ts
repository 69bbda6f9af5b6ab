import type { Socket } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { freePort } from './redis.js';

/** What a server says instead of accepting. */
export interface Refusal {
  readonly code: number;
  readonly message: string;
}

/** A mail server that keeps what it is given. */
export interface SmtpSink {
  readonly url: string;
  readonly mails: readonly {
    readonly to: string;
    readonly messageId: string;
    readonly mail: Email;
    readonly source: string;
  }[];
  /** What it answers to RCPT from now on; null: it accepts. */
  refuseWith(answer: Refusal | null): void;
  /** Asked at each RCPT from now on, in place of `refuseWith`; while it thinks, the sender waits. */
  onRecipient(judge: (address: string) => Promise<Refusal | null>): void;
  /** Asked when a mail was stored: whether its line is cut in place of the answer. */
  loseAnswers(decide: (address: string) => boolean): void;
  /** Called when a mail was stored and before 250 is said. */
  onStored(callback: () => void): void;
  stop(): Promise<void>;
}

export async function startSmtpSink(port?: number): Promise<SmtpSink> {
  const mails: { to: string; messageId: string; mail: Email; source: string }[] = [];
  let judge = async (_address: string): Promise<Refusal | null> => null;
  let stored = () => {};
  let loses = (_address: string) => false;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    async onRcptTo({ address }, _session, done) {
      const refusal = await judge(address);
      done(refusal && Object.assign(new Error(refusal.message), { responseCode: refusal.code }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', async () => {
        const source = Buffer.concat(chunks).toString('utf8');
        const mail = await PostalMime.parse(source);
        const to = session.envelope.rcptTo.map(({ address }) => address).join();
        mails.push({
          to,
          messageId: mail.messageId ?? '',
          mail,
          source,
        });
        stored();
        if (loses(to)) sockets.get(session.remotePort)?.destroy();
        else done();
      });
    },
  });
  server.on('error', () => {});
  const sockets = new Map<number, Socket>();
  server.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort ?? 0, socket));
  const listening = port ?? (await freePort());
  await new Promise<void>((resolve) => server.listen(listening, '127.0.0.1', resolve));
  return {
    url: `smtp://127.0.0.1:${listening}`,
    mails,
    refuseWith: (answer) => {
      judge = async () => answer;
    },
    onRecipient: (callback) => {
      judge = callback;
    },
    loseAnswers: (decide) => {
      loses = decide;
    },
    onStored: (callback) => {
      stored = callback;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
