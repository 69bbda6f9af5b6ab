import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { ADMIN_KEY, clientOf, orderDocument, SECRET, trackerEvent } from '../support/makegood.js';
import { type Program, startProgram } from '../support/program.js';
import { freePort } from '../support/redis.js';
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.js';

/** Everything embedded, as on a machine with nothing but Node. */
describe('stopped and started again, with the embedded PostgreSQL', () => {
  let dataDir: string;
  let smtp: SmtpSink;
  const programs: Program[] = [];
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'makegood-stop-'));
    chmodSync(dataDir, 0o755);
    smtp = await startSmtpSink();
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) {
      program.kill('SIGKILL', 'group');
      await program.ended;
    }
    await eventually(() => processesOf(dataDir).length === 0);
    await smtp.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const startHere = async () => {
    const program = await startProgram({ DATA_DIR: dataDir, SMTP_URL: smtp.url });
    programs.push(program);
    return program;
  };

  test.each([
    ['SIGTERM to the program', 'SIGTERM', 'program'],
    ['SIGTERM to the whole group', 'SIGTERM', 'group'],
    ['SIGINT to the whole group, as Ctrl-C sends it', 'SIGINT', 'group'],
  ] as const)(
    '%s under load ends with 0, leaves no process, and nothing that was accepted is lost',
    async (_, signal, whom) => {
      const first = await startHere();
      const accepted = await load(first, () => first.kill(signal, whom));
      expect(await first.ended).toEqual({ code: 0, signal: null });
      expect(processesOf(dataDir)).toEqual([]);
      await expectAllSettled(await startHere(), accepted);
    },
  );

  test('SIGTERM to npm ends with 0 and leaves no process', async () => {
    const port = await freePort();
    const npm = spawn('npm', ['start'], {
      env: {
        ...process.env,
        DATA_DIR: dataDir,
        PORT: String(port),
        ADMIN_API_KEY: ADMIN_KEY,
        EASYPOST_WEBHOOK_SECRET: SECRET,
        LOG_LEVEL: 'warn',
      },
      stdio: 'ignore',
      detached: true,
    });
    const ended = new Promise<number | null>((resolve) => npm.once('exit', resolve));
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200);
    npm.kill('SIGTERM');
    expect(await ended).toBe(0);
    await eventually(() => processesOf(dataDir).length === 0);
  });

  test('kill -9 of the whole group under load: the next start just works and finishes everything', async () => {
    const first = await startHere();
    const accepted = await load(first, () => first.kill('SIGKILL', 'group'));
    expect((await first.ended).signal).toBe('SIGKILL');
    await expectAllSettled(await startHere(), accepted);
  });

  test('SIGTERM while the mail server hangs ends with 0; the letter goes out at the next start', async () => {
    const asked: string[] = [];
    const hanging = createServer((socket) => {
      socket.write('220 hangs\r\n');
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const command = data.toString().slice(0, 4).toUpperCase();
        asked.push(command);
        // Whoever names a recipient waits for ever.
        if (command !== 'RCPT') socket.write('250 ok\r\n');
      });
    });
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { port } = hanging.address() as AddressInfo;
    try {
      const first = await startProgram({ DATA_DIR: dataDir, SMTP_URL: `smtp://127.0.0.1:${port}` });
      programs.push(first);
      const client = clientOf(first.url);
      await client.put('HANGS', orderDocument({ customerId: 'HANGS', trackingNumber: 'HANGS' }));
      await client.webhook(trackerEvent('HANGS', [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]));
      await eventually(() => asked.includes('RCPT'));
      first.kill('SIGTERM');
      expect(await first.ended).toEqual({ code: 0, signal: null });
    } finally {
      hanging.close();
    }
    await expectAllSettled(await startHere(), ['HANGS']);
    expect(smtp.mails.map(({ to }) => to)).toEqual(['HANGS@example.com']);
  });

  test('a second start on the same folder says who is using it', async () => {
    const first = await startHere();
    await expect(startHere()).rejects.toThrow(new RegExp(`another makegood \\(process ${first.pid}\\)`));
  });

  /** Orders and their late scans; stops the program in the middle. @returns the orders whose scans were acknowledged */
  async function load(program: Program, stop: () => void): Promise<string[]> {
    const client = clientOf(program.url);
    const numbers = Array.from({ length: 30 }, (_, index) => `STOP${index}`);
    for (const number of numbers)
      await client.put(number, orderDocument({ customerId: number, trackingNumber: number }));
    const posts = numbers.map(async (number, index) => {
      const answer = await client
        .webhook(trackerEvent(number, [['delivered', 'arrived_at_destination', '2026-11-06T19:00:00Z']]))
        .catch(() => null);
      if (index === 9) stop();
      return answer?.status === 200 ? [number] : [];
    });
    return (await Promise.all(posts)).flat();
  }

  async function expectAllSettled(program: Program, accepted: readonly string[]): Promise<void> {
    expect(accepted.length).toBeGreaterThan(0);
    const client = clientOf(program.url);
    for (const number of accepted) {
      const order = await eventually(async () => {
        const view = await client.order(number);
        return view.messages[0]?.status !== undefined && ['sent', 'unknown'].includes(view.messages[0].status) && view;
      });
      expect(order.awards).toMatchObject([{ kind: 'membership_extension', months: 1, status: 'applied' }]);
      expect(smtp.mails.filter(({ to }) => to === `${number}@example.com`).length).toBeLessThanOrEqual(1);
      if (order.messages[0]?.status === 'sent')
        expect(smtp.mails.filter(({ to }) => to === `${number}@example.com`)).toHaveLength(1);
    }
  }
});

/** Processes that have this folder in their command line: the server, its parts and its supervisor. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return command.includes(folder) ? [`${pid} ${command}`] : [];
    } catch {
      return [];
    }
  });
}
