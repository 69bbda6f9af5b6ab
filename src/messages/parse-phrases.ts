import { type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { ParsedText } from './parse-letter-text.js';
import { PHRASES, type PhraseKey, type PhraseTexts, pluralFormsOf, rulesOfPhrase } from './phrases.js';
import { faultsOf, type TextFault } from './text-source.js';

/**
 * Reads phrases.json: an object of phrases, each a text, or, where it counts, a text for each plural form. Some may be
 * missing: `missingPhrases` says which. Every fault is listed.
 */
export function parsePhrases(source: string, language: string): ParsedText<Partial<PhraseTexts>> {
  const text = source.replace(/^\ufeff/, '');
  const lineOf = ({ offset }: { readonly offset: number }) => text.slice(0, offset).split('\n').length;
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
  if (errors.length > 0 || root?.type !== 'object') {
    const [first] = errors;
    return { outcome: 'invalid', faults: [{ line: first ? lineOf(first) : 1, message: 'is not a JSON object' }] };
  }
  const faults: TextFault[] = [];
  const found: Record<string, unknown> = {};
  for (const { key, value } of propertiesOf(root)) {
    const line = lineOf(value);
    const name = String(key.value);
    if (!isPhraseKey(name)) {
      faults.push({ line, message: `there is no phrase ${JSON.stringify(name)}` });
      continue;
    }
    if (name in found) faults.push({ line, message: `${name} stands here twice` });
    const wrong = rulesOfPhrase(name).isCounted
      ? faultsOfForms(name, value, language, lineOf)
      : faultsOfPhrase(name, value, lineOf);
    faults.push(...wrong);
    found[name] = rulesOfPhrase(name).isCounted ? formsIn(value) : value.value;
  }
  return faults.length === 0 ? { outcome: 'ok', text: found as Partial<PhraseTexts> } : { outcome: 'invalid', faults };
}

/** The phrases that are not there. */
export function missingPhrases(phrases: Partial<PhraseTexts>): string[] {
  return Object.keys(PHRASES).filter((key) => !(key in phrases));
}

type LineOf = (node: { readonly offset: number }) => number;

function faultsOfForms(name: PhraseKey, value: Node, language: string, lineOf: LineOf): TextFault[] {
  const line = lineOf(value);
  const { all, needed } = pluralFormsOf(language);
  const wanted = needed.map((form) => JSON.stringify(form)).join(' and ');
  if (value.type !== 'object') return [{ line, message: `${name} is an object with the plural forms ${wanted}` }];
  const forms = formsIn(value);
  const missing = needed.filter((form) => !(form in forms));
  return [
    ...missing.map((form) => ({ line, message: `${name} has no plural form ${JSON.stringify(form)}` })),
    ...propertiesOf(value).flatMap(({ key, value: form }) =>
      all.includes(String(key.value))
        ? faultsOfPhrase(name, form, lineOf)
        : [{ line: lineOf(key), message: `${name}: ${language} has no plural form ${JSON.stringify(key.value)}` }],
    ),
  ];
}

function faultsOfPhrase(name: PhraseKey, node: Node, lineOf: LineOf): TextFault[] {
  const line = lineOf(node);
  if (node.type !== 'string' || String(node.value).trim() === '') {
    return [{ line, message: `${name} is a text that is not empty` }];
  }
  if (/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(node.value)) return [{ line, message: `${name} is one line of text` }];
  return faultsOf(node.value, rulesOfPhrase(name).variables, line).map((fault) => ({
    line,
    message: `${name}: ${fault.message}`,
  }));
}

function formsIn(value: Node): Record<string, unknown> {
  return Object.fromEntries(propertiesOf(value).map(({ key, value: form }) => [key.value, form.value]));
}

function propertiesOf(node: Node): { readonly key: Node; readonly value: Node }[] {
  return (node.children ?? []).flatMap(({ children: [key, value] = [] }) => (key && value ? [{ key, value }] : []));
}

function isPhraseKey(name: string): name is PhraseKey {
  return Object.hasOwn(PHRASES, name);
}
