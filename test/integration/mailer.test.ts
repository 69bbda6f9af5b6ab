import { createHash, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { isSingleAddress, parseMailbox } from '../../src/messages/address.js';
import { createSmtpMailer, type Mailer } from '../../src/messages/mailer.js';
import type { OutgoingMail } from '../../src/messages/mime.js';
import { composeMime } from '../../src/messages/mime.js';
import { parseSmtpUrl } from '../../src/messages/smtp-url.js';

/** For tests in which nothing should time out: a busy machine must not look like a silent server. */
const PATIENT = { connectionTimeoutMs: 20_000, greetingTimeoutMs: 20_000, socketTimeoutMs: 20_000 };
/** For those in which a server is silent. */
const HASTY = { connectionTimeoutMs: 800, greetingTimeoutMs: 400, socketTimeoutMs: 400 };

function mail(changes: Partial<OutgoingMail> = {}): OutgoingMail {
  return {
    from: 'Lindgren & Sons <post@shop.example>',
    to: 'ann@example.com',
    subject: 'Order 1042 came a day late: one free month added',
    text: 'Hello Ann,\n\n.a line that begins with a dot\nFrom here on\n',
    html: '<p>Hello Ann, café</p>',
    messageId: '<0f6b@shop.example>',
    date: new Date('2026-11-06T20:00:00Z'),
    ...changes,
  };
}

/** What a scripted server does when it is that phase's turn: answer a line, say nothing, or cut the line. */
type Act =
  | string
  | 'hang'
  | 'drop'
  | { readonly afterMs: number; readonly reply: string }
  | { readonly unfinished: string };
interface Script {
  readonly greeting?: Act;
  readonly ehlo?: Act;
  readonly helo?: Act;
  readonly auth?: Act;
  readonly starttls?: Act;
  readonly mail?: Act;
  readonly rcpt?: Act;
  readonly data?: Act;
  /** At the first byte of the message; without it the message is read to its end. */
  readonly body?: Act;
  readonly end?: Act;
}

interface ScriptedServer {
  readonly url: string;
  /** The commands as they came, with what follows the verb. */
  readonly lines: string[];
  /** Everything in the order it happened on the wire; tests add their own. */
  readonly events: string[];
  readonly messages: Buffer[];
  connections(): number;
  closed(): number;
}

const ACCEPTING = { ehlo: '250-scripted\r\n250 8BITMIME' } as const;
const PIPELINING = { ehlo: '250-scripted\r\n250-PIPELINING\r\n250 8BITMIME' } as const;
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server that plays one script to each connection; `scripts` may choose by the connection's number, from 1. */
async function scripted(
  scripts: Script | ((connection: number, mailOfConnection: number) => Script),
): Promise<ScriptedServer> {
  const lines: string[] = [];
  const events: string[] = [];
  const messages: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  let closed = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    let mails = 1;
    let buffered = Buffer.alloc(0);
    let inBody = false;
    let stopped = false;
    const script = () => (typeof scripts === 'function' ? scripts(connection, mails) : scripts);
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      closed += 1;
      sockets.delete(socket);
    });
    const act = (what: Act, then?: () => void) => {
      if (what === 'hang') stopped = true;
      else if (what === 'drop') {
        stopped = true;
        events.push('dropped');
        socket.destroy();
      } else if (typeof what === 'string') {
        socket.write(`${what}\r\n`);
        then?.();
      } else if ('unfinished' in what) {
        stopped = true;
        socket.end(what.unfinished);
      } else setTimeout(() => socket.destroyed || socket.write(`${what.reply}\r\n`), what.afterMs);
    };
    const command = (line: string) => {
      const verb = line.slice(0, 4).toUpperCase();
      lines.push(line);
      events.push(verb);
      if (verb === 'EHLO') act(script().ehlo ?? ACCEPTING.ehlo);
      else if (verb === 'HELO') act(script().helo ?? '250 scripted');
      else if (verb === 'AUTH') act(script().auth ?? '235 welcome');
      else if (verb === 'STAR') act(script().starttls ?? '220 go ahead');
      else if (verb === 'MAIL') act(script().mail ?? '250 sender ok');
      else if (verb === 'RCPT') act(script().rcpt ?? '250 recipient ok');
      else if (verb === 'QUIT') {
        act('221 bye');
        socket.end();
      } else if (verb === 'DATA') {
        const { rcpt, data } = script();
        const refused = typeof rcpt === 'string' && !rcpt.startsWith('2');
        const answer = data ?? (refused ? '554 no valid recipients' : '354 go ahead');
        act(answer, () => {
          inBody = String(answer).startsWith('3');
          events.push(String(answer).slice(0, 3));
        });
      }
    };
    socket.on('data', (chunk) => {
      if (stopped) return;
      if (inBody && buffered.length === 0) {
        events.push('first byte');
        const onBody = script().body;
        if (onBody !== undefined) {
          act(onBody);
          if (stopped) return;
        }
      }
      buffered = Buffer.concat([buffered, chunk]);
      while (!stopped) {
        if (inBody) {
          // An empty message is the dot alone.
          const empty = buffered.subarray(0, 3).toString() === '.\r\n';
          const end = empty ? -2 : buffered.indexOf('\r\n.\r\n');
          if (end === -1) return;
          messages.push(buffered.subarray(0, end + 2));
          buffered = buffered.subarray(end + 5);
          inBody = false;
          events.push('end of message');
          act(script().end ?? '250 queued as 77', () => events.push('answered'));
          mails += 1;
        } else {
          const end = buffered.indexOf('\r\n');
          if (end < 0) return;
          const line = buffered.subarray(0, end).toString();
          buffered = buffered.subarray(end + 2);
          command(line);
        }
      }
    });
    act(script().greeting ?? '220 scripted ESMTP');
  });
  const port = await listen(server);
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    lines,
    events,
    messages,
    connections: () => connections,
    closed: () => closed,
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

