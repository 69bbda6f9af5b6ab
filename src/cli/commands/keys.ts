import { type CreatedKey, createKey, type ListedKey, listKeys, revokeKey } from '../../auth/key-store.js';
import type { Role } from '../../auth/roles.js';
import type { Deps } from '../../deps.js';
import { openSession } from '../session.js';
import { actor } from './recheck.js';

/** `makegood keys create --role R --name N`. */
export const createKeyCommand = (input: { role: Role; name: string }): Promise<CreatedKey> =>
  withDeps((deps) => createKey(deps.db, { ...input, actor: actor() }));

/** `makegood keys list`. */
export const listKeysCommand = (): Promise<ListedKey[]> => withDeps((deps) => listKeys(deps.db));

/** `makegood keys revoke ID`. */
export const revokeKeyCommand = (id: string): Promise<void> => withDeps((deps) => revokeKey(deps.db, id, actor()));

async function withDeps<T>(work: (deps: Deps) => Promise<T>): Promise<T> {
  const { deps, close } = await openSession();
  try {
    return await work(deps);
  } finally {
    await close();
  }
}
