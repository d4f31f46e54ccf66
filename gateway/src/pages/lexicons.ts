import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../../../lexicons/zone/stratos');
/** Groups of methods that the gateway has; the others are for nodes. */
const GROUPS = ['gateway', 'feed', 'actor', 'boundary', 'node'];

/** A field of a lexicon, as far as it is shown. */
export interface LexiconField {
  type: string;
  description?: string;
  format?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  enum?: unknown[];
  ref?: string;
  items?: LexiconField;
}

/** A method as its lexicon describes it. */
export interface LexiconMethod {
  id: string;
  type: 'query' | 'procedure' | 'subscription';
  description: string;
  parameters?: { properties: Record<string, LexiconField>; required?: string[] };
  errors?: { name: string; description?: string }[];
  /** The whole document. */
  text: string;
}

/** The methods of the gateway, by their lexicons. */
export function lexiconMethods(): LexiconMethod[] {
  return GROUPS.flatMap((group) =>
    readdirSync(join(FOLDER, group)).flatMap((file) => {
      const text = readFileSync(join(FOLDER, group, file), 'utf8');
      const { id, defs } = JSON.parse(text);
      const isMethod = ['query', 'procedure', 'subscription'].includes(defs.main?.type);
      return isMethod ? [{ ...defs.main, id, text }] : [];
    }),
  );
}