function mailerTo(url: string, options = {}): Mailer {
  const mailer = createSmtpMailer(url, { ...PATIENT, ...options });
  cleanups.push(() => mailer.close());
  return mailer;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never happened: ${what}`);
}

/** Sends one mail and says what came of it, and how often the handover was announced. */
async function tryOnce(url: string, outgoing = mail(), options = {}) {
  let handovers = 0;
  const outcome = await mailerTo(url, options).send(outgoing, async () => {
    handovers += 1;
  });
  return { ...outcome, handovers };
}

describe('the moment of the handover', () => {
  for (const [name, ehlo] of [
    ['one command at a time', ACCEPTING],
    ['with PIPELINING, where DATA is sent before RCPT is answered', PIPELINING],
  ] as const) {
    test(`onHandover runs after 354 and ends before the first byte: ${name}`, async () => {
      const server = await scripted(ehlo);
      const big = mail({ text: 'a line of the letter\n'.repeat(20_000) });
      const outcome = await mailerTo(server.url).send(big, async () => {
        server.events.push('handover begins');
        await new Promise((resolve) => setTimeout(resolve, 60));
        server.events.push('handover recorded');
      });
      expect(outcome).toEqual({ outcome: 'sent', response: '250 queued as 77' });
      expect(server.events).toEqual([
        'EHLO',
        'MAIL',
        'RCPT',
        'DATA',
        '354',
        'handover begins',
        'handover recorded',
        'first byte',
        'end of message',
        'answered',
      ]);
    });

    test(`when onHandover fails nothing is sent and the line is cut: ${name}`, async () => {
      const server = await scripted(ehlo);
      const outcome = await mailerTo(server.url).send(mail(), async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw new Error('the row was taken by somebody else');
      });
      expect(outcome).toEqual({
        outcome: 'unreachable',
        reason: 'not handed over: the row was taken by somebody else',
      });
      await until('the connection is closed', () => server.closed() === 1);
      expect(server.events).not.toContain('first byte');
      expect(server.messages).toEqual([]);
    });
  }

  test('when onHandover throws at once nothing is sent', async () => {
    const server = await scripted(ACCEPTING);
    const outcome = await mailerTo(server.url).send(mail(), () => {
      throw new Error('at once');
    });
    expect(outcome.outcome).toBe('unreachable');
    await until('the connection is closed', () => server.closed() === 1);
    expect(server.events).not.toContain('first byte');
  });

  test('when the line is lost while onHandover runs, nothing was handed over', async () => {
    const server = await scripted({ ...ACCEPTING, data: '354 go ahead' });
    let release = () => {};
    const pending = mailerTo(server.url, HASTY).send(mail(), () => new Promise((resolve) => (release = resolve)));
    // The client's silence outlasts its socket timeout.
    const outcome = await pending;
    release();
    expect(outcome.outcome).toBe('unreachable');
    await until('the connection is closed', () => server.closed() === 1);
    expect(server.events).not.toContain('first byte');
  });
});

describe('what is known after each way of failing', () => {
  const unreachable = { outcome: 'unreachable', handovers: 0 };
  const later = (code: number) => ({ outcome: 'refused', permanent: false, code, handovers: 0 });
  const never = (code: number) => ({ outcome: 'refused', permanent: true, code, handovers: 0 });
  const unknown = { outcome: 'unknown', handovers: 1 };

  test('nobody listens', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await tryOnce(`smtp://127.0.0.1:${port}`)).toMatchObject(unreachable);
  });

  const CASES: readonly [string, Script, object][] = [
    ['greeting: drop', { greeting: 'drop' }, unreachable],
    ['greeting: hang', { greeting: 'hang' }, unreachable],
    ['greeting: 421', { greeting: '421 too busy' }, later(421)],
    ['greeting: 554', { greeting: '554 go away' }, unreachable],
    ['EHLO: drop', { ehlo: 'drop' }, unreachable],
    ['EHLO: hang', { ehlo: 'hang' }, unreachable],
    ['EHLO: 421', { ehlo: '421 closing' }, later(421)],
    ['EHLO and HELO: 550', { ehlo: '550 no', helo: '550 no' }, unreachable],
    ['STARTTLS: 454', { ehlo: '250-x\r\n250 STARTTLS', starttls: '454 not now' }, later(454)],
    ['STARTTLS: 501', { ehlo: '250-x\r\n250 STARTTLS', starttls: '501 no' }, unreachable],
    ['TLS: not spoken after all', { ehlo: '250-x\r\n250 STARTTLS', starttls: '220 go\r\nhello?' }, unreachable],
    ['MAIL: drop', { mail: 'drop' }, unreachable],
    ['MAIL: hang', { mail: 'hang' }, unreachable],
    ['MAIL: 451', { mail: '451 later' }, later(451)],
    ['MAIL: 550, about the sender', { mail: '550 sender not allowed' }, unreachable],
    ['MAIL: 530', { mail: '530 log in first' }, unreachable],
    ['RCPT: drop', { rcpt: 'drop' }, unreachable],
    ['RCPT: hang', { rcpt: 'hang' }, unreachable],
    ['RCPT: 450', { rcpt: '450 greylisted' }, later(450)],
    ['RCPT: 550', { rcpt: '550 5.1.1 no such user' }, never(550)],
    ['RCPT: 530, about us', { rcpt: '530 log in first' }, unreachable],
    ['RCPT: 503, out of step', { rcpt: '503 bad sequence' }, unreachable],
    ['DATA: drop', { data: 'drop' }, unreachable],
    ['DATA: hang', { data: 'hang' }, unreachable],
    ['DATA: 451', { data: '451 later' }, later(451)],
    ['DATA: 554', { data: '554 no' }, never(554)],
    ['DATA: nonsense', { data: 'hello' }, unreachable],
    ['body: drop', { body: 'drop' }, unknown],
    ['end: drop', { end: 'drop' }, unknown],
    ['end: hang', { end: 'hang' }, unknown],
    ['end: 250 beyond the timeout', { end: { afterMs: 600, reply: '250 ok' } }, unknown],
    ['end: 250 cut off', { end: { unfinished: '250' } }, unknown],
    ['end: 554 cut off', { end: { unfinished: '554 no' } }, unknown],
    ['end: nonsense', { end: 'hello' }, unknown],
    ['end: a second 354', { end: '354 go ahead' }, unknown],
    ['end: 451', { end: '451 disk full' }, { ...later(451), handovers: 1 }],
    ['end: 421', { end: '421 closing' }, { ...later(421), handovers: 1 }],
    ['end: 554', { end: '554 content refused' }, { ...never(554), handovers: 1 }],
    ['end: 503', { end: '503 what?' }, { ...later(503), handovers: 1 }],
  ];

  for (const [name, script, expected] of CASES) {
    const silent = /hang|timeout|not spoken/.test(name);
    test(name, async () => {
      const server = await scripted(script);
      expect(await tryOnce(server.url, mail(), silent ? HASTY : PATIENT)).toMatchObject(expected);
    });
    if (script.ehlo === undefined && script.greeting === undefined) {
      test(`${name}, with PIPELINING`, async () => {
        const server = await scripted({ ...PIPELINING, ...script });
        expect(await tryOnce(server.url, mail(), silent ? HASTY : PATIENT)).toMatchObject(expected);
      });
    }
  }

  test('the line drops in the middle of a long message: unknown', async () => {
    const server = await scripted({ body: 'drop' });
    const outcome = await tryOnce(server.url, mail({ text: 'a line of the letter\n'.repeat(100_000) }));
    expect(outcome).toMatchObject(unknown);
    expect(server.messages).toEqual([]);
  });

  test('a server that asks for the message although it refused the recipient does not get it', async () => {
    const server = await scripted({ ...PIPELINING, rcpt: '550 no such user', data: '354 go ahead' });
    expect(await tryOnce(server.url)).toMatchObject(never(550));
    expect(server.messages.map(String)).toEqual(['']);
  });

  test('wrong credentials are our settings, not the mail: unreachable', async () => {
    const server = await scripted({ ehlo: '250-x\r\n250 AUTH PLAIN LOGIN', auth: '535 5.7.8 no' });
    const outcome = await tryOnce(server.url.replace('//', '//shop:secret-word@'));
    expect(outcome).toMatchObject(unreachable);
    expect(JSON.stringify(outcome)).not.toContain('secret-word');
    const busy = await scripted({ ehlo: '250-x\r\n250 AUTH PLAIN LOGIN', auth: '454 later' });
    expect(await tryOnce(busy.url.replace('//', '//shop:secret-word@'))).toMatchObject(later(454));
  });
});

