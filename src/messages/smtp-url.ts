/**
 * `smtp://user:password@host:port` (587 without a port; encrypted by STARTTLS when the server offers it) or `smtps://`
 * (465, encrypted from the start). User and password are percent-encoded. After a `?`: `requireTLS=true` (never send in
 * the clear), `ignoreTLS=true`, `rejectUnauthorized=false` (a certificate that cannot be verified; the default for a server
 * on this machine), `name=` (for EHLO).
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
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const server: SmtpServer = {
    host,
    port: parsed.port === '' ? (secure ? 465 : 587) : Number(parsed.port),
    secure,
    auth: parsed.username === '' ? null : { user: decoded(parsed.username), pass: decoded(parsed.password) },
    name,
    requireTLS: flag('requireTLS', false),
    ignoreTLS: flag('ignoreTLS', false),
    // What goes to this very machine passes nobody who could pretend to be it; relays there sign their certificates themselves.
    rejectUnauthorized: flag('rejectUnauthorized', !LOOPBACK.test(host)),
  };
  const [unknown] = settings.keys();
  if (unknown !== undefined) {
    throw new Error(`the SMTP URL knows requireTLS, ignoreTLS, rejectUnauthorized and name, not ${unknown}`);
  }
  return server;
}

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/i;

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

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('the user and password in the SMTP URL are %-encoded: a % itself is %25');
  }
}
