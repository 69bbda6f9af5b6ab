import { domainToASCII, domainToUnicode } from 'node:url';
import addressparser from 'nodemailer/lib/addressparser';

/** RFC 5321 4.5.3.1, in octets. A longer address is refused by servers, or cut, and then it is somebody else's. */
const ADDRESS_LENGTH = 254;
const LOCAL_PART_LENGTH = 64;

/**
 * A dot-atom of RFC 5322 without the characters that some server reads as an instruction: `%` and `!` (old source
 * routes: `victim%other.org@relay`), `|`, `` ` `` and `/` (pipes and files in local delivery). No quoted strings and
 * no comments: parsers disagree about what is inside them, and a disagreement is a mail to somebody else.
 */
const LOCAL_PART = /^[A-Za-z0-9#$&'*+\-=?^_{}~]+(?:\.[A-Za-z0-9#$&'*+\-=?^_{}~]+)*$/;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Whether this is exactly one deliverable address, nothing before or after it, in a form that every parser reads alike:
 * `ann@example.com`. Deliberately narrower than the RFCs. Refusing a strange but real address costs one customer a
 * mail, and the shop is told; accepting a crafted one writes to a stranger, and nobody is told. Not accepted: display
 * names, lists, quotes, comments, line ends, encoded words (`=?…?=`), IP literals, non-ASCII before the `@`, domains
 * without a dot. A domain may be international (`ann@bücher.example`).
 */
export function isSingleAddress(address: string): boolean {
  return deliverable(address) !== null;
}

/** The address as it goes into the envelope: the domain in ASCII. Null unless `isSingleAddress`. */
export function deliverable(address: string): string | null {
  if (address.length > ADDRESS_LENGTH) return null;
  const at = address.lastIndexOf('@');
  const localPart = address.slice(0, Math.max(at, 0));
  const domain = address.slice(at + 1);
  if (localPart.length > LOCAL_PART_LENGTH || !LOCAL_PART.test(localPart) || localPart.includes('=?')) return null;
  const asciiDomain = domainToASCII(domain);
  // It maps lookalikes (a full-width dot) and drops invisible characters: what does not lead back to what was written
  // would go to a domain that nobody wrote.
  const written = domain.toLowerCase().normalize('NFC');
  if (written !== asciiDomain && written !== domainToUnicode(asciiDomain)) return null;
  const whole = `${localPart}@${asciiDomain}`;
  return DOMAIN.test(asciiDomain) && whole.length <= ADDRESS_LENGTH ? whole : null;
}

/** A sender or reply address with the name to show for it; the name may be empty. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Reads `Shop <post@shop.example>` or a bare address. Null unless it is exactly one mailbox on one line. */
export function parseMailbox(value: string): Mailbox | null {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value)) return null;
  const [only, ...others] = addressparser(value);
  if (only?.address === undefined || others.length > 0) return null;
  const address = deliverable(only.address);
  return address === null ? null : { name: only.name, address };
}
