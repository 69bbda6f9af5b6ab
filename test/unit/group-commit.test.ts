import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/errors.js';
import { GroupCommit } from '../../src/inbox/group-commit.js';
import { eventually } from '../support/eventually.js';

/** A commit whose batches the test finishes by hand. */
function heldCommit() {
  const batches: { items: readonly string[]; finish(): void; fail(error: unknown): void }[] = [];
  const commit = (items: readonly string[]) =>
    new Promise<readonly string[]>((resolve, reject) => {
      batches.push({ items, finish: () => resolve(items.map((item) => item.toUpperCase())), fail: reject });
    });
  /** The batch that flies as the nth. */
  const batch = (index: number) => eventually(() => batches[index], 2_000);
  return { commit, batches, batch };
}

/** A commit that refuses batches with a bad item as a whole, as a database does. */
function refusingCommit(error: (item: string) => unknown) {
  const batches: (readonly string[])[] = [];
  const stored: string[] = [];
  const commit = async (items: readonly string[]) => {
    batches.push(items);
    const bad = items.find((item) => item.startsWith('bad'));
    if (bad !== undefined) throw error(bad);
    stored.push(...items);
    return items;
  };
  return { commit, batches, stored };
}

const ONE_LANE = {
  maxBatch: 500,
  maxWaiting: 5_000,
  weightOf: (item: string) => item.length,
  maxBatchWeight: 1_000_000,
  maxWaitingWeight: 1_000_000,
  lanes: 1,
};

