import { Readable } from 'node:stream';
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { deliverable, parseMailbox } from './address.js';
import { composeMime, type OutgoingMail } from './mime.js';

export type { OutgoingMail } from './mime.js';

/**
 * What is known about one mail after one try, exactly as well as SMTP lets it be known.
 *
 * - `sent`: the server took it (2xx to the end of the message). `response` is its answer.
 * - `refused`: the server said no, and does not have it. `permanent`: it will say no again, do not retry. `code` is the
 *   SMTP reply; null when the address was refused here, without asking.
 * - `unreachable`: not one byte of the mail was handed over, and the reason is not this mail: no connection, TLS, wrong
 *   credentials, a sender the server does not accept, `onHandover` failed. Retry; if it persists, look at the settings.
 * - `unknown`: the mail was being handed over and the final answer did not come. The server may have it or not. Nobody
 *   can find out by trying again; a copy carries the same Message-ID.
 */
export type SendOutcome =
  | { readonly outcome: 'sent'; readonly response: string }
  | { readonly outcome: 'refused'; readonly permanent: boolean; readonly code: number | null; readonly reason: string }
  | { readonly outcome: 'unreachable'; readonly reason: string }
  | { readonly outcome: 'unknown'; readonly reason: string };

export type VerifyOutcome =
  | { readonly outcome: 'ready' }
  | { readonly outcome: 'unreachable'; readonly reason: string };

export interface Mailer {
  /**
   * Sends one mail to one recipient. `onHandover` is awaited after the server has accepted the recipient and asked for
   * the message (354), and before the first byte of it leaves: the place to record that from here on the mail may be
   * out. When it rejects nothing is sent. It runs at most once, and not at all when the server says no before.
   * Never rejects for anything that a server or a network does; only for a mail that `composeMime` does not take.
   */
  send(mail: OutgoingMail, onHandover: () => Promise<void>): Promise<SendOutcome>;
  /** Connects, encrypts and logs in as sending does, and sends nothing. */
  verify(): Promise<VerifyOutcome>;
  /** Lets the mails under way finish, answers those still waiting with `unreachable`, and takes leave of the server. */
  close(): Promise<void>;
}

export interface SmtpMailerOptions {
  readonly maxConnections?: number;
  readonly maxMailsPerConnection?: number;
  readonly idleTimeoutMs?: number;
  readonly connectionTimeoutMs?: number;
  readonly greetingTimeoutMs?: number;
  readonly socketTimeoutMs?: number;
}

const DEFAULTS: Required<SmtpMailerOptions> = {
  /** Too small: a queue behind slow servers. Too big: servers count connections per client and refuse (421). */
  maxConnections: 5,
  /** Too small: time goes into greetings and TLS. Too big: a balanced server never gets to spread the load. */
  maxMailsPerConnection: 1_000,
  /** Too small: a connection for every mail. Too big: the server hangs up first, and the next mail finds out. */
  idleTimeoutMs: 5_000,
  /**
   * From the lookup of the name to the end of TLS. Too small: servers that make strangers wait (6 to 20 s) look dead.
   * Too big: a dead one holds up everything.
   */
  connectionTimeoutMs: 30_000,
  /** The same for the greeting alone, which is where they make strangers wait. */
  greetingTimeoutMs: 30_000,
  /**
   * Silence in mid-dialogue. Too small: a server that checks a message before it answers makes `unknown` out of mails
   * that were accepted, the costliest outcome there is. Too big: a hanging one keeps a worker. RFC 5321 4.5.3.2 would
   * allow ten minutes after the end of the message.
   */
  socketTimeoutMs: 120_000,
};

/**
 * A mailer for one SMTP server, over a few connections that are kept and used again.
 *
 * It speaks through nodemailer's SMTPConnection and not through its pool: the pool reports one error for a message and
 * not the phase it happened in, and prepares the message before the server asked for it.
 *
 * `url`: see `parseSmtpUrl`, whose errors it throws. Connects when there is something to send.
 */
