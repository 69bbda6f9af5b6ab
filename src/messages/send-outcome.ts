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
export function judgeBeforeHandover(error: unknown): SendOutcome {
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
export function judgeAfterHandover(error: unknown): SendOutcome {
  const { code, responseCode } = (error ?? {}) as SmtpTrouble;
  const reason = reasonOf(error);
  if (code === 'EMESSAGE' && typeof responseCode === 'number' && responseCode >= 400 && responseCode < 600) {
    const permanent = responseCode >= 500 && responseCode !== OUT_OF_STEP;
    return { outcome: 'refused', permanent, code: responseCode, reason };
  }
  return { outcome: 'unknown', reason };
}

/** The connection is gone, by whatever way; 421 is the polite one. */
export function endedConnection(error: unknown): boolean {
  const { code, responseCode } = (error ?? {}) as SmtpTrouble;
  if (responseCode === 421) return true;
  return responseCode === undefined && (code === 'ECONNECTION' || code === 'ESOCKET' || code === 'ETIMEDOUT');
}

/** Said to a connection that is only being opened: there are as many as the server takes (RFC 5321 3.8, 4.2.1). */
export function takesNoMore(error: unknown): boolean {
  return ((error ?? {}) as SmtpTrouble).responseCode === 421;
}

/** Long enough for a server's whole sentence with its link; longer ones fill logs and tables with nothing new. */
const REASON_LENGTH = 500;

export function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}

export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, REASON_LENGTH);
}
