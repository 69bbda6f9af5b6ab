/**
 * Does a piece of work for each item, so many at once, each as soon as a lane is free. All are done, whatever becomes of the
 * others: whoever ends a batch for one failure does so when nothing of it is under way any more.
 * @returns what became of each, in the order of the items
 */
export async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const place = next++;
      [results[place]] = (await Promise.allSettled([work(items[place] as T)])) as [PromiseSettledResult<R>];
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
