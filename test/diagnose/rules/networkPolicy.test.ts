/** NetworkPolicies: rule by rule, and as the cause of a silent address. */

import { describe, expect, test } from 'vitest'
import type { NetworkPolicy } from '../../../src/cluster/objects.ts'
import { isInRange } from '../../../src/diagnose/cidr.ts'
import { denialOf, type End } from '../../../src/diagnose/networkPolicy.ts'
import { ref, shopCase } from '../support/caseBuilder.ts'
import { addObject, controllerPod, testCases } from '../support/edgeCases.ts'
import type { PodObject } from '../support/objectTypes.ts'

const POD: End = {
  namespace: 'shop',
  namespaceLabels: { 'kubernetes.io/metadata.name': 'shop' },
  labels: { app: 'cart' },
  addresses: ['10.0.0.7'],
  hostNetwork: false
}
const CONTROLLER: End = {
  namespace: 'ingress-nginx',
  namespaceLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx', team: 'edge' },
  labels: { 'app.kubernetes.io/name': 'ingress-nginx' },
  addresses: ['10.9.0.3'],
  hostNetwork: false
}
const PORT = { number: 8080, named: new Map([['http', 8080]]) }

type Spec = NonNullable<NetworkPolicy['spec']>

function policy(spec: Spec, namespace = 'shop') {
  const object: NetworkPolicy = { kind: 'NetworkPolicy', metadata: { name: 'p', namespace }, spec }
  const history = {
    kind: 'NetworkPolicy' as const,
    namespace,
    name: 'p',
    uid: 'p',
    versions: [{ atMs: 0, isObserved: true, object }],
    createdMs: 0,
    deletedMs: null,
    isDeletionApproximate: false
  }
  return { history, object, isLater: false }
}

const FROM_EDGE = { from: [{ namespaceSelector: { matchLabels: { team: 'edge' } } }] }

describe('ingress', () => {
  test.each<[string, Spec, boolean]>([
    ['no rule admits nothing', { podSelector: {}, policyTypes: ['Ingress'] }, false],
    ['an empty rule admits all', { podSelector: {}, ingress: [{}] }, true],
    ['an empty from admits all', { podSelector: {}, ingress: [{ from: [] }] }, true],
    ['it selects other pods', { podSelector: { matchLabels: { app: 'other' } } }, true],
    ['it is about egress alone', { podSelector: {}, policyTypes: ['Egress'] }, true],
    ['pods of the own namespace', { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] }, false],
    ['all namespaces', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: {} }] }] }, true],
    ['the namespace by label', { podSelector: {}, ingress: [FROM_EDGE] }, true],
    [
      'both selectors in one item must fit',
      {
        podSelector: {},
        ingress: [{ from: [{ ...FROM_EDGE.from[0]!, podSelector: { matchLabels: { app: 'other' } } }] }]
      },
      false
    ],
    [
      'one of two items is enough',
      {
        podSelector: {},
        ingress: [{ from: [FROM_EDGE.from[0]!, { podSelector: { matchLabels: { app: 'other' } } }] }]
      },
      true
    ],
    ['the port by number', { podSelector: {}, ingress: [{ ...FROM_EDGE, ports: [{ port: 8080 }] }] }, true],
    ['another port', { podSelector: {}, ingress: [{ ...FROM_EDGE, ports: [{ port: 80 }] }] }, false],
    ['the port by name', { podSelector: {}, ingress: [{ ...FROM_EDGE, ports: [{ port: 'http' }] }] }, true],
    ['another name', { podSelector: {}, ingress: [{ ...FROM_EDGE, ports: [{ port: 'web' }] }] }, false],
    ['a range of ports', { podSelector: {}, ingress: [{ ports: [{ port: 8000, endPort: 8080 }] }] }, true],
    ['below the range', { podSelector: {}, ingress: [{ ports: [{ port: 8081, endPort: 9000 }] }] }, false],
    ['UDP alone', { podSelector: {}, ingress: [{ ports: [{ port: 8080, protocol: 'UDP' }] }] }, false],
    ['its address', { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.9.0.0/16' } }] }] }, true],
    [
      'but for its address',
      { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '10.9.0.0/16', except: ['10.9.0.0/24'] } }] }] },
      false
    ]
  ])('%s', (_name, spec, isAdmitted) => {
    expect(denialOf([policy(spec)], CONTROLLER, POD, PORT) === null).toBe(isAdmitted)
  })

  test('policies add up: one that admits is enough', () => {
    expect(
      denialOf([policy({ podSelector: {} }), policy({ podSelector: {}, ingress: [{}] })], CONTROLLER, POD, PORT)
    ).toBe(null)
  })

  test('a controller on the host network is its node: selectors say nothing of it', () => {
    const host = { ...CONTROLLER, hostNetwork: true, addresses: ['192.168.10.4'] }
    const byLabel = policy({ podSelector: {}, ingress: [FROM_EDGE] })
    const byNode = policy({ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: '192.168.0.0/16' } }] }] })
    expect(denialOf([byLabel], host, POD, PORT)?.direction).toBe('ingress')
    expect(denialOf([byNode], host, POD, PORT)).toBe(null)
  })
})