export function createSmtpMailer(url: string, options: SmtpMailerOptions = {}): Mailer {
  const settings = { ...DEFAULTS, ...options };
  const server = parseSmtpUrl(url);
  const idle: Session[] = [];
  const waiting: (() => void)[] = [];
  let active = 0;
  let closing = false;
  let closed: Promise<void> | null = null;

  async function enter(): Promise<void> {
    if (active < settings.maxConnections) active += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  }

  /** The place goes straight to whoever waits longest: nobody can slip in between. */
  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) active -= 1;
    else next();
  }

  function keep(session: Session): void {
    if (closing || session.mails >= settings.maxMailsPerConnection) {
      session.quit();
      return;
    }
    idle.push(session);
    const forget = () => {
      const place = idle.indexOf(session);
      if (place >= 0) idle.splice(place, 1);
    };
    session.rest(settings.idleTimeoutMs, forget);
  }

  async function send(mail: OutgoingMail, onHandover: () => Promise<void>): Promise<SendOutcome> {
    const to = deliverable(mail.to);
    if (to === null) {
      return {
        outcome: 'refused',
        permanent: true,
        code: null,
        reason: 'the recipient is not exactly one mail address',
      };
    }
    const message = composeMime(mail);
    const envelope = { from: parseMailbox(mail.from)?.address ?? '', to };
    await enter();
    try {
      const kept = idle.pop();
      if (kept !== undefined) {
        const first = await tryOn(kept, envelope, message, onHandover);
        if (!first.stale) return first.outcome;
      }
      if (closing) return { outcome: 'unreachable', reason: 'the mailer is closing' };
      return (await tryOn(await openSession(server, settings), envelope, message, onHandover)).outcome;
    } catch (error) {
      return judgeBeforeHandover(error);
    } finally {
      leave();
    }
  }

  /**
   * One try on one connection. `stale`: a connection that worked before was found gone before the server was ready
   * for the message. Servers hang up on idle clients without a word, so that says nothing about now: a fresh one tells.
   */
  async function tryOn(
    session: Session,
    envelope: { from: string; to: string },
    message: Buffer,
    onHandover: () => Promise<void>,
  ): Promise<{ outcome: SendOutcome; stale: boolean }> {
    const handover: Handover = { reached: false, began: false };
    const source = handOver(message, handover, onHandover);
    const usedBefore = session.mails > 0;
    try {
      const response = await session.send(envelope, source);
      keep(session);
      return { outcome: { outcome: 'sent', response: oneLine(response) }, stale: false };
    } catch (error) {
      const outcome = handover.began ? judgeAfterHandover(error) : judgeBeforeHandover(error);
      // After anything but success the dialogue may be out of step, and the next mail would get this one's answer. A
      // handover still under way must find its stream gone.
      source.destroy();
      session.drop();
      return { outcome, stale: usedBefore && !handover.reached && endedConnection(error) };
    }
  }

  async function verify(): Promise<VerifyOutcome> {
    try {
      const session = await openSession(server, settings);
      session.quit();
      return { outcome: 'ready' };
    } catch (error) {
      return { outcome: 'unreachable', reason: reasonOf(error) };
    }
  }

  /** Once only: two that take all places one by one would each wait for what the other has. */
  function close(): Promise<void> {
    closed ??= closeOnce();
    return closed;
  }

  async function closeOnce(): Promise<void> {
    closing = true;
    for (const session of idle.splice(0)) session.quit();
    // Taking every place means that everybody has left. Whoever waits in front of us finds the mailer closing.
    for (let place = 0; place < settings.maxConnections; place += 1) await enter();
    for (let place = 0; place < settings.maxConnections; place += 1) leave();
  }

  return { send, verify, close };
}

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | null;
  readonly name: string | null;
  readonly requireTLS: boolean;
  readonly ignoreTLS: boolean;
  readonly rejectUnauthorized: boolean;
}

/**
 * `smtp://user:password@host:port` (587 without a port; encrypted by STARTTLS when the server offers it) or `smtps://`
 * (465, encrypted from the start). User and password are percent-encoded. After a `?`: `requireTLS=true` (never send in
 * the clear), `ignoreTLS=true`, `rejectUnauthorized=false` (a certificate that cannot be verified), `name=` (for EHLO).
 * Throws an Error that says what is wrong and never repeats the URL, which may hold a password.
 */
export function parseSmtpUrl(url: string): SmtpServer {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || (parsed.protocol !== 'smtp:' && parsed.protocol !== 'smtps:') || parsed.hostname === '') {
    throw new Error(
      'the SMTP URL has the form smtp://user:password@host:port or smtps://…, special characters %-encoded',
    );
  }
  const settings = new Map(parsed.searchParams);
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = settings.get(key);
    settings.delete(key);
    if (value !== undefined && value !== 'true' && value !== 'false') {
      throw new Error(`the SMTP URL's ${key} is true or false`);
    }
    return value === undefined ? otherwise : value === 'true';
  };
  const secure = parsed.protocol === 'smtps:';
  const name = settings.get('name') ?? null;
  settings.delete('name');
  const server: SmtpServer = {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port),
    secure,
    auth: parsed.username === '' ? null : { user: decoded(parsed.username), pass: decoded(parsed.password) },
    name,
    requireTLS: flag('requireTLS', false),
    ignoreTLS: flag('ignoreTLS', false),
    rejectUnauthorized: flag('rejectUnauthorized', true),
  };
  const [unknown] = settings.keys();
  if (unknown !== undefined) {
    throw new Error(`the SMTP URL knows requireTLS, ignoreTLS, rejectUnauthorized and name, not ${unknown}`);
  }
  return server;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('the user and password in the SMTP URL are %-encoded: a % itself is %25');
  }
}

/** `reached`: the server has asked for the message. `began`: bytes of it may have left, from here on there is doubt. */
interface Handover {
  reached: boolean;
  began: boolean;
}

/**
 * The message as a stream that knows when it is read. SMTPConnection pipes a message only after the reply to DATA, and
 * a stream that nothing reads from produces nothing: so the first read is the moment between 354 and the first byte.
 */