describe('connections', () => {
  test('mails one after another share one connection', async () => {
    const server = await scripted(ACCEPTING);
    const mailer = mailerTo(server.url);
    for (let i = 0; i < 20; i += 1)
      expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'sent' });
    expect(server.connections()).toBe(1);
    expect(server.messages).toHaveLength(20);
  });

  test('mails at the same time share a few', async () => {
    const server = await scripted(ACCEPTING);
    const mailer = mailerTo(server.url, { maxConnections: 3 });
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => mailer.send(mail(), async () => {})));
    expect(outcomes.every((outcome) => outcome.outcome === 'sent')).toBe(true);
    expect(server.connections()).toBe(3);
  });

  for (const [name, act] of [
    ['is cut', 'drop'],
    ['is closed with 421', '421 idle for too long'],
  ] as const) {
    test(`a kept connection that ${name} when used again is replaced, and the mail goes out once`, async () => {
      const server = await scripted((connection, mails) => (connection === 1 && mails === 2 ? { mail: act } : {}));
      const mailer = mailerTo(server.url);
      let handovers = 0;
      const handover = async () => {
        handovers += 1;
      };
      expect(await mailer.send(mail(), handover)).toMatchObject({ outcome: 'sent' });
      expect(await mailer.send(mail(), handover)).toMatchObject({ outcome: 'sent' });
      expect([server.connections(), handovers, server.messages.length]).toEqual([2, 2, 2]);
    });
  }

  test('a kept connection that fails after the handover is not tried again', async () => {
    const server = await scripted((_, mails) => (mails === 2 ? { end: 'drop' } : {}));
    const mailer = mailerTo(server.url);
    await mailer.send(mail(), async () => {});
    expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'unknown' });
    expect([server.connections(), server.messages.length]).toEqual([1, 2]);
  });

  test('a refusal on a kept connection is an answer and not tried again', async () => {
    const server = await scripted((_, mails) => (mails === 2 ? { rcpt: '550 no such user' } : {}));
    const mailer = mailerTo(server.url);
    await mailer.send(mail(), async () => {});
    expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'refused', permanent: true });
    expect(server.connections()).toBe(1);
    expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'sent' });
    expect(server.connections()).toBe(2);
  });

  test('an idle connection is taken leave of; one that carried enough too', async () => {
    const server = await scripted(ACCEPTING);
    const mailer = mailerTo(server.url, { idleTimeoutMs: 30, maxMailsPerConnection: 2 });
    await mailer.send(mail(), async () => {});
    await until('the idle connection is closed', () => server.closed() === 1);
    expect(server.events).toContain('QUIT');
    for (let i = 0; i < 3; i += 1) await mailer.send(mail(), async () => {});
    expect(server.connections()).toBe(3);
  });

  test('close lets the mail under way finish and sends no more', async () => {
    const server = await scripted({ end: { afterMs: 80, reply: '250 ok' } });
    const mailer = mailerTo(server.url, { maxConnections: 1 });
    const first = mailer.send(mail(), async () => {});
    const second = mailer.send(mail(), async () => {});
    await until('the first is on its way', () => server.messages.length === 1);
    await Promise.all([mailer.close(), mailer.close()]);
    expect(await first).toMatchObject({ outcome: 'sent' });
    expect(await second).toMatchObject({ outcome: 'unreachable' });
    expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'unreachable' });
    expect(server.messages).toHaveLength(1);
    await until('the line is closed', () => server.closed() === server.connections());
  });

  test('verify says ready, or why not, and sends nothing', async () => {
    const server = await scripted(ACCEPTING);
    expect(await mailerTo(server.url).verify()).toEqual({ outcome: 'ready' });
    expect(server.events).not.toContain('MAIL');
    const wrong = await scripted({ greeting: '554 go away' });
    expect(await mailerTo(wrong.url).verify()).toMatchObject({ outcome: 'unreachable' });
  });
});

