import { type CreatedKey, createKey, type ListedKey, listKeys, revokeKey } from '../../auth/key-store.js';
import type { Role } from '../../auth/roles.js';
import { withSession } from '../session.js';
import { actor } from './recheck.js';

/** `makegood keys create --role R --name N`. */
export const createKeyCommand = (input: { role: Role; name: string }): Promise<CreatedKey> =>
  withSession(({ deps }) => createKey(deps.db, { ...input, actor: actor() }));

/** `makegood keys list`. */
export const listKeysCommand = (): Promise<ListedKey[]> => withSession(({ deps }) => listKeys(deps.db));

/** `makegood keys revoke ID`. */
export const revokeKeyCommand = (id: string): Promise<void> =>
  withSession(({ deps }) => revokeKey(deps.db, id, actor()));
