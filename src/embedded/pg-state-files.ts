import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The passwords of the two roles that makegood makes in its cluster. */
export interface PostgresSecrets {
  readonly postgres: string;
  readonly makegood: string;
}

/** The last server on a data folder: its port is taken again when free, its token names the lock it ran under. */
export interface ServerState {
  readonly port: number;
  readonly token: string;
}

const SECRETS_FILE = 'postgres-secrets.json';
const STATE_FILE = 'postgres-server.json';

/** Replaces a file as a whole: after a crash or a power cut it is the old one or the new one, never a half. */
export async function writeFileDurably(file: string, content: string, mode: number): Promise<void> {
  const draft = `${file}.new`;
  const handle = await open(draft, 'w', mode);
  try {
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
  await syncFolder(dirname(file));
}

/** Makes renames in a folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders; its file systems keep renames in a journal.
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Null when there are none, or not whole. */
export async function readSecrets(dataDir: string): Promise<PostgresSecrets | null> {
  const { postgres, makegood } = await readJson<PostgresSecrets>(join(dataDir, SECRETS_FILE));
  return typeof postgres === 'string' && typeof makegood === 'string' ? { postgres, makegood } : null;
}

/** Hexadecimal, so that they stand in a URL and in SQL without escaping. */
export async function createSecrets(dataDir: string): Promise<PostgresSecrets> {
  const secrets = { postgres: randomBytes(24).toString('hex'), makegood: randomBytes(24).toString('hex') };
  await writeFileDurably(join(dataDir, SECRETS_FILE), JSON.stringify(secrets), 0o600);
  return secrets;
}

/** Null when no server ever ran here. */
export async function readServerState(dataDir: string): Promise<ServerState | null> {
  const { port, token } = await readJson<ServerState>(join(dataDir, STATE_FILE));
  return typeof port === 'number' && typeof token === 'string' ? { port, token } : null;
}

/** Tells other processes of this folder, and the next start, where the server is. */
export async function saveServerState(dataDir: string, state: ServerState): Promise<void> {
  await writeFileDurably(join(dataDir, STATE_FILE), JSON.stringify(state), 0o600);
}

/** The fields of a JSON object in a file: none when the file is missing or not whole. */
export async function readJson<T>(file: string): Promise<Partial<T>> {
  try {
    const parsed: unknown = JSON.parse(await readFile(file, 'utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