/** Lets everything run that is ready to run: the batch of this turn of the event loop has left afterwards. */
const nextTurn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe('batches form by themselves', () => {
  test('a lone item leaves at once as its own batch', async () => {
    const { commit, batches, batch } = heldCommit();
    const door = new GroupCommit(commit, ONE_LANE);
    const answer = door.submit('a');
    await nextTurn();
    expect(batches.map(({ items }) => items)).toEqual([['a']]);
    (await batch(0)).finish();
    await expect(answer).resolves.toBe('A');
  });

  test('what arrives while a batch is in flight is the next batch, in the order of arrival', async () => {
    const { commit, batches, batch } = heldCommit();
    const door = new GroupCommit(commit, ONE_LANE);
    const first = door.submit('a');
    await batch(0);
    const later = ['b', 'c', 'd'].map((item) => door.submit(item));
    await nextTurn();
    expect(batches).toHaveLength(1);
    (await batch(0)).finish();
    expect((await batch(1)).items).toEqual(['b', 'c', 'd']);
    (await batch(1)).finish();
    await expect(Promise.all([first, ...later])).resolves.toEqual(['A', 'B', 'C', 'D']);
  });

  test('nobody is answered before the batch is durable', async () => {
    const { commit, batch } = heldCommit();
    const door = new GroupCommit(commit, ONE_LANE);
    let answered = false;
    const answer = door.submit('a').then(() => {
      answered = true;
    });
    const inFlight = await batch(0);
    await nextTurn();
    expect(answered).toBe(false);
    inFlight.finish();
    await answer;
  });

  test('a batch has at most maxBatch items, and no more batches than lanes are in flight', async () => {
    const { commit, batches, batch } = heldCommit();
    const door = new GroupCommit(commit, { ...ONE_LANE, maxBatch: 2, lanes: 2 });
    const answers = ['a', 'b', 'c', 'd', 'e'].map((item) => door.submit(item));
    await nextTurn();
    expect(batches.map(({ items }) => items)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    (await batch(1)).finish();
    expect((await batch(2)).items).toEqual(['e']);
    (await batch(0)).finish();
    (await batch(2)).finish();
    await expect(Promise.all(answers)).resolves.toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  test('beyond maxWaiting a caller is told at once to come back, and those who wait are served', async () => {
    const { commit, batch } = heldCommit();
    const door = new GroupCommit(commit, { ...ONE_LANE, maxWaiting: 2 });
    const first = door.submit('a');
    await batch(0);
    const waiting = [door.submit('b'), door.submit('c')];
    await expect(door.submit('d')).rejects.toMatchObject({ code: 'overloaded' });
    (await batch(0)).finish();
    (await batch(1)).finish();
    await expect(Promise.all([first, ...waiting])).resolves.toEqual(['A', 'B', 'C']);
    const afterwards = door.submit('e');
    (await batch(2)).finish();
    await expect(afterwards).resolves.toBe('E');
  });
});

describe('a batch that fails', () => {
  test.each([1, 2, 3, 7, 100])(
    'is halved until the bad one of %i stands alone: it fails, all others are stored',
    async (size) => {
      for (const place of new Set([0, Math.floor(size / 2), size - 1])) {
        const { commit, batches, stored } = refusingCommit((item) => new Error(`${item} cannot be stored`));
        const door = new GroupCommit(commit, ONE_LANE);
        const items = Array.from({ length: size }, (_, index) => (index === place ? 'bad' : `good ${index}`));
        const answers = await Promise.allSettled(items.map((item) => door.submit(item)));
        expect(answers.map(({ status }) => status)).toEqual(
          items.map((item) => (item === 'bad' ? 'rejected' : 'fulfilled')),
        );
        expect(answers[place]).toMatchObject({ reason: { message: 'bad cannot be stored' } });
        expect(stored).toEqual(items.filter((item) => item !== 'bad'));
        // Two halves a level and no more: the cost of one bad item grows with the logarithm.
        expect(batches.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(Math.log2(size)));
      }
    },
  );

  test('with several bad ones, each hears its own error', async () => {
    const { commit, stored } = refusingCommit((item) => new Error(item));
    const door = new GroupCommit(commit, ONE_LANE);
    const items = ['a', 'bad 1', 'b', 'bad 2', 'c'];
    const answers = await Promise.allSettled(items.map((item) => door.submit(item)));
    expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : answer.reason.message))).toEqual(
      items,
    );
    expect(stored).toEqual(['a', 'b', 'c']);
  });

  test('because the database is away fails for everybody, and is not tried in halves', async () => {
    const { commit, batches } = refusingCommit(() => new AppError('database_unavailable', 'away'));
    const door = new GroupCommit(commit, ONE_LANE);
    const answers = await Promise.allSettled(['a', 'bad', 'c'].map((item) => door.submit(item)));
    expect(answers.map((answer) => answer.status === 'rejected' && answer.reason.code)).toEqual(
      Array(3).fill('database_unavailable'),
    );
    expect(batches).toHaveLength(1);
  });

  test('does not stop the batches after it', async () => {
    const { commit, batch } = heldCommit();
    const door = new GroupCommit(commit, ONE_LANE);
    const first = door.submit('a');
    const inFlight = await batch(0);
    const second = door.submit('b');
    inFlight.fail(new Error('no'));
    await expect(first).rejects.toThrow('no');
    (await batch(1)).finish();
    await expect(second).resolves.toBe('B');
  });
});

describe('heavy items', () => {
  test('fill a batch by their weight, and one that is heavier than a batch is one by itself', async () => {
    const { commit, batch } = heldCommit();
    const door = new GroupCommit(commit, { ...ONE_LANE, maxBatchWeight: 5 });
    const answers = ['aaa', 'bb', 'c', 'ddddddddd', 'e'].map((item) => door.submit(item));
    for (const [index, items] of [['aaa', 'bb'], ['c'], ['ddddddddd'], ['e']].entries()) {
      const flying = await batch(index);
      expect(flying.items).toEqual(items);
      flying.finish();
    }
    expect(await Promise.all(answers)).toEqual(['AAA', 'BB', 'C', 'DDDDDDDDD', 'E']);
  });

  test('are refused when those that wait weigh too much, and taken again when they have left', async () => {
    const { commit, batch } = heldCommit();
    const door = new GroupCommit(commit, { ...ONE_LANE, maxWaitingWeight: 6 });
    const first = door.submit('a');
    const inFlight = await batch(0);
    const second = door.submit('bbbbbb');
    await expect(door.submit('c')).rejects.toMatchObject({ code: 'overloaded' });
    inFlight.finish();
    await first;
    const next = await batch(1);
    const third = door.submit('c');
    next.finish();
    await second;
    (await batch(2)).finish();
    expect(await third).toBe('C');
  });
});
