import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { postEvent } from '../../src/events/post-event.js';
import { type EventReceiver, type Reception, startEventReceiver } from '../support/event-receiver.js';

const secretOf = (text: string) => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`;
const SECRETS = [secretOf('new'), secretOf('old')];
const EVENT = {
  id: '0193a6c0-0000-7000-8000-000000000001',
  type: 'award.applied',
  createdAt: new Date('2026-11-16T12:00:00Z'),
  data: { awardId: 'a-1', note: 'Grüße ✓' },
};

let receiver: EventReceiver;
beforeAll(async () => {
  receiver = await startEventReceiver();
});
afterAll(() => receiver.stop());

let paths = 0;
/** Sends the event to a receiver that does this with it. */
async function post(
  reception: Reception | null,
  options: { timeoutMs?: number; host?: string; allowsPrivate?: boolean } = {},
) {
  const path = `/post-${++paths}`;
  if (reception) receiver.next(path, reception);
  const { host = '127.0.0.1', allowsPrivate = true, timeoutMs = 5_000 } = options;
  const url = `http://${host}:${receiver.port}${path}`;
  const outcome = await postEvent({ url, secrets: SECRETS, event: EVENT }, { allowsPrivate, timeoutMs });
  return { outcome, received: receiver.at(path) };
}

describe('an event is sent as Standard Webhooks has it', () => {
  test('type, timestamp and data, under the id of the event', async () => {
    const { outcome, received } = await post(null);
    expect(outcome).toEqual({ outcome: 'delivered', status: 204, tookMs: expect.any(Number) });
    expect(received).toHaveLength(1);
    const [{ headers, body } = { headers: {}, body: '' }] = received;
    expect(JSON.parse(body)).toEqual({
      type: 'award.applied',
      timestamp: '2026-11-16T12:00:00.000Z',
      data: EVENT.data,
    });
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': EVENT.id });
  });

  test.each(SECRETS)('each secret that it is signed with verifies it', async (secret) => {
    const { received } = await post(null);
    const [one] = received;
    expect(new Webhook(secret).verify(one?.body ?? '', one?.headers ?? {})).toMatchObject({ type: 'award.applied' });
  });

  test('no other secret verifies it, and no other body', async () => {
    const { received } = await post(null);
    const [one] = received;
    expect(() => new Webhook(secretOf('other')).verify(one?.body ?? '', one?.headers ?? {})).toThrow();
    expect(() => new Webhook(SECRETS[0] ?? '').verify(`${one?.body} `, one?.headers ?? {})).toThrow();
  });
});

describe('what a receiver answers', () => {
  test.each([200, 201, 204, 299])('%d is delivered', async (say) => {
    expect((await post({ say })).outcome).toMatchObject({ outcome: 'delivered', status: say });
  });

  test.each([400, 401, 404, 410, 429, 500, 503])('%d is not', async (say) => {
    expect((await post({ say })).outcome).toMatchObject({ outcome: 'failed', status: say, reason: `answered ${say}` });
  });

  test.each([301, 302, 303, 307, 308])('a redirect (%d) is not followed', async (say) => {
    const target = `/target-${say}`;
    const { outcome } = await post({ say, headers: { location: `${receiver.url}${target}` } });
    expect(outcome).toMatchObject({ outcome: 'failed', status: say, reason: expect.stringContaining('not followed') });
    expect(receiver.at(target)).toEqual([]);
  });

  test('Retry-After is heard, up to an hour', async () => {
    const asked = async (after: string) => (await post({ say: 503, headers: { 'retry-after': after } })).outcome;
    expect(await asked('120')).toMatchObject({ retryAfterS: 120 });
    expect(await asked('999999')).toMatchObject({ retryAfterS: 3_600 });
    expect(await asked('soon')).toMatchObject({ retryAfterS: undefined });
  });

  test('one that never answers is cut off', async () => {
    const { outcome } = await post('hang', { timeoutMs: 300 });
    expect(outcome).toMatchObject({ outcome: 'failed', status: null, reason: 'no answer in time' });
    expect(outcome.tookMs).toBeLessThan(3_000);
  });

  test('one that hangs up has not answered', async () => {
    expect((await post('close')).outcome).toMatchObject({
      outcome: 'failed',
      status: null,
      reason: 'no answer: ECONNRESET',
    });
  });

  test('one that says 200 and sends for ever, or stops in the middle, has said 200', async () => {
    expect((await post('flood')).outcome).toMatchObject({ outcome: 'delivered', status: 200 });
    expect((await post('stall', { timeoutMs: 300 })).outcome).toMatchObject({ outcome: 'delivered', status: 200 });
  });
});

describe('private addresses are not asked', () => {
  const PRIVATE = { outcome: 'failed', status: null, reason: expect.stringContaining('private') };

  test.each(['127.0.0.1', '2130706433', '0x7f.1', '0177.0.0.1', '[::ffff:127.0.0.1]', '0'])(
    'not written as %s',
    async (host) => {
      const { outcome, received } = await post(null, { host, allowsPrivate: false });
      expect(outcome).toMatchObject(PRIVATE);
      expect(received).toEqual([]);
    },
  );

  test('not by a name that means one, looked up by who connects', async () => {
    const { outcome, received } = await post(null, { host: 'localhost', allowsPrivate: false });
    expect(outcome).toMatchObject(PRIVATE);
    expect(received).toEqual([]);
    expect((await post(null, { host: 'localhost' })).outcome).toMatchObject({ outcome: 'delivered' });
  });

  test('a name that nobody knows is no answer', async () => {
    const { outcome } = await post(null, { host: 'nobody.invalid', allowsPrivate: false });
    expect(outcome).toMatchObject({ outcome: 'failed', status: null, reason: expect.stringMatching(/^no answer: E/) });
  });
});
