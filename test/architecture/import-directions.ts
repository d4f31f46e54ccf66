import { dirname, relative, resolve, sep } from 'node:path';
import { parseSync } from 'vite';

/** Which rooms a room may import; see docs/architecture.md. `types` allows their types alone. */
const MAY_IMPORT: Record<string, Record<string, 'all' | 'types'>> = {
  protocol: {},
  prisma: { protocol: 'types' },
  schema: { protocol: 'all' },
  'stratos-node': { protocol: 'all' },
  indexer: { protocol: 'all', prisma: 'all' },
  gateway: { protocol: 'all', prisma: 'all', schema: 'all' },
  'clients/graphql': {},
  'clients/stratos': { protocol: 'all' },
  'clients/trpc': { protocol: 'all', schema: 'types' },
  'clients/web': { protocol: 'all', 'clients/stratos': 'all', 'clients/trpc': 'all' },
  test: {
    protocol: 'all',
    prisma: 'all',
    schema: 'all',
    'stratos-node': 'all',
    indexer: 'all',
    gateway: 'all',
    'clients/graphql': 'all',
    'clients/stratos': 'all',
    'clients/trpc': 'all',
  },
};

const ROOM_OF_PACKAGE: Record<string, string> = Object.fromEntries(
  Object.keys(MAY_IMPORT).map((room) => [packageName(room), room]),
);

export interface Violation {
  file: string;
  specifier: string;
  why: string;
}

interface Import {
  specifier: string;
  typesOnly: boolean;
}

/**
 * The imports of one file that go against the arrows or into another room's inside.
 *
 * @param file - path from the project's root
 */
export function importViolations(file: string, source: string): Violation[] {
  const room = roomOf(file);
  if (!room) return [];
  return importsOf(file, source).flatMap(({ specifier, typesOnly }) => {
    const why = specifier.startsWith('.')
      ? leavesRoom(room, file, specifier)
      : againstArrows(room, specifier, typesOnly);
    return why ? [{ file, specifier, why }] : [];
  });
}

function leavesRoom(room: string, file: string, specifier: string): string | undefined {
  const target = relative('.', resolve(dirname(file), specifier));
  return target.startsWith(room + sep) ? undefined : `reaches out of ${room} by a path`;
}

function againstArrows(room: string, specifier: string, typesOnly: boolean): string | undefined {
  const [scope, name] = specifier.split('/');
  const target = ROOM_OF_PACKAGE[`${scope}/${name}`];
  if (!target) return scope === '@stratos' ? 'no such room' : undefined;
  if (target === room) return 'imports its own face';
  const allowed = MAY_IMPORT[room]?.[target];
  if (!allowed) return `${room} may not import ${target}`;
  if (allowed === 'types' && !typesOnly) return `${room} may import types alone of ${target}`;
  return undefined;
}

function importsOf(file: string, source: string): Import[] {
  const { module, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed`);
  const imports = module.staticImports.map(({ moduleRequest, entries }) => ({
    specifier: moduleRequest.value,
    typesOnly: entries.length > 0 && entries.every(({ isType }) => isType),
  }));
  const exports = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, isType }) =>
      moduleRequest ? [{ specifier: moduleRequest.value, typesOnly: isType }] : [],
    ),
  );
  const dynamic = module.dynamicImports.map(({ moduleRequest }) => ({
    specifier: source.slice(moduleRequest.start + 1, moduleRequest.end - 1),
    typesOnly: false,
  }));
  return [...imports, ...exports, ...dynamic];
}

function roomOf(file: string): string | undefined {
  return Object.keys(MAY_IMPORT).find((room) => file.startsWith(room + sep));
}

function packageName(room: string): string {
  if (room === 'clients/stratos') return '@stratos/client';
  return room.startsWith('clients/')
    ? `@stratos/client-${room.slice('clients/'.length)}`
    : `@stratos/${room}`;
}