/** A real server, and the mails that it took, as they arrived. */
async function realServer(options: SMTPServerOptions = {}) {
  const received: { from: string; to: string[]; user: string | undefined; bytes: Buffer }[] = [];
  const server = new SMTPServer({
    logger: false,
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    ...options,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((recipient) => recipient.address),
          user: session.user,
          bytes: Buffer.concat(chunks),
        });
        done();
      });
    },
  });
  server.on('error', () => {});
  const port = await listen(server.server);
  cleanups.push(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port, received };
}

describe('a real server', () => {
  test('gets exactly the bytes of composeMime, and the same bytes on a retry', async () => {
    const { port, received } = await realServer();
    const mailer = mailerTo(`smtp://127.0.0.1:${port}`);
    expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'sent' });
    expect(await mailerTo(`smtp://127.0.0.1:${port}`).send(mail(), async () => {})).toMatchObject({ outcome: 'sent' });
    const bytes = composeMime(mail());
    expect(received.map((one) => one.bytes.equals(bytes))).toEqual([true, true]);
    expect(received[0]).toMatchObject({ from: 'post@shop.example', to: ['ann@example.com'] });
  });

  test('what arrives reads as what was written', async () => {
    const { port, received } = await realServer();
    const outgoing = mail({
      subject: 'Bestellung 1042: 3,00 € gutgeschrieben',
      replyTo: '"Team, Lindgren" <team@shop.example>',
    });
    await mailerTo(`smtp://127.0.0.1:${port}`).send(outgoing, async () => {});
    const parsed = await PostalMime.parse(received[0]?.bytes ?? '');
    expect(parsed.subject).toBe(outgoing.subject);
    expect(parsed.messageId).toBe('<0f6b@shop.example>');
    expect(parsed.date).toBe('2026-11-06T20:00:00.000Z');
    expect(parsed.from).toMatchObject({ name: 'Lindgren & Sons', address: 'post@shop.example' });
    expect(parsed.replyTo).toMatchObject([{ name: 'Team, Lindgren', address: 'team@shop.example' }]);
    expect(parsed.text?.trim()).toBe(outgoing.text.trim());
    expect(parsed.html?.trim()).toBe(outgoing.html);
    expect(parsed.headers.find((header) => header.key === 'auto-submitted')?.value).toBe('auto-generated');
  });

  test('encryption and login; a certificate that cannot be verified is only accepted on this machine, or when told so', async () => {
    const { port, received } = await realServer({
      disabledCommands: [],
      authOptional: false,
      onAuth: ({ username, password }, _session, done) =>
        username === 'shop' && password === 'p@ss/word' ? done(null, { user: 'shop' }) : done(new Error('no')),
    });
    const url = `smtp://shop:p%40ss%2Fword@127.0.0.1:${port}`;
    const strict = mailerTo(`${url}?rejectUnauthorized=true`);
    expect(await strict.send(mail(), async () => {})).toMatchObject({ outcome: 'unreachable' });
    expect(parseSmtpUrl('smtp://mail.example:25').rejectUnauthorized).toBe(true);
    expect(parseSmtpUrl(url).rejectUnauthorized).toBe(false);
    const trusting = mailerTo(`${url}?rejectUnauthorized=false&requireTLS=true`);
    expect(await trusting.send(mail(), async () => {})).toMatchObject({ outcome: 'sent' });
    expect(received.map((one) => one.user)).toEqual(['shop']);
    const wrong = mailerTo(`smtp://shop:wrong@127.0.0.1:${port}?rejectUnauthorized=false`);
    expect(await wrong.send(mail(), async () => {})).toMatchObject({ outcome: 'unreachable' });
  });

  test('a server that cannot encrypt is not used when encryption is required', async () => {
    const { port, received } = await realServer();
    const mailer = mailerTo(`smtp://127.0.0.1:${port}?requireTLS=true`);
    expect(await mailer.send(mail(), async () => {})).toMatchObject({ outcome: 'unreachable' });
    expect(received).toEqual([]);
  });
});

