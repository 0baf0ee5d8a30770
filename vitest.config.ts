import { defineConfig } from 'vitest/config';

/** What is awaited may take its time on a busy machine. */
const expect = { poll: { timeout: 30_000 } };

/** Unit tests need nothing; integration and e2e tests need the local platform, which their global set-up brings up. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          expect,
          include: ['*/src/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/*.e2e.test.ts', '**/*.browser.test.ts'],
          // Some run git, or processes of their own: on a busy machine these take seconds.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'browser',
          expect,
          include: ['*/src/**/*.browser.test.ts'],
          globalSetup: ['local/src/testing/browser-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'integration',
          expect,
          include: ['*/src/**/*.integration.test.ts'],
          globalSetup: ['local/src/testing/global-setup.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          // They share the machine's services and have deadlines of their own: side by side they only slow each other.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          expect,
          include: ['*/src/**/*.e2e.test.ts'],
          globalSetup: ['local/src/testing/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
