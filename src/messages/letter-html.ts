import { escapeHtml } from '../escape-html.js';
import type { Block, Link } from './blocks.js';

/**
 * No colours but a grey that shows on white and on black, so a dark mode has nothing to get wrong, and links as dark or
 * light as the text around them; no images; styles inline, because mail programs drop style sheets. The facts are a real
 * table with row headers, for screen readers. What is chosen is at least 44 pixels high, for fingers.
 */
const STYLES = {
  body: 'margin:0;padding:24px 16px',
  letter:
    'max-width:36em;margin:0 auto;font-family:system-ui,-apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:anywhere',
  paragraph: 'margin:0 0 16px',
  list: 'margin:0 0 16px;padding:12px 16px 12px 36px;border-left:4px solid #808080;font-weight:600',
  parcels: 'margin:0 0 8px;padding:0 0 0 20px',
  parcel: 'margin:0 0 8px',
  table: 'margin:0 0 16px;border-collapse:collapse;text-align:left',
  label: 'padding:2px 16px 2px 0;font-weight:400;vertical-align:top;white-space:nowrap',
  value: 'padding:2px 0;font-weight:600;vertical-align:top',
  link: 'color:inherit;text-decoration:underline',
  choice:
    'display:inline-block;margin:0 8px 8px 0;padding:10px 16px;border:1px solid #808080;border-radius:4px;color:inherit;text-decoration:underline',
} as const;

/** A letter as a page. Text and page are two renderings of one list of blocks, so neither can say what the other does not. */
export function letterHtml(
  blocks: readonly Block[],
  { subject, language }: { subject: string; language: string },
): string {
  const lang = escapeHtml(language);
  return `<!doctype html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>${escapeHtml(subject)}</title>
</head>
<body style="${STYLES.body}">
<div role="article" lang="${lang}" style="${STYLES.letter}">
${blocks.map(blockHtml).join('\n')}
</div>
</body>
</html>
`;
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return `<p style="${STYLES.paragraph}">${escapeHtml(block.text)}</p>`;
    case 'list': {
      const items = block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('');
      return `<ul style="${STYLES.list}">${items}</ul>`;
    }
    case 'parcels': {
      const items = block.items.map(({ text, link }) => {
        const way = link === null ? '' : `<br>${linkHtml(link, STYLES.link)}`;
        return `<li style="${STYLES.parcel}">${escapeHtml(text)}${way}</li>`;
      });
      return `<ul style="${STYLES.parcels}">${items.join('')}</ul>`;
    }
    case 'links': {
      const style = block.isChoice ? STYLES.choice : STYLES.link;
      return `<p style="${STYLES.paragraph}">${block.links.map((link) => linkHtml(link, style)).join('\n')}</p>`;
    }
    case 'facts': {
      const rows = block.rows.map(
        ({ label, value }) =>
          `<tr><th scope="row" style="${STYLES.label}">${escapeHtml(label)}</th>` +
          `<td style="${STYLES.value}">${escapeHtml(value)}</td></tr>`,
      );
      return `<table style="${STYLES.table}"><tbody>${rows.join('')}</tbody></table>`;
    }
    default:
      return block satisfies never;
  }
}

function linkHtml({ label, url }: Link, style: string): string {
  return `<a href="${escapeHtml(url)}" style="${style}">${escapeHtml(label)}</a>`;
}
