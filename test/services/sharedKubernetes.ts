/**
 * The control plane that the tests of the project `kubernetes` share, started when one of them is to run. A test takes
 *
 *   const kubernetes = inject('kubernetes')     // { kubeconfig } or null
 *   describe.skipIf(kubernetes === null)(…)
 *
 * and namespaces of its own names. It is the one that WHY5XX_TEST_KUBECONFIG names (with kwok, its stages and ours:
 * kubernetes/stages.yaml), else one of ours, else null, which is said on stderr and fails a run with CI=true.
 */
import type { TestProject } from 'vitest/node'
import { connect, serverVersion } from '../../src/cluster/connect.ts'
import { isKubernetesAvailable, startKubernetes } from './kubernetesServer.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    kubernetes: { kubeconfig: string } | null
  }
}

export default async function shareKubernetes(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.WHY5XX_TEST_KUBECONFIG
  if (given) {
    await serverVersion(connect({ api: 'kubeconfig', file: given }))
    project.provide('kubernetes', { kubeconfig: given })
    return async () => {}
  }
  const server = isKubernetesAvailable() ? await startKubernetes() : null
  project.provide('kubernetes', server && { kubeconfig: server.kubeconfig })
  return async () => server?.stop()
}
