import type { Letter } from '../letter.js';
import type { Fact, Phrases } from './phrases.js';

/** One piece of a letter. Every text is plain: the HTML renderer escapes it, so no template ever writes markup. */
export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  /** What was given, one line each. */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** Label and value, for reading at a glance. */
  | { readonly kind: 'facts'; readonly rows: readonly Fact[] };

/** What a template says. `subject` is the fact; render.ts completes it with what was done about it. */
export interface LetterContent {
  readonly subject: string;
  readonly blocks: readonly Block[];
}

/** A letter's words. Pure; the greeting before and the signature after it are the same for all and not its business. */
export type Template = (letter: Letter, phrases: Phrases) => LetterContent;

export function paragraph(...sentences: readonly (string | null)[]): Block {
  return { kind: 'paragraph', text: sentences.filter((sentence) => sentence !== null).join(' ') };
}
