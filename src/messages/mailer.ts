import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { deliverable, parseMailbox } from './address.js';
import { composeMime, type OutgoingMail } from './mime.js';
import {
  endedConnection,
  judgeAfterHandover,
  judgeBeforeHandover,
  oneLine,
  reasonOf,
  type SendOutcome,
  takesNoMore,
} from './send-outcome.js';
import { type DkimKey, signMail } from './sign-mail.js';
import { SmtpPlaces } from './smtp-places.js';
import { type Envelope, openSession, type Session } from './smtp-session.js';
import { parseSmtpUrl } from './smtp-url.js';

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
  /** Lets the mails under way finish, for as long as a stop can wait, answers those still waiting with `unreachable`, and takes leave of the server. */
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
  /**
   * Too small: a queue behind slow servers, and connections that stand idle while a handover is written. Too big: servers count
   * connections per client and refuse more (421); then it is as many as they took.
   */
  maxConnections: 20,
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
 * How long closing waits for a server that has not asked for the message: cut off, the mail goes out at the next start.
 * Shorter, and every stop puts off mails that were nearly out; longer, and a hanging server makes the stop look hung.
 */
const CLOSE_BEFORE_HANDOVER_MS = 2_000;
/** The same for the answer to a message that is out: cut off, it is `unknown` for ever. So nearly as long as a stop may take. */
const CLOSE_AFTER_HANDOVER_MS = 15_000;

/**
 * Connects, encrypts, logs in and takes leave: no mail is sent.
 * @throws what is wrong with the address, or with the server
 */
export async function checkMailServer(url: string): Promise<void> {
  const session = await openSession(parseSmtpUrl(url), { ...DEFAULTS, ...CHECK_TIMEOUTS });
  session.quit();
}

/** Whoever asks is waiting at a terminal. */
const CHECK_TIMEOUTS = { connectionTimeoutMs: 10_000, greetingTimeoutMs: 10_000, socketTimeoutMs: 10_000 };

/**
 * A mailer for one SMTP server, over a few connections that are kept and used again.
 *
 * It speaks through nodemailer's SMTPConnection and not through its pool: the pool reports one error for a message and
 * not the phase it happened in, and prepares the message before the server asked for it.
 *
 * `url`: see `parseSmtpUrl`, whose errors it throws. Connects when there is something to send. With `dkim` each mail is signed.
 */
export function createSmtpMailer(url: string, options: SmtpMailerOptions = {}, dkim: DkimKey | null = null): Mailer {
  const settings = { ...DEFAULTS, ...options };
  const server = parseSmtpUrl(url);
  const idle: Session[] = [];
  const places = new SmtpPlaces(settings.maxConnections);
  let closing = false;
  let closed: Promise<void> | null = null;
  /** Aborted when whoever closes has waited long enough for a server that has not asked for the message yet. */
  const beforeHandover = new AbortController();
  /** Aborted when it has waited long enough for the final answer as well. */
  const afterHandover = new AbortController();
  // Every mail under way listens to both.
  setMaxListeners(0, beforeHandover.signal, afterHandover.signal);

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
    const plain = composeMime(mail);
    const envelope = { from: parseMailbox(mail.from)?.address ?? '', to, messageId: mail.messageId };
    await places.enter();
    try {
      const message = dkim === null ? plain : await signMail(plain, dkim);
      for (;;) {
        const kept = idle.pop();
        if (kept !== undefined) {
          const first = await tryOn(kept, envelope, message, onHandover);
          if (!first.stale) return first.outcome;
        }
        if (closing) return { outcome: 'unreachable', reason: 'the mailer is closing' };
        const session = await openAnother();
        if (session !== null) return (await tryOn(session, envelope, message, onHandover)).outcome;
      }
    } catch (error) {
      return judgeBeforeHandover(error);
    } finally {
      places.leave();
    }
  }

  /** @returns null: the server takes no more at once; a place has become free since */
  async function openAnother(): Promise<Session | null> {
    try {
      return await openSession(server, settings, beforeHandover.signal);
    } catch (error) {
      if (closing || !takesNoMore(error) || !places.giveUpOne()) throw error;
      await places.enter();
      return null;
    }
  }

  /**
   * One try on one connection. `stale`: a connection that worked before was found gone before the server was ready
   * for the message. Servers hang up on idle clients without a word, so that says nothing about now: a fresh one tells.
   */
  async function tryOn(
    session: Session,
    envelope: Envelope,
    message: Buffer,
    onHandover: () => Promise<void>,
  ): Promise<{ outcome: SendOutcome; stale: boolean }> {
    const handover: Handover = { reached: false, began: false };
    const source = handOver(message, handover, onHandover);
    const usedBefore = session.mails > 0;
    const giveUp = () => {
      if (!handover.reached || afterHandover.signal.aborted) session.drop();
    };
    for (const { signal } of [beforeHandover, afterHandover]) signal.addEventListener('abort', giveUp, { once: true });
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
    } finally {
      for (const { signal } of [beforeHandover, afterHandover]) signal.removeEventListener('abort', giveUp);
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

  /** Once only: who closes again waits for the first. */
  function close(): Promise<void> {
    closed ??= closeOnce();
    return closed;
  }

  async function closeOnce(): Promise<void> {
    closing = true;
    for (const session of idle.splice(0)) session.quit();
    const timers = [
      setTimeout(() => beforeHandover.abort(), CLOSE_BEFORE_HANDOVER_MS),
      setTimeout(() => afterHandover.abort(), CLOSE_AFTER_HANDOVER_MS),
    ];
    // Whoever still waits for a place finds the mailer closing.
    await places.drained();
    for (const timer of timers) clearTimeout(timer);
  }

  return { send, verify, close };
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
