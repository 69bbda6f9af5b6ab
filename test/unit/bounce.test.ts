import { describe, expect, test } from '@jest/globals';
import { isAddressDead, readDeliveryReport } from '../../src/messages/bounce.js';
import { deliveryReport } from '../support/delivery-report.js';

const read = (source: string) => readDeliveryReport(Buffer.from(source));
const MESSAGE_ID = '<0192f0c4.late-delivered@shop.example>';

describe('a report about a mail that came back', () => {
  test('says which mail, for whom, and why', async () => {
    expect(await read(deliveryReport({ messageId: MESSAGE_ID, recipient: 'Ann@Example.com' }))).toEqual({
      messageId: MESSAGE_ID,
      recipients: [
        { address: 'ann@example.com', action: 'failed', status: '5.1.1', diagnostic: '550 5.1.1 no such user' },
      ],
    });
  });

  test('names the mail by its envelope id where its head was not sent back', async () => {
    const report = await read(
      deliveryReport({ messageId: '<a+b=c@shop.example>', recipient: 'ann@example.com', envelopeIdOnly: true }),
    );
    expect(report?.messageId).toBe('<a+b=c@shop.example>');
  });

  test.each([
    ['a mail of a person', 'From: ann@example.com\r\nSubject: hello\r\n\r\nWhere is it?\r\n'],
    ['nothing', ''],
    ['noise', '\u0000\u0001\r\n\r\n--=_report\r\n'],
  ])('%s is none', async (_, source) => {
    expect(await read(source)).toBeNull();
  });
});

test('a report made to be read for ever is read at once', async () => {
  const report = deliveryReport({ messageId: MESSAGE_ID, recipient: `${'@'.repeat(500_000)} x` });
  const startedAt = performance.now();
  expect((await read(report))?.recipients).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

describe('whether there is nobody at an address', () => {
  test.each([
    [550, '5.1.1 <ann@example.com>: Recipient address rejected: User unknown', true],
    [null, '5.1.1', true],
    [null, '5.1.10', true],
    [550, '5.2.1 The email account that you tried to reach is disabled', true],
    [550, 'No such user here', true],
    [550, '5.7.1 Message rejected due to content restrictions for the recipient address', false],
    [550, '5.7.26 unauthenticated mail is not accepted, invalid address alignment', false],
    [552, '5.2.2 mailbox full', false],
    [554, '5.7.1 Service unavailable; client host blocked using a list', false],
    [451, '4.1.1 mailbox does not exist yet', false],
    [550, 'blocked', false],
    [550, "Can't send mail - all recipients were rejected: 550 No such user here", true],
    [550, "Can't send mail - all recipients were rejected: 550 Service unavailable; client host blocked", false],
    [550, "Can't send mail - all recipients were rejected: 550 SPF check failed: domain not found", false],
    [550, 'Verification failed for <care@shop.example>: The account or domain may not exist', false],
    [550, '5.1.8 bad address of the sender', false],
    [null, '15.1.1', false],
    [null, '', false],
  ])('%s %j: %s', (code, text, dead) => {
    expect(isAddressDead(code, text)).toBe(dead);
  });
});
