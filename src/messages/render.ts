import type { Letter, TemplateName } from './letter.js';
import { awardApproved } from './templates/award-approved.js';
import { type Block, paragraph, type Template } from './templates/content.js';
import { damaged } from './templates/damaged.js';
import { goodwill } from './templates/goodwill.js';
import { lateDelivered } from './templates/late-delivered.js';
import { lateOverdue } from './templates/late-overdue.js';
import { lost } from './templates/lost.js';
import { notReceived } from './templates/not-received.js';
import { occasionMissed } from './templates/occasion-missed.js';
import { type Phrases, phrasesFor } from './templates/phrases.js';
import { remedySummary } from './templates/remedies.js';
import { returned } from './templates/returned.js';
import { topUp } from './templates/top-up.js';

export interface RenderedLetter {
  /** One line, under 90 characters. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const TEMPLATES: Partial<Record<TemplateName, Template>> = {
  'late-delivered': lateDelivered,
  'late-overdue': lateOverdue,
  'occasion-missed': occasionMissed,
  'top-up': topUp,
  lost,
  'not-received': notReceived,
  damaged,
  returned,
  'award-approved': awardApproved,
  goodwill,
};

/** The language of the sentences; days and money follow the customer's locale. */
const LANGUAGE = 'en';

/**
 * Mail programs show about 60 to 90 characters of a subject. Bigger: what was done about it is cut off where nobody
 * sees it; smaller: long order numbers push it out before.
 */
const SUBJECT_LENGTH = 89;

/**
 * Writes a letter. Pure: the same facts give the same characters, for ever. Text and HTML are two renderings of one
 * list of blocks, so neither can say what the other does not.
 */
export function renderLetter(letter: Letter): RenderedLetter {
  const phrases = phrasesFor(letter);
  const template = TEMPLATES[letter.template] ?? untold;
  const content = template(letter, phrases);
  const subject = subjectLine(content.subject, remedySummary(letter, phrases.format));
  const blocks: readonly Block[] = [
    paragraph(phrases.customerName === null ? 'Hello,' : `Hello ${phrases.customerName},`),
    ...content.blocks,
    paragraph('Is anything still not right? Just reply to this mail: a person on our team reads every answer.'),
    paragraph(`The team at ${phrases.shopName}`),
  ];
  return { subject, text: toText(blocks), html: toHtml(blocks, subject, phrases) };
}

/** Until each letter has its text. */
const untold: Template = ({ template }, phrases) => ({
  subject: `Order ${phrases.orderId} (${template})`,
  blocks: [paragraph(`About order ${phrases.orderId}: ${template}.`)],
});

/** The fact and what was done about it; where both do not fit, the fact and that it was made good. */
function subjectLine(fact: string, remedy: string | null): string {
  if (remedy === null) return clipped(fact);
  const whole = `${fact}: ${remedy}`;
  return whole.length <= SUBJECT_LENGTH ? whole : clipped(`${fact}: already made good`);
}

function clipped(subject: string): string {
  return subject.length <= SUBJECT_LENGTH
    ? subject
    : `${subject.slice(0, SUBJECT_LENGTH - 1)}…`.replace(/[\ud800-\udbff]…$/, '…');
}

function toText(blocks: readonly Block[]): string {
  const parts = blocks.map((block) => {
    switch (block.kind) {
      case 'paragraph':
        return block.text;
      case 'list':
        return block.items.map((item) => `- ${item}`).join('\n');
      case 'facts':
        return block.rows.map((row) => `${row.label}: ${row.value}`).join('\n');
      default:
        return block satisfies never;
    }
  });
  return `${parts.join('\n\n')}\n`;
}

/** For text and for attribute values in either kind of quotes. */
function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * No colours but a grey that shows on white and on black, so a dark mode has nothing to get wrong; no images; styles
 * inline, because mail programs drop style sheets. The facts are a real table with row headers, for screen readers.
 */
const STYLES = {
  body: 'margin:0;padding:24px 16px',
  letter:
    'max-width:36em;margin:0 auto;font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5',
  paragraph: 'margin:0 0 16px',
  list: 'margin:0 0 16px;padding:12px 16px 12px 36px;border-left:4px solid #808080;font-weight:600',
  table: 'margin:0 0 16px;border-collapse:collapse;text-align:left',
  label: 'padding:2px 16px 2px 0;font-weight:400;vertical-align:top;white-space:nowrap',
  value: 'padding:2px 0;font-weight:600;vertical-align:top',
} as const;

function toHtml(blocks: readonly Block[], subject: string, phrases: Phrases): string {
  const body = blocks.map((block) => blockToHtml(block, phrases.format.locale)).join('\n');
  return `<!doctype html>
<html lang="${LANGUAGE}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
</head>
<body style="${STYLES.body}">
<div role="article" lang="${LANGUAGE}" style="${STYLES.letter}">
${body}
</div>
</body>
</html>
`;
}

function blockToHtml(block: Block, locale: string): string {
  switch (block.kind) {
    case 'paragraph':
      return `<p style="${STYLES.paragraph}">${escapeHtml(block.text)}</p>`;
    case 'list': {
      const items = block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('');
      return `<ul style="${STYLES.list}">${items}</ul>`;
    }
    case 'facts': {
      // The values are the customer's own language (days, times), the labels are the letter's.
      const rows = block.rows.map(
        (row) =>
          `<tr><th scope="row" style="${STYLES.label}">${escapeHtml(row.label)}</th>` +
          `<td lang="${escapeHtml(locale)}" style="${STYLES.value}">${escapeHtml(row.value)}</td></tr>`,
      );
      return `<table style="${STYLES.table}"><tbody>${rows.join('')}</tbody></table>`;
    }
    default:
      return block satisfies never;
  }
}