describe('what mail servers and programs are told besides', () => {
  const unsubscribeUrl = `https://shop.example/letters/unsubscribe?token=${'a'.repeat(300)}`;

  test('the person who signs is shown with the address of the shop, in any script and with any sign', async () => {
    for (const name of [
      'Jana Keller (Shop)',
      'Ida "Ace" Öz, (Lindgren & Sons)',
      'דנה לוי (חנות)',
      'ليلى (متجر)',
      "O'Neil \\ (x)",
    ]) {
      const parsed = await PostalMime.parse(composeMime(mail({ fromName: name })));
      expect(parsed.from).toEqual({ name, address: 'post@shop.example' });
    }
    const empty = await PostalMime.parse(composeMime(mail({ fromName: ' \r\n ' })));
    expect(empty.from).toEqual({ name: '', address: 'post@shop.example' });
  });

  test('a letter that one may do without names where one click ends it, on one line', async () => {
    const source = composeMime(mail({ unsubscribeUrl })).toString();
    expect(source).toContain(`\r\nList-Unsubscribe: <${unsubscribeUrl}>\r\n`);
    expect(source).toContain('\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
    expect(composeMime(mail()).toString()).not.toMatch(/^List-/m);
  });

  test('a server that reports on deliveries is asked to, for failures, with the Message-ID; one that does not offer it is not', async () => {
    const offering = await scripted({ ehlo: '250-scripted\r\n250-8BITMIME\r\n250 DSN' });
    const to = 'ann+x@example.com';
    expect(await tryOnce(offering.url, mail({ to }))).toMatchObject({ outcome: 'sent' });
    expect(offering.lines.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([
      'MAIL FROM:<post@shop.example> RET=HDRS ENVID=0f6b@shop.example',
      'RCPT TO:<ann+x@example.com> NOTIFY=FAILURE ORCPT=rfc822;ann+2Bx@example.com',
    ]);
    const long = await scripted({ ehlo: '250-scripted\r\n250 DSN' });
    const messageId = `<0f6b.late-delivered@${'long.'.repeat(30)}example>`;
    expect(await tryOnce(long.url, mail({ messageId }))).toMatchObject({ outcome: 'sent' });
    expect(long.lines.find((line) => line.startsWith('MAIL'))).toBe(
      'MAIL FROM:<post@shop.example> RET=HDRS ENVID=0f6b.late-delivered',
    );
    const plain = await scripted(ACCEPTING);
    expect(await tryOnce(plain.url)).toMatchObject({ outcome: 'sent' });
    expect(plain.lines.filter((line) => /^(MAIL|RCPT)/.test(line))).toEqual([
      'MAIL FROM:<post@shop.example>',
      'RCPT TO:<ann@example.com>',
    ]);
  });

  test('a DKIM signature that a stranger can verify covers every header, and every copy has the same bytes', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { port, received } = await realServer();
    const mailer = createSmtpMailer(`smtp://127.0.0.1:${port}`, PATIENT, {
      domain: 'shop.example',
      selector: 'k1',
      privateKey: pem,
    });
    cleanups.push(() => mailer.close());
    const outgoing = mail({
      unsubscribeUrl,
      subject: 'Grüße  von\tuns '.repeat(12),
      text: 'a  line with   spaces \n\n\n\n',
      replyTo: 'Help <help@shop.example>',
    });
    for (let copy = 0; copy < 2; copy += 1)
      expect(await mailer.send(outgoing, async () => {})).toMatchObject({ outcome: 'sent' });
    const [first, second] = received;
    expect(first?.bytes.equals(second?.bytes ?? Buffer.alloc(0))).toBe(true);
    const source = first?.bytes.toString('latin1') ?? '';
    const { tags, holds } = verifyDkim(source, publicKey);
    expect(holds).toBe(true);
    expect(tags).toMatchObject({ a: 'rsa-sha256', c: 'relaxed/relaxed', d: 'shop.example', s: 'k1' });
    expect(tags.t).toBeUndefined();
    const names = [...(source.split('\r\n\r\n')[0] ?? '').matchAll(/^([\w-]+):/gm)].map(([, name]) =>
      name?.toLowerCase(),
    );
    expect(tags.h?.toLowerCase().split(':').sort()).toEqual(names.filter((name) => name !== 'dkim-signature').sort());
    // What holds for the mail does not hold for another.
    expect(verifyDkim(source.replace('From: ', 'From: x'), publicKey).holds).toBe(false);
    expect(verifyDkim(source.replace('a  line', 'a lie'), publicKey).holds).toBe(false);
  });
});

/** As RFC 6376 has it, by hand: relaxed/relaxed, rsa-sha256. */
function verifyDkim(source: string, publicKey: KeyObject): { tags: Record<string, string>; holds: boolean } {
  const [, head = '', body = ''] = /^([\s\S]*?\r\n)\r\n([\s\S]*)$/.exec(source) ?? [];
  const fields = head.match(/[^\r]+(?:\r\n[ \t][^\r]*)*\r\n/g) ?? [];
  const relaxed = (field: string) => {
    const [, name = '', value = ''] = /^([^:]+):([\s\S]*)$/.exec(field) ?? [];
    return `${name.trim().toLowerCase()}:${value
      .replace(/\r\n/g, '')
      .replace(/[ \t]+/g, ' ')
      .trim()}`;
  };
  const signature = fields.find((field) => /^dkim-signature:/i.test(field)) ?? '';
  const value = signature.slice(signature.indexOf(':') + 1).replace(/\s+/g, '');
  const tags: Record<string, string> = Object.fromEntries(
    value
      .split(';')
      .flatMap((tag) => (tag === '' ? [] : [[tag.slice(0, tag.indexOf('=')), tag.slice(tag.indexOf('=') + 1)]])),
  );
  const canonicalBody = `${body
    .replace(/[ \t]+/g, ' ')
    .replace(/ (?=\r\n)/g, '')
    .replace(/(\r\n)*$/, '')}\r\n`;
  const bodyHash = createHash('sha256').update(canonicalBody, 'latin1').digest('base64');
  const signed = (tags.h ?? '')
    .split(':')
    .flatMap((name) => fields.filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`)).map(relaxed));
  const own = relaxed(signature).replace(/([; ]b=)[^;]*/, '$1');
  const holds = createVerify('RSA-SHA256')
    .update([...signed, own].join('\r\n'), 'latin1')
    .verify(publicKey, tags.b ?? '', 'base64');
  return { tags, holds: holds && bodyHash === tags.bh };
}

describe('nothing in a mail becomes a header, a recipient or a file', () => {
  const ATTACKS: readonly [string, Partial<OutgoingMail>][] = [
    ['line ends in the subject', { subject: 'Order 1\r\nBcc: eve@evil.example\r\n\r\n<script>' }],
    ['a lone line feed in the subject', { subject: 'Order 1\nBcc: eve@evil.example' }],
    ['encoded words in the subject', { subject: '=?utf-8?q?Order=0d=0aBcc:_eve@evil.example?=' }],
    ['unicode line separators in the subject', { subject: 'Order 1\u2028Bcc: eve@evil.example\u0085x' }],
    ['300 characters of subject', { subject: 'Ö'.repeat(300) }],
    ['an address in the sender name', { from: '"eve@evil.example, Bob" <post@shop.example>' }],
    ['quotes in the sender name', { from: '"Lindgren \\"the\\" Shop" <post@shop.example>' }],
    ['headers and dots in the text', { text: '\r\nBcc: eve@evil.example\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n' }],
    ['headers in the name of who signs', { fromName: 'Jana\r\nBcc: eve@evil.example\r\n\r\n<b>' }],
    ['an address in the name of who signs', { fromName: 'Jana <eve@evil.example>, "Bob' }],
    ['a name of who signs that is longer than a line may be', { fromName: 'Ö'.repeat(2_000) }],
    ['a bare carriage return and a dot', { text: 'a\r.\rb\n.\nc' }],
  ];
  for (const [name, attack] of ATTACKS) {
    test(name, async () => {
      const { port, received } = await realServer();
      const outcome = await mailerTo(`smtp://127.0.0.1:${port}`).send(mail(attack), async () => {});
      expect(outcome).toMatchObject({ outcome: 'sent' });
      expect(received.map(({ from, to }) => ({ from, to }))).toEqual([
        { from: 'post@shop.example', to: ['ann@example.com'] },
      ]);
      const parsed = await PostalMime.parse(received[0]?.bytes ?? '');
      expect(parsed.headers.map((header) => header.key)).toEqual([
        'from',
        'to',
        'subject',
        'message-id',
        'date',
        'auto-submitted',
        'mime-version',
        'content-type',
      ]);
      expect(parsed.to).toMatchObject([{ address: 'ann@example.com' }]);
      expect(parsed.from?.address).toBe('post@shop.example');
      expect(parsed.attachments).toEqual([]);
    });
  }

  test('a recipient that is not one plain address is refused before anybody is asked', async () => {
    const server = await scripted(ACCEPTING);
    for (const to of [
      'b@y\r\nBcc: z@z',
      'a@example.com,b@example.com',
      'Ann <ann@example.com>',
      '<ann@example.com>',
      '',
    ]) {
      expect(await tryOnce(server.url, mail({ to }))).toMatchObject({
        outcome: 'refused',
        permanent: true,
        code: null,
        handovers: 0,
      });
    }
    expect(server.connections()).toBe(0);
  });

  test('objects that name files or URLs are refused, not read', () => {
    const text = { path: '/etc/hostname' } as unknown as string;
    expect(() => composeMime(mail({ text }))).toThrow(/assertion failed: a text is a string/);
    const html = { href: 'http://127.0.0.1:9/' } as unknown as string;
    expect(() => composeMime(mail({ html }))).toThrow(/assertion failed: a text is a string/);
  });

  test('what only the caller can have got wrong is said at once', () => {
    const wrong: Partial<OutgoingMail>[] = [
      { to: 'a@b.example, c@d.example' },
      { from: 'Shop <a@b.example>, c@d.example' },
      { replyTo: 'nobody' },
      { messageId: 'x@y' },
      { messageId: '<x@y>\r\nBcc: <a@b>' },
      { unsubscribeUrl: 'https://shop.example/u>\r\nBcc: <a@b>' },
      { unsubscribeUrl: 'javascript:alert(1)' },
      { unsubscribeUrl: 'https://shop.example/ü' },
      { date: new Date(Number.NaN) },
    ];
    for (const changes of wrong) expect(() => composeMime(mail(changes))).toThrow(/assertion failed/);
  });

  test('any text in any script arrives as it was written', async () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 400 });
    const lines = fc.array(
      fc.oneof(texts, fc.constantFrom('.', '..', 'From x', '--=_makegood', ' ', '=', '=3D', '\t')),
    );
    await fc.assert(
      fc.asyncProperty(texts, lines, async (subject, body) => {
        const bytes = composeMime(mail({ subject, text: body.join('\n'), html: body.join('\n') }));
        const parsed = await PostalMime.parse(bytes);
        expect(parsed.text?.replace(/\n$/, '')).toBe(body.join('\n'));
        expect(parsed.html?.replace(/\n$/, '')).toBe(body.join('\n'));
        expect((parsed.subject ?? '').replace(/\s+/g, ' ').trim()).toBe(subject.replace(/\s+/g, ' ').trim());
        expect(
          Math.max(
            ...bytes
              .toString('latin1')
              .split('\r\n')
              .map((line) => line.length),
          ),
        ).toBeLessThanOrEqual(78);
      }),
    );
  });

  test('different letters have different boundaries, the same letter the same bytes', () => {
    const bytes = composeMime(mail());
    expect(bytes.equals(composeMime(mail()))).toBe(true);
    expect(bytes.toString()).not.toMatch(/[^\r]\n/);
    expect(bytes.toString()).toMatch(/boundary="=_makegood-[0-9a-f]{32}"/);
    expect(composeMime(mail({ messageId: '<1@shop.example>' })).equals(bytes)).toBe(false);
  });
});

