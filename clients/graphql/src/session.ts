/** Somebody who is signed in: sends requests as them. Tokens, their proofs and their renewal are its own. */
export interface Session {
  fetch(input: string | URL, init?: RequestInit): Promise<Response>;
}

export type Send = (input: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * How requests are sent for a session, for a token that is not renewed, or, without either, for the page that
 * the gateway serves, whose cookie goes with them.
 */
export function sendAs(session: Session | string | undefined): Send {
  if (session === undefined) return (input, init) => fetch(input, init);
  if (typeof session !== 'string') return (input, init) => session.fetch(input, init);
  return (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${session}`);
    return fetch(input, { ...init, headers });
  };
}
