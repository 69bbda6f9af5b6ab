import { describe, expect, test } from '@jest/globals';
import { PIPELINE } from '../../src/pipeline.js';
import { SCHEDULES } from '../../src/queue/queues.js';
import { STAGES } from '../../src/queue/ticket.js';
import { WORKERS } from '../../workers/start-workers.js';
import { filesIn, textOf } from '../support/source-files.js';

/** Stage 0 stands at the door and has no worker; the schedules come in from the side. */
const ALL = ['receive-webhook', ...STAGES, ...SCHEDULES];

function sourceOf(name: string): string {
  const files = filesIn('src').filter((path) => path.endsWith(`/${name}.ts`) && !path.startsWith('src/cli/'));
  expect(files).toHaveLength(1);
  return textOf(files[0] ?? '');
}

test('the map has exactly the stages that tickets can be issued for, in their order', () => {
  expect(Object.keys(PIPELINE)).toEqual(STAGES);
  expect(Object.values(PIPELINE).map(({ name }) => name)).toEqual(STAGES);
});

test('there is a worker for every stage and schedule', () => {
  expect(Object.keys(WORKERS)).toEqual([...STAGES, ...SCHEDULES]);
});

describe.each(ALL)('%s', (name) => {
  test('has a file of its name that opens with what it reads and writes, and what happens twice and if lost', () => {
    const opening = new RegExp(`/\\*\\*\\n \\* ${name}: (\\S(?:(?!\\*/)[\\s\\S])*)\\*/\\nexport `);
    const block = sourceOf(name).match(opening)?.[1] ?? '';
    const labels = [...block.matchAll(/^ \* (Reads|Writes|Twice|If lost): +\S/gm)].map(([, label]) => label);
    expect(labels).toEqual(['Reads', 'Writes', 'Twice', 'If lost']);
  });

  test('is named by a test of the pipeline', () => {
    const naming = filesIn('test/pipeline').filter((path) => textOf(path).includes(name));
    expect(naming).not.toEqual([]);
  });

  if (name === 'receive-webhook') return;
  test('has a worker in a file of its name', () => {
    expect(filesIn('workers')).toContain(`workers/${name}.ts`);
  });
});

test.each(Object.values(PIPELINE))('$name issues tickets for $next and no other stage', ({ name, next }) => {
  const issued = [...sourceOf(name).matchAll(/issueTickets\([^;]*?\bstage: '([a-z-]+)'/g)].map(([, stage]) => stage);
  expect([...new Set(issued)].sort()).toEqual([...next].sort());
});
