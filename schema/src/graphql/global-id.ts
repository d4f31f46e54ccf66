/** The global id of a thing: opaque to clients. */
export function encodeGlobalID(typename: string, id: bigint | number | string): string {
  return Buffer.from(`${typename}:${String(id)}`).toString('base64url');
}

/** What a global id names. Of what is none, anything may come out. */
export function decodeGlobalID(globalId: string): { typename: string; id: string } {
  const [typename = '', ...id] = Buffer.from(globalId, 'base64url').toString().split(':');
  return { typename, id: id.join(':') };
}
