import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { filesIn, ROOT, textOf } from '../support/source-files.js';

const FILES = filesIn();
const DOCUMENTS = FILES.filter((path) => path.endsWith('.md'));

const manifest = JSON.parse(textOf('package.json')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

describe('documents', () => {
  test('those that a newcomer looks for are there', () => {
    expect(FILES).toEqual(
      expect.arrayContaining([
        'README.md',
        'ARCHITECTURE.md',
        'CHANGELOG.md',
        'CONTRIBUTING.md',
        'LICENSE',
        '.env.example',
      ]),
    );
  });

  test('every link within the repository leads to a file, and to a heading where it names one', () => {
    const broken = DOCUMENTS.flatMap((path) => {
      const links = [...textOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
      return links
        .filter((link) => !/^(https?|mailto):/.test(link) && !leadsSomewhere(path, link))
        .map((link) => `${path}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  test('every npm script that is named exists', () => {
    const own = new Set(['ci', 'install', 'view', ...Object.keys(manifest.scripts)]);
    const unknown = [...DOCUMENTS, '.env.example'].flatMap((path) =>
      [...textOf(path).matchAll(/(?:^|`|&& |; )npm (?:run )?(?:-s )?([a-z][\w:-]*)/gm)]
        .filter(([, name = '']) => !own.has(name))
        .map(([command]) => `${path}: ${command}`),
    );
    expect(unknown).toEqual([]);
  });

  function leadsSomewhere(from: string, link: string): boolean {
    const [file = '', heading] = link.split('#');
    const target = file === '' ? from : posix.join(posix.dirname(from), file);
    if (!existsSync(join(ROOT, target))) return false;
    if (heading === undefined || !target.endsWith('.md')) return true;
    const headings = [...textOf(target).matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
    return headings.includes(heading);
  }
});

describe('.env.example', () => {
  const example = textOf('.env.example');

  test('names every variable that is read, and no other', () => {
    const read = new Set<string>();
    readConfig(
      new Proxy<NodeJS.ProcessEnv>(
        {},
        {
          get: (_target, name) => {
            read.add(String(name));
            return undefined;
          },
        },
      ),
    );
    expect(Object.keys(parseEnv(example)).sort()).toEqual([...read].sort());
  });

  test('says a sentence about each', () => {
    const lines = example.split('\n');
    const unexplained = lines.filter(
      (line, index) => /^[A-Z]/.test(line) && !/^# .*[.:)]$/.test(lines[index - 1] ?? ''),
    );
    expect(unexplained).toEqual([]);
  });

  test('changes nothing where it is taken as it is: its values are the defaults', () => {
    expect(readConfig(parseEnv(example) as NodeJS.ProcessEnv)).toEqual(readConfig({}));
  });
});

describe('packages', () => {
  const lock = JSON.parse(textOf('package-lock.json')) as {
    packages: Record<string, { resolved?: string; optionalDependencies?: Record<string, string> }>;
  };

  test('versions are exact', () => {
    const { dependencies, devDependencies } = manifest;
    const open = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version),
    );
    expect(open).toEqual([]);
  });

  test('the lock names no place to download from: whoever installs has a registry of their own', () => {
    expect(Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test('the lock has the binaries for every platform, else npm ci refuses it: node tools/complete-lockfile.mjs', () => {
    const names = new Set(Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)));
    const missing = Object.values(lock.packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter((name) => !names.has(name));
    expect(missing).toEqual([]);
  });
});

/** Each written so that it does not find itself. */
const UNWANTED: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['work that was put off', /\b(?:T[O]DO|F[I]XME)\b|(?:\/\/|\*|#) *X[X]X\b/],
  ['a folder of one machine', /\/(?:wor[k]\/|hom[e]\/|Use[r]s\/|roo[t]\/)/],
  ['a registry', /registr[y]\.(?:npmjs|yarnpkg)|de[b]\.debian\.org|npmmirro[r]/],
  ['an issue by its number', /\bissu[e] #?\d/i],
];

/** Tests that may be left out, and where: without the reference cases, without the rights of root, on Windows, without a browser. */
const MAY_SKIP = /^test\/(unit\/shared-vectors-[a-z]+|integration\/(embedded-postgres|docs|mailbox-page))\.test\.ts$/;

describe('files', () => {
  const texts = FILES.filter((path) => !/^package-lock\.json$|^test\/fixtures\//.test(path)).map(
    (path) => [path, textOf(path)] as const,
  );

  test.each(UNWANTED)('none has %s in it', (_what, pattern) => {
    const found = texts.flatMap(([path, text]) =>
      text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
    );
    expect(found).toEqual([]);
  });

  test('no test is alone or left out, but those that need what a machine may not have', () => {
    const found = texts
      .filter(([path]) => path.endsWith('.test.ts'))
      .flatMap(([path, text]) => {
        const alone = /\b(?:test|it|describe)\.onl[y]\b|\bf(?:it|describe)\(/.test(text);
        const leftOut =
          /\b(?:test|it|describe)\.(?:ski[p]|todo)\b|\bx(?:it|test|describe)\(/.test(text) && !MAY_SKIP.test(path);
        return alone || leftOut ? [path] : [];
      });
    expect(found).toEqual([]);
  });
});
