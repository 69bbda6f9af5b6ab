import { assert } from '../errors.js';
import type { Block } from './blocks.js';
import type { Letter } from './letter.js';
import { factRows } from './letter-facts-table.js';
import { letterHtml } from './letter-html.js';
import { letterText } from './letter-text.js';
import { type LetterTexts, letterLocale, type TextPart } from './letter-texts.js';
import { nameOrNull, type Writing, wordsOf, writingOf } from './letter-words.js';
import { webAddress } from './outside-text.js';
import { parcelBlocks } from './parcel-list.js';
import { remedyBlocks, remedySummary, withdrawnBlocks } from './remedies.js';
import { type BlockName, FRAME_RULES, LETTER_RULES } from './text-rules.js';
import { fillIn, type ValuesOf, type Variables } from './text-source.js';

export interface RenderedLetter {
  /** One line, under 90 characters. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * Mail programs show about 60 to 90 characters of a subject. Bigger: what was done about it is cut off where nobody
 * sees it; smaller: long order numbers push it out before.
 */
const SUBJECT_LENGTH = 89;

/** Writes a letter. Pure: the same facts and texts give the same characters, for ever. */
export function renderLetter(letter: Letter, texts: LetterTexts): RenderedLetter {
  const { language, locale } = letterLocale(letter.customer.locale, texts);
  const spoken = texts.get(language);
  assert(spoken, `there are texts in ${language}`);
  const writing = writingOf(letter, spoken, locale);
  const rules = LETTER_RULES[letter.template];
  const words = chosen(wordsOf(writing), rules.variables);
  const { subject: fact, parts } = spoken.letters[letter.template];
  const subject = subjectLine(fillIn(fact, words), remedySummary(writing, language), writing);
  const body = (): Block[] =>
    blocksOf(parts, words, {
      remedies: () => remedyBlocks(writing),
      withdrawn: () => withdrawnBlocks(writing),
      parcels: () => parcelBlocks(writing),
      facts: () => [{ kind: 'facts', rows: factRows(writing, rules.facts) }],
    });
  const blocks = frameOf(spoken.frame, writing, body);
  return { subject, text: letterText(blocks), html: letterHtml(blocks, { subject, language }) };
}

type Words = Readonly<Record<string, string | boolean | null>>;

/** The variables that a text of these rules may name. Without one that is always there, no letter is written. */
function chosen(words: Words, variables: Variables): Words {
  return Object.fromEntries(
    Object.entries(variables).map(([name, presence]) => {
      const value = words[name] ?? null;
      assert(presence !== 'always' || (typeof value === 'string' && value !== ''), `a letter knows ${name}`);
      return [name, value];
    }),
  );
}

/** A paragraph of which nothing is left is left out. */
function blocksOf(
  parts: readonly TextPart[],
  words: Words,
  blocks: Partial<Record<BlockName, () => Block[]>>,
): Block[] {
  return parts.flatMap((part): Block[] => {
    if (part.kind === 'block') return blocks[part.name]?.() ?? [];
    const text = fillIn(part.source, words);
    return text === '' ? [] : [{ kind: 'paragraph', text }];
  });
}

/** Greeting, letter, the question whether it made things right, and who signs. */
function frameOf(frame: readonly TextPart[], { letter, phrases }: Writing, body: () => Block[]): Block[] {
  const [yes, no] = [webAddress(letter.answerUrls?.yes), webAddress(letter.answerUrls?.no)];
  const unsubscribeUrl = webAddress(letter.unsubscribeUrl);
  const signerName = nameOrNull(letter.signedBy?.name);
  const words: ValuesOf<typeof FRAME_RULES.variables> = {
    shopName: nameOrNull(letter.shopName) ?? '',
    replyLine: phrases.say('reply'),
    customerName: nameOrNull(letter.customer.name),
    signerName,
    signerRole: signerName === null ? null : nameOrNull(letter.signedBy?.role),
    makesGood: (LETTER_RULES[letter.template].blocks as readonly BlockName[]).includes('remedies'),
    canAnswer: yes !== null && no !== null,
    canUnsubscribe: unsubscribeUrl !== null,
  };
  return blocksOf(frame, chosen(words, FRAME_RULES.variables), {
    letter: body,
    answers: () => {
      if (yes === null || no === null) return [];
      const links = [
        { label: phrases.say('answer.yes'), url: yes },
        { label: phrases.say('answer.no'), url: no },
      ];
      return [{ kind: 'links', links, isChoice: true }];
    },
    unsubscribe: () => {
      if (unsubscribeUrl === null) return [];
      const links = [{ label: phrases.say('unsubscribe.link'), url: unsubscribeUrl }];
      return [{ kind: 'links', links, isChoice: false }];
    },
  });
}

/** The fact and what was done about it; where both do not fit, the fact and that it was made good. */
function subjectLine(fact: string, remedy: string | null, { phrases }: Writing): string {
  if (remedy === null) return clipped(fact);
  const whole = `${fact}: ${remedy}`;
  return whole.length <= SUBJECT_LENGTH ? whole : clipped(`${fact}: ${phrases.say('summary.madeGood')}`);
}

function clipped(subject: string): string {
  return subject.length <= SUBJECT_LENGTH
    ? subject
    : `${subject.slice(0, SUBJECT_LENGTH - 1)}…`.replace(/[\ud800-\udbff]…$/, '…');
}