describe('egress', () => {
  const out = (spec: Spec) => denialOf([policy(spec, 'ingress-nginx')], CONTROLLER, POD, PORT)?.direction ?? null

  test.each<[string, Spec, 'egress' | null]>([
    [
      'without policyTypes a rule makes it one about egress',
      { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] },
      'egress'
    ],
    ['without a rule it is about ingress alone', { podSelector: {} }, null],
    ['the type alone', { podSelector: {}, policyTypes: ['Egress'] }, 'egress'],
    ['to the address of the pod', { podSelector: {}, egress: [{ to: [{ ipBlock: { cidr: '10.0.0.7/32' } }] }] }, null]
  ])('%s', (_name, spec, direction) => {
    expect(out(spec)).toBe(direction)
  })
})

test.each([
  ['10.0.0.7', '10.0.0.0/8', true],
  ['10.0.0.7', '10.0.0.7', true],
  ['11.0.0.7', '10.0.0.0/8', false],
  ['10.0.0.7', '0.0.0.0/0', true],
  ['fd00::7', 'fd00::/8', true],
  ['fd00::7', '10.0.0.0/8', false],
  ['::ffff:10.0.0.7', '10.0.0.0/8', true],
  ['10.0.0.7', '10.0.0.0/33', false],
  ['10.0.0.7', 'nonsense', false]
])('%s in %s: %s', (address, range, isIn) => {
  expect(isInRange(address, range)).toBe(isIn)
})

const SAME_NAMESPACE = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] }

testCases('network_policy_block', [
  shopCase('np-block', 'only the own namespace may come', shop => {
    const blocking = addObject(shop, 'NetworkPolicy', shop.namespace, 'internal', { spec: SAME_NAMESPACE })
    shop.fails('connect_timeout', shop.pods[0])
    return {
      root_cause: 'network_policy_block',
      ref: ref(blocking),
      must_cite: [ref(blocking), `${ref(blocking)} spec.policyTypes=Ingress`],
      must_not: ['node_not_ready', 'target_port_mismatch'],
      confidence_min: 0.85
    }
  }),
  shopCase('np-admits', 'the namespace of the controller is admitted', shop => {
    const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }]
    addObject(shop, 'NetworkPolicy', shop.namespace, 'edge', { spec: { podSelector: {}, ingress: [{ from }] } })
    shop.fails('connect_timeout', shop.pods[0])
    return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
  }),
  shopCase('np-later', 'a policy that was created after the failure', shop => {
    addObject(shop, 'NetworkPolicy', shop.namespace, 'internal', { spec: SAME_NAMESPACE }, 30)
    shop.fails('connect_timeout', shop.pods[0])
    return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
  }),
  shopCase('np-host', 'the pod is on the host network', shop => {
    shop.pods[0].spec.hostNetwork = true
    addObject(shop, 'NetworkPolicy', shop.namespace, 'internal', { spec: SAME_NAMESPACE })
    shop.fails('connect_timeout', shop.pods[0])
    return { root_cause: 'undetermined', must_not: ['network_policy_block'] }
  }),
  shopCase('np-controller-host', 'the controller is on the host network, and the policy names its namespace', shop => {
    const controller = controllerPod(shop) as PodObject
    controller.spec.hostNetwork = true
    const from = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } } }]
    const named = addObject(shop, 'NetworkPolicy', shop.namespace, 'edge', {
      spec: { podSelector: {}, ingress: [{ from }] }
    })
    shop.fails('connect_timeout', shop.pods[0])
    return {
      root_cause: 'network_policy_block',
      must_cite: [ref(named), `${ref(controller)} spec.hostNetwork=true`]
    }
  }),
  shopCase('np-refused', 'refused: some networks reject, so it is no more than consistent', shop => {
    addObject(shop, 'NetworkPolicy', shop.namespace, 'internal', { spec: SAME_NAMESPACE })
    shop.fails('connection_refused', shop.pods[0])
    return { root_cause: 'network_policy_block', acceptable: ['app_not_listening'], confidence_max: 0.7 }
  })
])
