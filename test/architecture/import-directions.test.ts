import { describe, expect, it } from 'vitest';
import { importViolations } from './import-directions.ts';

const why = (file: string, source: string) => importViolations(file, source).map(({ why }) => why);

describe('import directions', () => {
  it.each([
    ['gateway/src/main.ts', "import { toDid } from '@stratos/protocol';"],
    ['gateway/src/main.ts', "import { zone } from '@stratos/protocol/lexicons';"],
    ['gateway/src/feeds/timeline.ts', "import { scope } from '../access/scope.ts';"],
    ['gateway/src/main.ts', "import express from 'express';"],
    ['clients/trpc/src/index.ts', "import type { AppRouter } from '@stratos/schema';"],
    ['clients/trpc/src/index.ts', "import { type AppRouter } from '@stratos/schema';"],
    ['clients/trpc/src/index.ts', "export type { AppRouter } from '@stratos/schema';"],
  ])('allows in %s: %s', (file, source) => {
    expect(why(file, source)).toEqual([]);
  });

  it.each([
    [
      'protocol/src/a.ts',
      "import { x } from '@stratos/gateway';",
      'protocol may not import gateway',
    ],
    [
      'stratos-node/src/a.ts',
      "import { x } from '@stratos/prisma';",
      'stratos-node may not import prisma',
    ],
    ['indexer/src/a.ts', "export * from '@stratos/gateway';", 'indexer may not import gateway'],
    [
      'gateway/src/a.ts',
      "const x = await import('@stratos/indexer');",
      'gateway may not import indexer',
    ],
    [
      'gateway/src/a.ts',
      "import type { X } from '@stratos/stratos-node';",
      'gateway may not import stratos-node',
    ],
    [
      'gateway/src/a.ts',
      "import { x } from '../../protocol/src/boundary.ts';",
      'reaches out of gateway by a path',
    ],
    [
      'clients/trpc/src/a.ts',
      "import { router } from '@stratos/schema';",
      'clients/trpc may import types alone of schema',
    ],
    [
      'clients/trpc/src/a.ts',
      "import '@stratos/schema';",
      'clients/trpc may import types alone of schema',
    ],
    ['schema/src/a.ts', "import { x } from '@stratos/nowhere';", 'no such room'],
  ])('refuses in %s: %s', (file, source, reason) => {
    expect(why(file, source)).toEqual([reason]);
  });
});
