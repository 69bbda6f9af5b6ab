/** A report of a mail server about a mail that it could not deliver, as Postfix lays it out (RFC 3464). */
export function deliveryReport(report: {
  messageId: string;
  recipient: string;
  action?: string;
  status?: string;
  diagnostic?: string;
  /** Without the head of the mail that came back, only with its envelope id. */
  envelopeIdOnly?: boolean;
}): string {
  const { messageId, recipient, action = 'failed', status = '5.1.1', diagnostic = '550 5.1.1 no such user' } = report;
  const envelopeId = messageId.replace(/[<>+=]/g, (one) => `+${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const returned = report.envelopeIdOnly
    ? []
    : [
        '--=_report',
        'Content-Type: text/rfc822-headers',
        '',
        'From: Test Shop <care@shop.example>',
        `To: ${recipient}`,
        'Subject: Order 1042 came a day late',
        `Message-ID: ${messageId}`,
        '',
      ];
  return [
    'From: MAILER-DAEMON@mx.example (Mail Delivery System)',
    'To: care@shop.example',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="=_report"',
    '',
    '--=_report',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'Your mail could not be delivered to one or more recipients.',
    '--=_report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    ...(report.envelopeIdOnly ? [`Original-Envelope-Id: ${envelopeId}`] : []),
    'Arrival-Date: Fri, 6 Nov 2026 12:00:00 +0000 (UTC)',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    'Remote-MTA: dns; mail.example.com',
    `Diagnostic-Code: smtp;`,
    `    ${diagnostic}`,
    '',
    ...returned,
    '--=_report--',
    '',
  ].join('\r\n');
}
