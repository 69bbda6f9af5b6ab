import PgBoss from 'pg-boss';

const NAME = 'noop';

/** pg-boss without its own workers, which poll: `fetch` and `complete` in batches, which is its fastest way. */
export async function openPgBoss(url, { batch = 500, lanes = 2, poolSize = 20 }) {
  const boss = new PgBoss({ connectionString: url, max: poolSize, supervise: false, schedule: false });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue(NAME);
  const lane = async (take) => {
    for (;;) {
      const jobs = await boss.fetch(NAME, { batchSize: batch });
      if (jobs.length === 0) return;
      for (const { data } of jobs) take(data.nth);
      await boss.complete(
        NAME,
        jobs.map(({ id }) => id),
      );
    }
  };
  let working;
  return {
    addBulk: (numbers) => boss.insert(numbers.map((nth) => ({ name: NAME, data: { nth } }))),
    async work(take) {
      working = Promise.all(Array.from({ length: lanes }, () => lane(take)));
    },
    stop: () => working,
    left: () => boss.getQueueSize(NAME, { before: 'completed' }),
    close: () => boss.stop({ graceful: false, wait: true }),
  };
}
