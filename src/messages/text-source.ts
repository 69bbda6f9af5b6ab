import mustache from 'mustache';

/**
 * How far a variable can be relied on: `always` there; there only `sometimes`, so it stands within a section of its own,
 * `{{#cause}}{{cause}}{{/cause}}`; or a `flag`, which has no text and only opens sections.
 */
export type Presence = 'always' | 'sometimes' | 'flag';
export type Variables = Readonly<Record<string, Presence>>;

/** What goes into a text: by the presence of each variable, its text, its text or null, or whether it is so. */
export type ValuesOf<V extends Variables> = {
  readonly [Name in keyof V]: V[Name] extends 'flag' ? boolean : V[Name] extends 'always' ? string : string | null;
};

/** What is wrong with a text. Lines count from 1. */
export interface TextFault {
  readonly line: number;
  readonly message: string;
}

/** A token of mustache: its kind, its name or text, where it begins and ends, and of a section what stands in it. */
type Token = readonly [kind: string, value: string, from: number, to: number, inside?: readonly Token[]];

/** What is wrong with a piece of text, one paragraph or phrase, that begins in this line. */
export function faultsOf(source: string, variables: Variables, firstLine: number): TextFault[] {
  const lineAt = (offset: number) => firstLine + source.slice(0, offset).split('\n').length - 1;
  let tokens: readonly Token[];
  try {
    tokens = parse(source);
  } catch (error) {
    const [, message = '', at = '0'] = /^(.*?)(?: at (\d+))?$/s.exec((error as Error).message) ?? [];
    return [{ line: lineAt(Number(at)), message: `${message}: a section is {{#name}}…{{/name}}` }];
  }
  return faultsAmong(tokens, variables, [], lineAt);
}

function faultsAmong(
  tokens: readonly Token[],
  variables: Variables,
  sections: readonly string[],
  lineAt: (offset: number) => number,
): TextFault[] {
  return tokens.flatMap(([kind, value, from, , inside = []]): TextFault[] => {
    const fault = (message: string): TextFault[] => [{ line: lineAt(from), message }];
    switch (kind) {
      case 'text':
        return /\{\{|\}\}/.test(value) ? fault('{{ or }} without the other') : [];
      case '!':
        return [];
      case '#':
      case '^': {
        const within = kind === '#' ? [...sections, value] : sections;
        const unknown = Object.hasOwn(variables, value) ? [] : fault(unknownVariable(value, variables));
        return [...unknown, ...faultsAmong(inside, variables, within, lineAt)];
      }
      case 'name':
        if (!Object.hasOwn(variables, value)) return fault(unknownVariable(value, variables));
        if (variables[value] === 'flag') {
          return fault(`{{${value}}} has no text of its own: write {{#${value}}}…{{/${value}}}`);
        }
        if (variables[value] === 'sometimes' && !sections.includes(value)) {
          return fault(
            `{{${value}}} is not always there: write {{#${value}}}…{{${value}}}…{{/${value}}} around what needs it`,
          );
        }
        return [];
      case '>':
        return fault(`{{> ${value}}} stands in a line of its own`);
      default:
        return fault(`only {{name}}, {{#name}}…{{/name}} and {{^name}}…{{/name}} can stand here`);
    }
  });
}

function unknownVariable(name: string, variables: Variables): string {
  return `there is no variable ${JSON.stringify(name)} here; there are: ${Object.keys(variables).join(', ') || 'none'}`;
}

/** Characters of a text without its variables, where each section is taken the way that makes it longest. */
export function literalLength(source: string): number {
  const lengthOf = (tokens: readonly Token[]): number => {
    const alternatives = new Map<string, { '#': number; '^': number }>();
    let length = 0;
    for (const [kind, value, , , inside = []] of tokens) {
      if (kind === 'text') length += value.length;
      if (kind !== '#' && kind !== '^') continue;
      const both = alternatives.get(value) ?? { '#': 0, '^': 0 };
      both[kind] += lengthOf(inside);
      alternatives.set(value, both);
    }
    for (const both of alternatives.values()) length += Math.max(both['#'], both['^']);
    return length;
  };
  return lengthOf(parse(source));
}

/** Whether a variable is printed, or a section of it opened, somewhere in a text. */
export function uses(source: string, name: string): boolean {
  const among = (tokens: readonly Token[]): boolean =>
    tokens.some(([kind, value, , , inside = []]) => (['name', '#'].includes(kind) && value === name) || among(inside));
  return among(parse(source));
}

/**
 * The text with its variables filled in, on one line; empty when nothing is left of it. Values are put in as they are:
 * whoever makes HTML of it escapes it, and tags in a value are text. No-break spaces stay.
 */
export function fillIn(source: string, values: Readonly<Record<string, string | boolean | null>>): string {
  return mustache
    .render(source, values, undefined, { escape: String })
    .replace(/[ \t\n]+/g, ' ')
    .trim();
}

function parse(source: string): readonly Token[] {
  return mustache.parse(source) as unknown as readonly Token[];
}
