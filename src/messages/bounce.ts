import PostalMime from 'postal-mime';

/** What a report about an undelivered mail says (RFC 3464): of whom, and what came of it. */
export interface DeliveryReport {
  /** `<…>` of the mail that it is about; null: it does not say. */
  readonly messageId: string | null;
  readonly recipients: readonly {
    readonly address: string;
    /** `failed`, `delayed`, `delivered`, `relayed`, `expanded`. */
    readonly action: string;
    /** `5.1.1` (RFC 3463); null: it does not say. */
    readonly status: string | null;
    readonly diagnostic: string | null;
  }[];
}

/** Longer, and it is no sentence of a server. */
const DIAGNOSTIC_LENGTH = 500;

/**
 * Reads a report as a mail server sends it back: `multipart/report` with a part `message/delivery-status`.
 * @returns null: this is no such report
 */
export async function readDeliveryReport(source: Uint8Array): Promise<DeliveryReport | null> {
  const mail = await new PostalMime({ forceRfc822Attachments: true, attachmentEncoding: 'utf8' }).parse(source);
  const partsOf = (type: RegExp) =>
    mail.attachments.filter(({ mimeType }) => type.test(mimeType)).map(({ content }) => String(content));
  const [status] = partsOf(/^message\/(global-)?delivery-status$/i);
  if (status === undefined) return null;
  const [ofMessage = new Map<string, string>(), ...ofRecipients] = blocksOf(status);
  const returned = partsOf(/^(message\/(global|rfc822)|text\/rfc822-headers|message\/global-headers)$/i).flatMap(
    blocksOf,
  );
  const messageId =
    messageIdIn(returned[0]?.get('message-id')) ??
    messageIdIn(unxtext(ofMessage.get('original-envelope-id') ?? '')) ??
    messageIdIn(mail.inReplyTo);
  return {
    messageId,
    recipients: ofRecipients.flatMap((fields) => {
      const address = addressIn(fields.get('original-recipient')) ?? addressIn(fields.get('final-recipient'));
      const action = fields.get('action')?.toLowerCase();
      if (address === null || action === undefined) return [];
      const [code] = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fields.get('status') ?? '') ?? [];
      const diagnostic = fields
        .get('diagnostic-code')
        ?.replace(/^\s*smtp\s*;\s*/i, '')
        .slice(0, DIAGNOSTIC_LENGTH);
      return [{ address, action, status: code ?? null, diagnostic: diagnostic || null }];
    }),
  };
}

/** Groups of fields between empty lines, by their names in small letters; a folded line goes on on the next. */
function blocksOf(text: string): Map<string, string>[] {
  const blocks = text
    .replaceAll('\r\n', '\n')
    .replace(/\n[ \t]+/g, ' ')
    .split(/\n\s*\n/);
  return blocks
    .map((block) => new Map(block.split('\n').flatMap((line) => fieldOf(line))))
    .filter((fields) => fields.size > 0);
}

/** Longer, and it is no field that we read: patterns are only held against what is short. */
const FIELD_LENGTH = 1_000;

function fieldOf(line: string): [string, string][] {
  if (line.length > FIELD_LENGTH) return [];
  const [, name, value] = /^([!-9;-~]+)\s*:\s*(.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value.trim()]];
}

function messageIdIn(text: string | undefined): string | null {
  return /<[^<>\s@]+@[^<>\s@]+>/.exec(text ?? '')?.[0] ?? null;
}

/** `rfc822; ann@example.com`. */
function addressIn(field: string | undefined): string | null {
  const [, address] = /^[a-z0-9-]+\s*;\s*<?([^\s<>@]+@[^\s<>@]+)>?$/i.exec(field ?? '') ?? [];
  return address?.toLowerCase() ?? null;
}

/** RFC 3461 4: `+3C` is `<`. */
function unxtext(text: string): string {
  return text.replace(/\+([0-9A-F]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
}

/**
 * Whether a refusal says that there is nobody at the address, now or ever: everything else (a full mailbox, a policy, our own
 * reputation) may be over tomorrow, and says nothing of the address.
 * @param code of the SMTP reply; null: not known
 * @param text of the reply, or the status of a report: its enhanced code (RFC 3463) is looked for, as `5.1.1`
 */
export function isAddressDead(code: number | null, text: string): boolean {
  const [, subject, detail] = /(?<![\d.])5\.(\d{1,3})\.(\d{1,3})(?![\d.])/.exec(text) ?? [];
  // Bad mailbox, bad system, bad syntax, moved, no mail accepted; disabled.
  if (subject !== undefined) {
    return (subject === '1' && /^([1-36]|10)$/.test(detail ?? '')) || (subject === '2' && detail === '1');
  }
  const said = text.replace(/^Can't send mail - all recipients were rejected: /, '');
  if (code !== 550 || ABOUT_US.test(said)) return false;
  return /user|mailbox|recipient|address|account/i.test(said) && NOBODY.test(said);
}

const NOBODY = /unknown|no such|not found|not exist|invalid|unavailable|disabled/i;
/** What is wrong with the sender, the way or the content, in whatever words: it says nothing of the address. */
const ABOUT_US =
  /sender|verif|polic|block|black ?list|spam|spf|dkim|dmarc|reputation|host|client|relay|service|\bIP\b|domain/i;
