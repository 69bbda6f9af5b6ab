import { createHash } from 'node:crypto';
import MailComposer from 'nodemailer/lib/mail-composer';
import { assert } from '../errors.js';
import { deliverable, parseMailbox } from './address.js';

/** One mail to one customer, complete. The same value is the same mail, byte for byte, however often it is sent. */
export interface OutgoingMail {
  /** `Shop <post@shop.example>`, or an address alone. */
  readonly from: string;
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
}

const MESSAGE_ID = /^<[^\s<>@]+@[^\s<>@]+>$/;

/**
 * The mail as the bytes that travel: RFC 5322, CRLF, plain text and HTML as alternatives, ASCII throughout. A pure
 * function of the mail: the boundary comes from the Message-ID, the date from the mail. Nothing in a field can become
 * a header, a second recipient, a file or a URL. `Auto-Submitted` keeps out-of-office programs from answering it.
 *
 * Throws an assertion for what the caller has to see to: `to`, `from` or `replyTo` not one address, a malformed
 * Message-ID, an invalid date.
 */
export async function composeMime(mail: OutgoingMail): Promise<Buffer> {
  const to = deliverable(mail.to);
  const from = parseMailbox(mail.from);
  const replyTo = mail.replyTo === undefined ? undefined : parseMailbox(mail.replyTo);
  assert(to !== null, 'the recipient is exactly one address');
  assert(from !== null, 'the sender is exactly one mailbox');
  assert(replyTo !== null, 'the reply address is exactly one mailbox');
  assert(
    MESSAGE_ID.test(mail.messageId) && !/[^\x21-\x7e]/.test(mail.messageId),
    'a Message-ID has the form <id@domain>',
  );
  assert(!Number.isNaN(mail.date.getTime()), 'a mail has a date');

  const composer = new MailComposer({
    // Objects, not strings: what is inside is never parsed again, so a comma in a name stays a comma.
    from: { ...from },
    to: { name: '', address: to },
    ...(replyTo === undefined ? {} : { replyTo: { ...replyTo } }),
    subject: mail.subject.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' '),
    messageId: mail.messageId,
    date: mail.date,
    text: mail.text,
    html: mail.html,
    headers: { 'Auto-Submitted': 'auto-generated' },
    // Always the same encoding: lines of any length and any script survive every relay unchanged.
    encoding: 'quoted-printable',
    newline: 'win',
    boundaryPrefix: '=_makegood',
    baseBoundary: createHash('sha256').update(mail.messageId).digest('hex').slice(0, 32),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return composer.compile().build();
}
