import type { BoundaryName } from '../topology.ts';

/** The password of every demo account. */
export const DEMO_PASSWORD = 'password';

export interface DemoAccount {
  readonly handle: string;
  /** The communities that the account belongs to. */
  readonly boundaries: readonly BoundaryName[];
}

export const DEMO_ACCOUNTS: readonly DemoAccount[] = [
  { handle: 'rei.test', boundaries: ['swordsmith'] },
  { handle: 'sakura.test', boundaries: ['swordsmith'] },
  { handle: 'kaoruko.test', boundaries: ['aekea'] },
  { handle: 'haruki.test', boundaries: ['swordsmith', 'sailors'] },
  { handle: 'mika.test', boundaries: [] },
];
