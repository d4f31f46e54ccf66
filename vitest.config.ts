import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          globalSetup: ['prisma/src/testing/global-setup.ts'],
          include: [
            '{protocol,stratos-node,prisma,indexer,schema,gateway}/src/**/*.test.ts',
            'clients/*/src/**/*.test.ts',
            'test/network/**/*.test.ts',
          ],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
