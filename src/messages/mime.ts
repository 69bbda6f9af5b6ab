import { createHash } from 'node:crypto';
import MimeNode from 'nodemailer/lib/mime-node';
import { encode, wrap } from 'nodemailer/lib/qp';
import { assert } from '../errors.js';
import { deliverable, parseMailbox } from './address.js';

/** One mail to one customer, complete. The same value is the same mail, byte for byte, however often it is sent. */
export interface OutgoingMail {
  /** `Shop <post@shop.example>`, or an address alone. */
  readonly from: string;
  /** The name to show in place of that in `from`: a person's. */
  readonly fromName?: string;
  /** Exactly one address (`isSingleAddress`), without a name. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** `<unique@domain>`, fixed for good when the letter was decided on: by it a second copy is known as a copy. */
  readonly messageId: string;
  /** When it was written; not when it is sent, which differs between copies. */
  readonly date: Date;
  readonly replyTo?: string;
  /** Where a POST ends letters of this kind (RFC 8058); an http or https URL in ASCII. */
  readonly unsubscribeUrl?: string;
}

/** Printable ASCII without angle brackets: what stands between them in the header. */
const LIST_URL = /^https?:\/\/[!-;=?-~]+$/;
/** Longer ones are cut: a line of a header holds 998 characters, and no mail program shows as many. */
const NAME_LENGTH = 120;
/** Printable ASCII without the characters that would end it early. */
const MESSAGE_ID = /^<[!-;=?A-~]+@[!-;=?A-~]+>$/;

/**
 * The mail as the bytes that travel: RFC 5322, CRLF, plain text and HTML as alternatives, ASCII throughout. A pure
 * function of the mail: the boundary comes from the Message-ID, the date from the mail. Nothing in a field can become
 * a header, a second recipient, a file or a URL. `Auto-Submitted` keeps out-of-office programs from answering it.
 *
 * nodemailer's encoders do the encoding; its composer, which streams attachments too, takes ten times as long for two
 * short texts.
 *
 * Throws an assertion for what the caller has to see to: `to`, `from` or `replyTo` not one address, a malformed
 * Message-ID or URL, an invalid date, a text that is not a string.
 */
export function composeMime(mail: OutgoingMail): Buffer {
  const to = deliverable(mail.to);
  const from = parseMailbox(mail.from);
  const replyTo = mail.replyTo === undefined ? undefined : parseMailbox(mail.replyTo);
  assert(to !== null, 'the recipient is exactly one address');
  assert(from !== null, 'the sender is exactly one mailbox');
  assert(replyTo !== null, 'the reply address is exactly one mailbox');
  assert(
    mail.unsubscribeUrl === undefined || LIST_URL.test(mail.unsubscribeUrl),
    'an address to unsubscribe at is a URL',
  );
  assert(MESSAGE_ID.test(mail.messageId), 'a Message-ID has the form <id@domain>');
  assert(!Number.isNaN(mail.date.getTime()), 'a mail has a date');

  // `=_` never occurs in quoted-printable, so no text can hold the boundary.
  const boundary = `=_makegood-${createHash('sha256').update(mail.messageId).digest('hex').slice(0, 32)}`;
  const head = new MimeNode(`multipart/alternative; boundary="${boundary}"`, {
    disableFileAccess: true,
    disableUrlAccess: true,
    // It has no parts of its own to keep apart: a random one would be a system call for each mail.
    baseBoundary: 'none',
  });
  // Objects, not strings: what is inside is never parsed again, so a comma in a name stays a comma.
  head.setHeader('From', mail.fromName === undefined ? { ...from } : { ...from, name: shortName(mail.fromName) });
  head.setHeader('To', { name: '', address: to });
  if (replyTo !== undefined) head.setHeader('Reply-To', { ...replyTo });
  head.setHeader('Subject', onOneLine(mail.subject));
  head.setHeader('Message-ID', mail.messageId);
  head.setHeader('Date', mail.date);
  head.setHeader('Auto-Submitted', 'auto-generated');
  if (mail.unsubscribeUrl !== undefined) {
    head.setHeader('List-Unsubscribe', { prepared: true, foldLines: false, value: `<${mail.unsubscribeUrl}>` });
    head.setHeader('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click');
  }
  return Buffer.from(
    [
      head.buildHeaders(),
      '',
      `--${boundary}`,
      ...part('text/plain', mail.text),
      `--${boundary}`,
      ...part('text/html', mail.html),
      `--${boundary}--`,
      '',
    ].join('\r\n'),
  );
}

function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** A name is text from outside: on one line, and never half a character. */
function shortName(name: string): string {
  return [...onOneLine(name).trim()].slice(0, NAME_LENGTH).join('');
}

/** Quoted-printable always: lines of any length and any script survive every relay unchanged. */
function part(type: string, content: string): readonly string[] {
  assert(typeof content === 'string', 'a text is a string');
  return [
    `Content-Type: ${type}; charset=utf-8`,
    'Content-Transfer-Encoding: quoted-printable',
    '',
    wrap(encode(content.replace(/\r\n|\r|\n/g, '\r\n'))),
  ];
}