describe('isSingleAddress', () => {
  const ONE = [
    'ann@example.com',
    'ann.lee+orders@mail.example.co.uk',
    "o'brien_1@example.com",
    'ANN@EXAMPLE.COM',
    'ann@bücher.example',
    'ann@xn--bcher-kva.example',
    `${'a'.repeat(64)}@example.com`,
    '1@2.example',
  ];
  for (const address of ONE) test(`accepts ${address}`, () => expect(isSingleAddress(address)).toBe(true));

  const NONE: readonly [string, string][] = [
    ['nothing', ''],
    ['no at', 'ann'],
    ['no local part', '@example.com'],
    ['no domain', 'ann@'],
    ['no dot in the domain', 'ann@localhost'],
    ['two at', 'ann@evil.example@example.com'],
    ['a list', 'a@x.example,b@y.example'],
    ['a list with semicolon', 'a@x.example;b@y.example'],
    ['a display name', 'Ann <ann@example.com>'],
    ['angle brackets', '<ann@example.com>'],
    ['a header', 'b@y.example\r\nBcc: z@z.example'],
    ['a trailing line feed', 'ann@example.com\n'],
    ['a leading space', ' ann@example.com'],
    ['a NUL', 'ann\u0000@example.com'],
    ['a quoted local part', '"a@evil.example"@example.com'],
    ['a comment', 'ann(x)@example.com'],
    ['a group', 'all:ann@example.com;'],
    ['an encoded word', '=?utf-8?q?eve=40evil.example=3e?=@example.com'],
    ['a percent route', 'eve%evil.example@example.com'],
    ['a bang path', 'evil!eve@example.com'],
    ['an address literal', 'ann@[127.0.0.1]'],
    ['an IP address', 'ann@127.0.0.1'],
    ['two dots', 'ann..lee@example.com'],
    ['a dot at the end', 'ann.@example.com'],
    ['a dot after the domain', 'ann@example.com.'],
    ['a hyphen at the edge', 'ann@-example.com'],
    ['an underscore in the domain', 'ann@ex_ample.com'],
    ['a full-width dot', 'ann@example\uff0ecom'],
    ['a full-width at', 'ann\uff20evil.example@example.com'],
    ['a soft hyphen', 'ann@exam\u00adple.com'],
    ['a bidirectional override', 'ann@\u202eexample.com'],
    ['a long local part', `${'a'.repeat(65)}@example.com`],
    [
      'a long address',
      `a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(20)}.example`,
    ],
    ['non-ASCII before the at', 'änn@example.com'],
  ];
  for (const [name, address] of NONE) test(`refuses ${name}`, () => expect(isSingleAddress(address)).toBe(false));

  test('a mailbox is one address with a name', () => {
    expect(parseMailbox('Lindgren & Sons <post@shop.example>')).toEqual({
      name: 'Lindgren & Sons',
      address: 'post@shop.example',
    });
    expect(parseMailbox('post@shop.example')).toEqual({ name: '', address: 'post@shop.example' });
    for (const none of ['', 'Shop', 'a@x.example, b@y.example', 'Shop: a@x.example;', 'Shop\r\nBcc: <a@x.example>']) {
      expect(parseMailbox(none)).toBeNull();
    }
  });
});

describe('parseSmtpUrl', () => {
  test('reads what a URL says and fills in the ports', () => {
    expect(parseSmtpUrl('smtp://mail.example')).toMatchObject({
      host: 'mail.example',
      port: 587,
      secure: false,
      auth: null,
    });
    expect(parseSmtpUrl('smtps://u%40x:p%3A%2F@mail.example')).toMatchObject({
      port: 465,
      secure: true,
      auth: { user: 'u@x', pass: 'p:/' },
    });
    expect(parseSmtpUrl('smtp://[::1]:2525?ignoreTLS=true&name=shop.example')).toMatchObject({
      host: '::1',
      port: 2525,
      ignoreTLS: true,
      name: 'shop.example',
    });
  });

  test('says what is wrong without repeating a password', () => {
    const wrong = [
      '',
      'mail.example:25',
      'http://mail.example',
      'smtp://',
      'smtp://u:secret%@h',
      'smtp://u:secret@h?pool=true',
      'smtp://u:secret@h?requireTLS=yes',
    ];
    for (const url of wrong) {
      expect(() => parseSmtpUrl(url)).toThrow(/SMTP URL/);
      expect(() => parseSmtpUrl(url)).not.toThrow(/secret/);
    }
  });
});