function handOver(message: Buffer, handover: Handover, onHandover: () => Promise<void>): Readable {
  return new Readable({
    read() {
      if (handover.reached) return;
      handover.reached = true;
      // In a promise from the start, so that a callback that throws at once counts as one that rejects.
      Promise.resolve()
        .then(onHandover)
        .then(
          () => {
            // Gone meanwhile: the connection closed this stream, and nothing was sent.
            if (this.destroyed) return;
            handover.began = true;
            this.push(message);
            this.push(null);
          },
          (cause) => this.destroy(new Error(`not handed over: ${reasonOf(cause)}`, { cause })),
        );
    },
  });
}

/** The parts of nodemailer's errors that decide. Its messages are only ever shown. */
interface SmtpTrouble {
  readonly code?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
}

/** 503 is "bad sequence of commands": about this dialogue, not about the mail. */
const OUT_OF_STEP = 503;
/** Authentication or encryption is missing or wrong (RFC 4954, RFC 3207): our settings, whichever command it answers. */
const CREDENTIALS_CODES: readonly number[] = [530, 534, 535, 538];

/**
 * Nothing was handed over. A 4xx from anywhere is a "not now". A 5xx is final where it is said of the recipient or the
 * message (RCPT, DATA); said of us (greeting, EHLO, AUTH, MAIL) it is our configuration, every mail would get it, and
 * setting all of them aside for good would lose letters to a typing error.
 */
function judgeBeforeHandover(error: unknown): SendOutcome {
  const { command, responseCode } = (error ?? {}) as SmtpTrouble;
  const reason = reasonOf(error);
  if (typeof responseCode !== 'number') return { outcome: 'unreachable', reason };
  if (responseCode >= 400 && responseCode < 500) {
    return { outcome: 'refused', permanent: false, code: responseCode, reason };
  }
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA';
  if (responseCode >= 500 && responseCode < 600 && aboutThisMail) {
    const aboutUs = responseCode === OUT_OF_STEP || CREDENTIALS_CODES.includes(responseCode);
    if (!aboutUs) return { outcome: 'refused', permanent: true, code: responseCode, reason };
  }
  return { outcome: 'unreachable', reason };
}

/**
 * The message, or part of it, is out. Only a complete 4xx or 5xx to it (EMESSAGE) says that the server does not have
 * it. A dropped line, a timeout, a broken or a senseless reply say nothing.
 */
function judgeAfterHandover(error: unknown): SendOutcome {
  const { code, responseCode } = (error ?? {}) as SmtpTrouble;
  const reason = reasonOf(error);
  if (code === 'EMESSAGE' && typeof responseCode === 'number' && responseCode >= 400 && responseCode < 600) {
    const permanent = responseCode >= 500 && responseCode !== OUT_OF_STEP;
    return { outcome: 'refused', permanent, code: responseCode, reason };
  }
  return { outcome: 'unknown', reason };
}

/** The connection is gone, by whatever way; 421 is the polite one. */
function endedConnection(error: unknown): boolean {
  const { code, responseCode } = (error ?? {}) as SmtpTrouble;
  if (responseCode === 421) return true;
  return responseCode === undefined && (code === 'ECONNECTION' || code === 'ESOCKET' || code === 'ETIMEDOUT');
}

/** Long enough for a server's whole sentence with its link; longer ones fill logs and tables with nothing new. */
const REASON_LENGTH = 500;

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, REASON_LENGTH);
}

/** A connection that is greeted, encrypted and logged in. `mails`: how many it has carried. */
interface Session {
  readonly mails: number;
  send(envelope: { from: string; to: string }, message: Readable): Promise<string>;
  /** Nothing to do: `onGone` when it ends by itself, or is taken leave of after `forMs` without another mail. */
  rest(forMs: number, onGone: () => void): void;
  /** Says QUIT; the server's answer is waited for but not needed. */
  quit(): void;
  /** Cuts the line, in the middle of whatever is being said. */
  drop(): void;
}

/** A server that does not answer QUIT within this time is not owed more politeness. Bigger: a slower shutdown. */
const QUIT_TIMEOUT_MS = 1_000;

async function openSession(server: SmtpServer, settings: Required<SmtpMailerOptions>): Promise<Session> {
  const connection = new SMTPConnection({
    host: server.host,
    port: server.port,
    secure: server.secure,
    requireTLS: server.requireTLS,
    ignoreTLS: server.ignoreTLS,
    ...(server.name === null ? {} : { name: server.name }),
    tls: { rejectUnauthorized: server.rejectUnauthorized },
    connectionTimeout: settings.connectionTimeoutMs,
    greetingTimeout: settings.greetingTimeoutMs,
    socketTimeout: settings.socketTimeoutMs,
    // Cut, not closed: closing would first flush what is left of a message that has already been given up.
    socketCloseTimeout: 0,
  });
  // Whatever happens between two steps is found out by the next one; unheard, it would end the process.
  connection.on('error', () => {});
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
    async send(envelope, message) {
      wake();
      const sent = await step<{ response: string }>(connection, (done) =>
        connection.send({ ...envelope }, message, done),
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
