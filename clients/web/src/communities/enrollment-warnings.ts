/** What a person's PDS says of an enrollment, and what the node says; undefined where that says there is none. */
export interface Enrolled {
  boundaries: readonly string[];
  signingKey: string;
}

export type Warning = 'only-on-pds' | 'only-at-node' | 'other-boundaries' | 'other-key';

export const WARNINGS: Record<Warning, string> = {
  'only-on-pds':
    'Your PDS has a record of this enrollment, but the node says that you are not enrolled. Others may look for your posts here in vain.',
  'only-at-node':
    'The node has you enrolled, but your PDS has no record of it, so nobody finds your posts. Enroll once more to write it anew.',
  'other-boundaries':
    'Your PDS names other communities than the node. The node’s word counts; the record follows within moments, or when you enroll once more.',
  'other-key':
    'Your PDS names another signing key than the node. Proofs of your posts fail for whoever looks the key up there.',
};

/** Where the two disagree. */
export function enrollmentWarnings(
  record: Enrolled | undefined,
  node: Enrolled | undefined,
): Warning[] {
  if (!record && !node) return [];
  if (!node) return ['only-on-pds'];
  if (!record) return ['only-at-node'];
  const warnings: Warning[] = [];
  if (!isSame(record.boundaries, node.boundaries)) warnings.push('other-boundaries');
  if (record.signingKey !== node.signingKey) warnings.push('other-key');
  return warnings;
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return new Set([...some, ...others]).size === new Set(some).size && some.length === others.length;
}
