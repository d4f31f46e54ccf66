import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// One copy of graphql: without this, sources get its ESM build and packages its CommonJS build.
const graphql = fileURLToPath(import.meta.resolve('graphql'));

export default defineConfig({
  test: {
    // Each file waits more than it computes.
    maxWorkers: '150%',
    projects: [
      {
        resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
        test: {
          name: 'unit',
          globalSetup: ['prisma/src/testing/global-setup.ts'],
          include: [
            '{protocol,stratos-node,prisma,indexer,schema,gateway}/src/**/*.test.ts',
            'clients/*/src/**/*.test.ts',
            'test/{network,architecture,clients,judges}/**/*.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: [
            'test/{canary,containers,docs,e2e,live,conformance,crash,oracle,interference}/**/*.test.ts',
          ],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // Each file is a whole network, which waits for its parts.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
