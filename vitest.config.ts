import { defineConfig } from 'vitest/config'

/** Tests that talk to Kafka and Elasticsearch. They have a project of their own so that the others need not wait for these. */
const WITH_SERVERS = ['test/integration/{kafka,elasticsearch,cluster}/**/*.test.ts']

/** Tests that talk to Kubernetes, which is started for them alone. */
const WITH_KUBERNETES = ['test/integration/kubernetes/**/*.test.ts']

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
          // Half of the time was that of modules loaded anew for each file. Files that mock a module load them anew: tidy.test.ts.
          isolate: false
        }
      },
      // Real servers: slow to start, so they get their own time-outs and never run beside each other.
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...WITH_SERVERS, ...WITH_KUBERNETES],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
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
          // They wait for sessions and servers most of the time, each in a topic and a namespace of its own.
          maxWorkers: 2,
          sequence: { groupOrder: 2 }
        }
      },
      {
        test: {
          name: 'kubernetes',
          include: WITH_KUBERNETES,
          globalSetup: ['test/services/sharedKubernetes.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 }
        }
      }
    ]
  }
})
