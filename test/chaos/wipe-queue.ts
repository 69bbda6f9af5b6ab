import type { TestDatabase } from '../support/database.js';

/** Drops all that BullMQ keeps in PostgreSQL, while workers use it: of two that wait for each other one is told to try again. */
export async function dropQueueSchema(database: TestDatabase): Promise<void> {
  for (;;) {
    try {
      await database.query('DROP SCHEMA bullmq CASCADE');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01') throw error;
    }
  }
}
