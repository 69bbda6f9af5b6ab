import type { TemplateName } from './letter.js';
import type { PhraseTexts } from './phrases.js';
import type { BlockName } from './text-rules.js';
import { LANGUAGES, type Language } from './text-rules.js';

/** A paragraph as it was written, or the place of a block. */
export type TextPart =
  | { readonly kind: 'paragraph'; readonly source: string }
  | { readonly kind: 'block'; readonly name: BlockName };

/** The text of one kind of letter. The subject is the fact; what was done about it is added to it. */
export interface LetterText {
  readonly subject: string;
  readonly parts: readonly TextPart[];
}

/** Everything that letters in one language say, checked. */
export interface LanguageTexts {
  readonly language: Language;
  readonly letters: Readonly<Record<TemplateName, LetterText>>;
  readonly frame: readonly TextPart[];
  readonly phrases: PhraseTexts;
}

/** By language; English is always there. */
export type LetterTexts = ReadonlyMap<Language, LanguageTexts>;

/**
 * In which language somebody gets letters, and how dates and money look in them: their own language where there are texts
 * in it, else English as it is written where they are (`fr-FR`: `en-FR`). Whatever is no locale: `en-US`.
 */
export function letterLocale(
  locale: string | null,
  texts: Pick<LetterTexts, 'has'>,
): { readonly language: Language; readonly locale: string } {
  const { language, region } = readLocale(locale);
  const own = LANGUAGES.find((one) => one === language && texts.has(one));
  if (own === undefined) return { language: 'en', locale: `en-${region ?? 'US'}` };
  return { language: own, locale: region === undefined ? own : `${own}-${region}` };
}

function readLocale(locale: string | null): { readonly language?: string; readonly region?: string | undefined } {
  try {
    return new Intl.Locale((locale ?? '').replaceAll('_', '-'));
  } catch {
    return {};
  }
}
