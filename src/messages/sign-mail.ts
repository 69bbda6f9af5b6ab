import { buffer } from 'node:stream/consumers';
import DKIM from 'nodemailer/lib/dkim';
import { assert } from '../errors.js';

/** A DKIM key: RSA, as PEM, and under which name its public half stands in the domain's DNS. */
export interface DkimKey {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: string;
}

/** Every header that we write. RFC 8058 wants both of List-Unsubscribe signed; nodemailer's own list has one. */
const SIGNED =
  'From:To:Reply-To:Subject:Date:Message-ID:MIME-Version:Content-Type:Auto-Submitted:List-Unsubscribe:List-Unsubscribe-Post';

/** The mail with its DKIM-Signature before it: relaxed/relaxed, rsa-sha256, without a time, so that every copy has the same bytes. */
export async function signMail(mail: Buffer, { domain, selector, privateKey }: DkimKey): Promise<Buffer> {
  const signer = new DKIM({ domainName: domain, keySelector: selector, privateKey, headerFieldNames: SIGNED });
  const signed = await buffer(signer.sign(mail));
  assert(signed.length > mail.length, 'a mail that is to be signed has its signature');
  return signed;
}
