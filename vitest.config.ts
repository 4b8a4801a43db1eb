import { defineConfig } from 'vitest/config'

/** Tests that talk to Kafka and Elasticsearch. They have a project of their own so that the others need not wait for these. */
const WITH_SERVERS = ['test/integration/{kafka,elasticsearch,cluster}/**/*.test.ts']

/** Tests that talk to Kubernetes, which is started for them alone. */
const WITH_KUBERNETES = ['test/integration/kubernetes/**/*.test.ts']

/** A real nginx: its time-outs are what is tested, and a busy machine makes others of them. */
const WITH_NGINX = ['test/integration/nginx*.test.ts']

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
      // Real programs: slow to start, so they get their own time-outs. Two beside each other, also of the next project: each has
      // folders, ports, topics and namespaces of its own.
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...WITH_SERVERS, ...WITH_KUBERNETES, ...WITH_NGINX],
          globalSetup: ['test/support/buildDist.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 2,
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
          maxWorkers: 2,
          sequence: { groupOrder: 1 }
        }
      },
      {
        test: {
          name: 'nginx',
          include: WITH_NGINX,
          globalSetup: ['test/support/buildDist.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
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
          // All in one cluster, of which some say what is in it.
          fileParallelism: false,
          sequence: { groupOrder: 2 }
        }
      }
    ]
  }
})
