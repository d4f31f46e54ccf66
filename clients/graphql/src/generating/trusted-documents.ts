import { createHash } from 'node:crypto';
import { type DocumentNode, print } from 'graphql';
import * as generated from '../generated/documents.ts';
import { withoutBlankLines } from '../trusted.ts';

/** Hash → text of every operation, as `GATEWAY_TRUSTED_DOCUMENTS` wants it. */
export function trustedDocuments(): Record<string, string> {
  const documents: DocumentNode[] = Object.values(generated);
  const texts = documents.filter(isOperation).map((document) => withoutBlankLines(print(document)));
  return Object.fromEntries(texts.map((text) => [sha256(text), text]));
}

function isOperation({ definitions }: DocumentNode): boolean {
  return definitions.some(({ kind }) => kind === 'OperationDefinition');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
