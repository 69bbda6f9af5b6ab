import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from '@swc/core';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What git does not keep, and what npm, the build and the programs make. */
const NOT_OURS = /^((.*\/)?node_modules|dist(\..*)?|src\/generated|\.git|\.data|\.env|coverage|.*\.log)$/;

/** Files of a folder of the repository and below, as paths from the root with `/`. */
export function filesIn(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (NOT_OURS.test(path)) return [];
      return entry.isDirectory() ? filesIn(path) : [path];
    })
    .sort();
}

export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export interface SourceFile {
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /**
   * What it reaches for, as it is written: every name that is read (`fetch`, `process`), with its property where it has one
   * (`Date.now`, `process.env`), every method that is called (`.query()`), and `new Date()` without an argument.
   */
  readonly uses: ReadonlySet<string>;
}

export interface Import {
  /** A path from the root for our own files, else the module as it is written. */
  readonly to: string;
  /** Nothing of it is left when compiled. */
  readonly typeOnly: boolean;
  /** What is imported, by the names of the other module. */
  readonly names: readonly string[];
}

/** Reads and parses the TypeScript files of a folder. */
export function readSources(folder: string): SourceFile[] {
  return filesIn(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = textOf(path);
      const module = parseSync(text, { syntax: 'typescript', target: 'es2023' }) as unknown as Node;
      const found = { imports: [] as Import[], uses: new Set<string>() };
      visit(module, path, found);
      return { path, lines: text.split('\n').length - 1, ...found };
    });
}

/** A node of swc's syntax tree, as far as it is looked at here. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly [property: string]: unknown;
}
const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === 'string';
const nameOf = (value: unknown): string | null =>
  isNode(value) && value.type === 'Identifier' ? String(value.value) : null;

function visit(node: Node, path: string, found: { imports: Import[]; uses: Set<string> }): void {
  const { uses } = found;
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      if (isNode(node.source)) found.imports.push(importOf(node, node.source, path));
      return;
    case 'CallExpression': {
      const callee = unwrapped(node.callee as Node);
      const [first] = node.arguments as { expression: Node }[];
      if (callee.type === 'Import' && first) {
        found.imports.push({ to: resolve(path, String(first.expression.value)), typeOnly: false, names: [] });
      }
      if (callee.type === 'MemberExpression') uses.add(`.${nameOf(callee.property)}()`);
      if (nameOf(callee) === 'Date') uses.add('new Date()');
      break;
    }
    case 'NewExpression':
      if (nameOf(node.callee) === 'Date' && (node.arguments as unknown[]).length === 0) uses.add('new Date()');
      break;
    case 'MemberExpression': {
      const [object, property] = [nameOf(node.object), nameOf(node.property)];
      if (property) uses.add(object ? `${object}.${property}` : `.${property}`);
      break;
    }
    case 'Identifier':
      uses.add(String(node.value));
      return;
  }
  for (const [key, value] of Object.entries(node)) {
    // The name of a property is nothing that is reached for.
    if (key === 'property' || key === 'key') {
      if (isNode(value) && value.type !== 'Identifier') visit(value, path, found);
      continue;
    }
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) visit(child, path, found);
      // Arguments and elements of lists come wrapped.
      else if (isNode(child?.expression)) visit(child.expression, path, found);
    }
  }
}

/** Without what TypeScript and `?.` put around it. */
function unwrapped(node: Node): Node {
  const inner = node.base ?? (/^(Ts|Parenthesis)/.test(node.type) ? node.expression : undefined);
  return isNode(inner) ? unwrapped(inner) : node;
}

function importOf(node: Node, source: Node, path: string): Import {
  const specifiers = (node.specifiers ?? []) as Node[];
  const typeOnly =
    node.typeOnly === true || (specifiers.length > 0 && specifiers.every((specifier) => specifier.isTypeOnly === true));
  const names = specifiers.map((specifier) => nameOf(specifier.imported) ?? nameOf(specifier.local) ?? '*');
  return { to: resolve(path, String(source.value)), typeOnly, names };
}

function resolve(from: string, module: string): string {
  return module.startsWith('.') ? posix.join(posix.dirname(from), module).replace(/\.js$/, '.ts') : module;
}
