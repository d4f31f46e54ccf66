/** The tables that whoever connects may read in full if granted, and why. All others have row security. */
export const PUBLIC_TABLES: Readonly<Record<string, string>> = {
  stratos_node: 'a node publishes who and where it is in its DID document',
  stratos_actor: 'handles, and whether accounts are in use, are public in the network',
  stratos_stub: 'stubs are public records on the PDS',
  _prisma_migrations: 'the history of the schema, granted to nobody',
};
