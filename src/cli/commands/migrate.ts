import { readConfig } from '../../config.js';
import { migrate } from '../../db/migrate.js';
import { openDatabaseUrl } from '../session.js';

/** `makegood migrate`: the names of the migrations that it applied. */
export async function migrateCommand(): Promise<string[]> {
  const { url, close } = await openDatabaseUrl(readConfig(process.env));
  try {
    return await migrate(url);
  } finally {
    await close();
  }
}
