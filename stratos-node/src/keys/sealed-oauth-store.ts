import type { NodeSavedSession, NodeSavedState } from '@atproto/oauth-client-node';
import type { OAuthStore, ServiceStorage } from '../storage/service-storage.ts';
import type { Vault } from './vault.ts';

/** The service database, in which nobody reads the OAuth sessions of people without the vault. */
export function withSealedSessions(storage: ServiceStorage, vault: Vault): ServiceStorage {
  if (!vault.isEncrypting) return storage;
  return {
    ...storage,
    oauth: sealedOAuthStore(storage.oauth, vault),
    transact: (task) =>
      storage.transact((stores) =>
        task({ ...stores, oauth: sealedOAuthStore(stores.oauth, vault) }),
      ),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  };
}

/** Encrypts what an OAuth store keeps: tokens, DPoP keys and code verifiers. */
function sealedOAuthStore(store: OAuthStore, vault: Vault): OAuthStore {
  const sealSession = (key: string, session: NodeSavedSession) =>
    seal(vault, `OAuth session of ${key}`, session);
  const openSession = (key: string, session: NodeSavedSession) =>
    open(vault, `OAuth session of ${key}`, session);
  return {
    async state(key) {
      const state = await store.state(key);
      return state && open<NodeSavedState>(vault, `OAuth state ${key}`, state);
    },
    putState: (key, state) => store.putState(key, seal(vault, `OAuth state ${key}`, state)),
    deleteState: (key) => store.deleteState(key),
    async session(key) {
      const session = await store.session(key);
      return session && openSession(key, session);
    },
    async sessionOf(key) {
      const row = await store.sessionOf(key);
      return row && { ...row, session: openSession(key, row.session) };
    },
    putSession: (key, session) => store.putSession(key, sealSession(key, session)),
    replaceSession: (key, read, next) => store.replaceSession(key, read, sealSession(key, next)),
    deleteSession: (key, createdAt) => store.deleteSession(key, createdAt),
  };
}

/** True for a session that is stored encrypted. */
export function isSealedSession(session: object): session is Sealed {
  return 'sealed' in session && typeof session.sealed === 'string';
}

interface Sealed {
  sealed: string;
}

// @NOTE the stores keep any JSON; what is sealed is none of the types of the OAuth client
function seal<T extends object>(vault: Vault, purpose: string, value: T): T {
  const sealed = vault.seal(Buffer.from(JSON.stringify(value)), purpose);
  return { sealed: Buffer.from(sealed).toString('base64') } satisfies Sealed as object as T;
}

function open<T extends object>(vault: Vault, purpose: string, stored: T): T {
  if (!isSealedSession(stored)) return stored;
  const bytes = vault.open(Buffer.from(stored.sealed, 'base64'), purpose);
  return JSON.parse(Buffer.from(bytes).toString());
}
