import { defineConfig } from 'vitest/config'

/** Tests that talk to Kafka and Elasticsearch. They have a project of their own so that the others need not wait for these. */
const WITH_SERVERS = ['test/integration/{kafka,elasticsearch,cluster}/**/*.test.ts']

/** Tests that talk to Kubernetes, which is started for them alone. */
const WITH_KUBERNETES = ['test/integration/kubernetes/**/*.test.ts']

/**
 * `integration` and `servers` wait for silence, sessions and processes most of the time: more of them beside each other than
 * there are cores, each in folders, ports, topics and namespaces of its own.
 */
const WAITING_WORKERS = 3

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**'],
          globalSetup: ['test/support/buildDist.ts'],
          testTimeout: 30_000,
          // Of its own accord vitest leaves one core alone.
          maxWorkers: 2,
          // Half of the time was that of modules loaded anew for each file. None may replace a module: `vi.spyOn` it.
          isolate: false
        }
      },
      // Real servers: slow to start, so they get their own time-outs.
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...WITH_SERVERS, ...WITH_KUBERNETES],
          globalSetup: ['test/support/buildDist.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 }
        }
      },
      {
        test: {
          name: 'servers',
          include: WITH_SERVERS,
          globalSetup: ['test/services/servers.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: WAITING_WORKERS,
          sequence: { groupOrder: 1 }
        }
      },
      {
        test: {
          name: 'kubernetes',
          include: WITH_KUBERNETES,
          globalSetup: ['test/services/sharedKubernetes.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // All in one cluster, of which some say what is in it.
          fileParallelism: false,
          sequence: { groupOrder: 2 }
        }
      }
    ]
  }
})
