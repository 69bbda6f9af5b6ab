import type { Block, Link } from './blocks.js';

/** A letter as plain text. Addresses stand on lines of their own, so that no mail program takes a full stop for a part of one. */
export function letterText(blocks: readonly Block[]): string {
  return `${blocks.map(blockText).join('\n\n')}\n`;
}

function blockText(block: Block): string {
  switch (block.kind) {
    case 'paragraph':
      return block.text;
    case 'list':
      return block.items.map((item) => `- ${item}`).join('\n');
    case 'facts':
      return block.rows.map((row) => `${row.label}: ${row.value}`).join('\n');
    case 'parcels':
      return block.items
        .map(({ text, link }) => (link === null ? `- ${text}` : `- ${text}\n  ${linkText(link).replace('\n', '\n  ')}`))
        .join('\n');
    case 'links':
      return block.links.map(linkText).join('\n');
    default:
      return block satisfies never;
  }
}

function linkText({ label, url }: Link): string {
  return `${label}:\n${url}`;
}
