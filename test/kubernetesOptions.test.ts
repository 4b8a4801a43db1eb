/** Roles, and what of the cluster's options goes together. */
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { rolesOf } from '../src/kubernetesOptions.ts'

const load = (...set: string[]) => loadConfig({ file: null, environment: {}, set }).config

test.each<[string, string[], string[]]>([
  ['files, nobody to watch', [], ['worker', 'alert']],
  ['files and a cluster', ['kubernetes.api=kubeconfig'], ['watch', 'worker', 'alert']],
  ['Kafka: one thing a process', ['source.kind=kafka', 'kubernetes.api=in-cluster'], ['worker']],
  ['as it is said', ['source.kind=kafka', 'kubernetes.api=in-cluster', 'roles=watch'], ['watch']],
  ['taken back', ['roles=worker', 'roles='], ['worker', 'alert']]
])('roles: %s', (_name, set, roles) => {
  expect([...rolesOf(load(...set))]).toEqual(roles)
})

test.each<[string[], string]>([
  [['roles=watch,boss'], 'roles (--set) is ["watch","boss"]: expected a list of watch, worker, alert, or nothing'],
  [
    ['roles=alert'],
    'roles (--set) has alert without worker, and source.kind (default) is files: only a topic can be read by two processes'
  ],
  [['roles=watch'], 'roles (--set) has watch, and kubernetes.api (default) is none: set kubernetes.api to in-cluster'],
  [
    ['kubernetes.api=in-cluster', 'kubernetes.context=prod'],
    'kubernetes.api (--set) is in-cluster, and kubernetes.context (--set) is given: set kubernetes.api to kubeconfig'
  ],
  [['kubernetes.tlsSecrets=cart-tls'], 'kubernetes.tlsSecrets (--set): "cart-tls" is not NAMESPACE/NAME'],
  [['kubernetes.kubeconfig=/k'], 'kubernetes.kubeconfig (--set) is given'],
  [['kubernetes.recordSizeMax=1MiB'], 'kubernetes.recordSizeMax (--set) is "1MiB": expected a size'],
  [['diagnosis.settleMs=-1'], 'diagnosis.settleMs (--set) is -1: expected a whole number of ms, at least 0']
])('%j is refused', (set, sentence) => {
  expect(() => load(...set)).toThrow(sentence)
})
