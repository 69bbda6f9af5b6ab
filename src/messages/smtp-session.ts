import type { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { SmtpServer } from './smtp-url.js';

/** From whom, to whom, and under which Message-ID: a server that reports on deliveries repeats it. */
export interface Envelope {
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
}

/** A connection that is greeted, encrypted and logged in. `mails`: how many it has carried. */
export interface Session {
  readonly mails: number;
  send(envelope: Envelope, message: Readable): Promise<string>;
  /** Nothing to do: `onGone` when it ends by itself, or is taken leave of after `forMs` without another mail. */
  rest(forMs: number, onGone: () => void): void;
  /** Says QUIT; the server's answer is waited for but not needed. */
  quit(): void;
  /** Cuts the line, in the middle of whatever is being said. */
  drop(): void;
}

/** A server that does not answer QUIT within this time is not owed more politeness. Bigger: a slower shutdown. */
const QUIT_TIMEOUT_MS = 1_000;

/** How long to wait before giving up; mailer.ts says what is too long and too short. */
export interface SmtpTimeouts {
  readonly connectionTimeoutMs: number;
  readonly greetingTimeoutMs: number;
  readonly socketTimeoutMs: number;
}

/** Connects, encrypts and logs in. @throws nodemailer's error, which send-outcome.ts can judge */
export async function openSession(server: SmtpServer, timeouts: SmtpTimeouts, signal?: AbortSignal): Promise<Session> {
  const connection = new SMTPConnection({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTLS,
    ignoreTLS: server.ignoreTLS,
    ...(server.name === null ? {} : { name: server.name }),
    tls: { rejectUnauthorized: server.rejectUnauthorized },
    connectionTimeout: timeouts.connectionTimeoutMs,
    greetingTimeout: timeouts.greetingTimeoutMs,
    socketTimeout: timeouts.socketTimeoutMs,
    // Cut, not closed: closing would first flush what is left of a message that has already been given up.
    socketCloseTimeout: 0,
  });
  // Whatever happens between two steps is found out by the next one; unheard, it would end the process.
  connection.on('error', () => {});
  const giveUp = () => connection.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await step<void>(connection, (done) => connection.connect((error) => done(error ?? null, undefined)));
    const { auth } = server;
    // A server that offers no login gets none: where it wants one after all it says 530 to the mail, which is judged.
    if (auth !== null && connection.allowsAuth) {
      await step<unknown>(connection, (done) => connection.login({ ...auth }, done));
    }
  } catch (error) {
    connection.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  return sessionOn(connection);
}

function sessionOn(connection: SMTPConnection): Session {
  let mails = 0;
  let wake = () => {};
  const session: Session = {
    get mails() {
      return mails;
    },
    async send({ from, to, messageId }, message) {
      wake();
      // Only said to a server that offers it (RFC 3461): it then reports a mail that it cannot deliver, and names this id.
      const dsn = { id: envelopeId(messageId), ret: 'HDRS', notify: 'FAILURE', orcpt: `rfc822;${to}` };
      const sent = await step<{ response: string }>(connection, (done) =>
        connection.send({ from, to, dsn }, message, done),
      );
      mails += 1;
      return sent.response;
    },
    rest(forMs, onGone) {
      const timer = setTimeout(() => {
        wake();
        onGone();
        session.quit();
      }, forMs);
      const ended = () => {
        wake();
        onGone();
      };
      connection.once('end', ended);
      wake = () => {
        clearTimeout(timer);
        connection.off('end', ended);
        wake = () => {};
      };
    },
    quit() {
      wake();
      const cut = setTimeout(() => connection.close(), QUIT_TIMEOUT_MS);
      connection.once('end', () => clearTimeout(cut));
      if (connection.destroyed) clearTimeout(cut);
      else connection.quit();
    },
    drop() {
      wake();
      connection.close();
    },
  };
  return session;
}

/** RFC 3461 4.4: no longer than this, each character that has to be encoded counting as three. */
const ENVELOPE_ID_LENGTH = 100;

/** The Message-ID without its brackets; where it is too long, what comes before the domain, which is ours alone. */
function envelopeId(messageId: string): string {
  const whole = messageId.slice(1, -1);
  const fits = whole.replace(/[+=]/g, '...').length <= ENVELOPE_ID_LENGTH;
  return fits ? whole : whole.slice(0, whole.lastIndexOf('@')).slice(0, ENVELOPE_ID_LENGTH / 3);
}

/**
 * Runs one step of the dialogue and settles once: with its result, its error, or the end of the connection. A
 * connection can end without the step's own callback being called, so all three are heard; and it says `end` before it
 * hands over the better error, so `end` counts only when that does not come in the same turn.
 */
function step<T>(
  connection: SMTPConnection,
  run: (done: (error: Error | null, result: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      connection.off('error', onError);
      connection.off('end', onEnd);
      finish();
    };
    const onError = (error: Error) => settle(() => reject(error));
    const onEnd = () => {
      const lost = Object.assign(new Error('the connection ended'), { code: 'ECONNECTION' });
      setImmediate(() => settle(() => reject(lost)));
    };
    connection.on('error', onError);
    connection.on('end', onEnd);
    run((error, result) => settle(() => (error === null ? resolve(result) : reject(error))));
  });
}
