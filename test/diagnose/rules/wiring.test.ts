/** Selectors, ports, names and addresses: what leads from an Ingress to a pod. */

import { ref, shopCase } from '../support/caseBuilder.ts'
import { addObject, annotate, testCases } from '../support/edgeCases.ts'
import { backOff, becomeUnready } from '../support/podState.ts'

testCases('selector_mismatch', [
  shopCase('sel-typo', 'a selector that no pod and no template has', shop => {
    const [pod] = shop.pods
    shop.service.spec.selector = { app: `${shop.app}s` }
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'selector_mismatch',
      must_cite: [
        `${ref(shop.service)} spec.selector.app=${shop.app}s`,
        `${ref(pod)} metadata.labels.app=${shop.app}`,
        `${ref(shop.workload)} spec.template.metadata.labels.app=${shop.app}`
      ],
      must_not: ['scaled_to_zero', 'rollout_gap'],
      confidence_min: 0.85
    }
  }),
  shopCase(
    'sel-pair',
    'one of two pairs differs: only that one is cited, not a stranger of another namespace',
    shop => {
      shop.service.spec.selector = { app: shop.app, tier: 'web' }
      const stranger = shop.addPod(
        shop.addWorkload('Deployment', 'alike', { namespace: 'other', labels: { app: shop.app, tier: 'web' } })
      )
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selector_mismatch',
        must_cite: [`${ref(shop.service)} spec.selector.tier=web`, `${ref(shop.pods[0])} metadata.labels.tier`],
        must_not: [`cite:${ref(stranger)}`]
      }
    }
  ),
  shopCase(
    'sel-fits',
    'no pod is there, but the template fits: it is another cause',
    shop => {
      shop.fails('no_endpoints', null)
      return { root_cause: 'undetermined', acceptable: ['scaled_to_zero'], must_not: ['selector_mismatch'] }
    },
    { replicas: 0 }
  )
])

testCases('target_port_mismatch', [
  shopCase(
    'port-number',
    'the container opens 8000, the Service leads to 8080',
    shop => {
      shop.service.spec.ports[0]!.targetPort = 8080
      shop.fails('connection_refused', shop.pods[0])
      return {
        root_cause: 'target_port_mismatch',
        must_cite: [`${ref(shop.service)} targetPort=8080`, `${ref(shop.pods[0])} containerPort=8000`],
        must_not: ['app_not_listening', 'network_policy_block']
      }
    },
    { web: { ports: [{ containerPort: 8000 }], readinessProbe: { httpGet: { path: '/', port: 8000 } } } }
  ),
  shopCase(
    'port-undeclared',
    'a container that declares no port proves nothing',
    shop => {
      shop.fails('connection_refused', shop.pods[0])
      return { root_cause: 'undetermined', acceptable: ['app_not_listening'], must_not: ['target_port_mismatch'] }
    },
    { web: { ports: [], readinessProbe: { exec: {} } } }
  )
])

testCases('named_port_missing', [
  shopCase('named', 'a name that no container has', shop => {
    shop.service.spec.ports[0]!.targetPort = 'web'
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'named_port_missing',
      must_cite: [`${ref(shop.service)} targetPort=web`, `${ref(shop.pods[0])} ports.name=http`],
      must_not: ['ingress_port_missing', 'readiness_failing']
    }
  }),
  shopCase('named-unready', 'the name is there, the pods are not ready', shop => {
    shop.service.spec.ports[0]!.targetPort = 'http'
    for (const pod of shop.pods) becomeUnready(pod, shop.at(-60))
    shop.fails('no_endpoints', null)
    return { root_cause: 'readiness_failing', acceptable: ['undetermined'], must_not: ['named_port_missing'] }
  })
])

testCases('ingress_service_missing and ingress_port_missing', [
  shopCase('missing', 'a Service of that name is only elsewhere', shop => {
    shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.name = 'gone'
    const elsewhere = shop.addService('gone', { app: 'gone' })
    elsewhere.metadata.namespace = 'elsewhere'
    shop.fails('no_endpoints', null, { service: 'gone' })
    return {
      root_cause: 'ingress_service_missing',
      must_cite: [`${ref(shop.ingress)} backend.service.name=gone`, `Service ${shop.namespace}/gone absent`],
      must_not: ['selector_mismatch', `cite:${ref(elsewhere)}`]
    }
  }),
  shopCase('port-missing', 'the Service has port 80, the Ingress wants 8081', shop => {
    shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { number: 8081 }
    shop.fails('no_endpoints', null, { port: 8081 })
    return {
      root_cause: 'ingress_port_missing',
      must_cite: [`${ref(shop.ingress)} backend.service.port.number=8081`, `${ref(shop.service)} spec.ports.port=80`],
      must_not: ['named_port_missing', 'ingress_service_missing']
    }
  }),
  shopCase('port-target', 'the target port counts as well', shop => {
    shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { number: 8080 }
    shop.fails('no_endpoints', null, { port: 8080 })
    return { root_cause: 'undetermined', acceptable: ['stale_endpoints'], must_not: ['ingress_port_missing'] }
  })
])

testCases('selectorless_endpoints and external_backend_down', [
  shopCase(
    'by-hand-unlabelled',
    'the slice made by hand has no label',
    shop => {
      shop.service.spec.selector = undefined as never
      shop.withoutSlices(shop.service)
      addObject(shop, 'EndpointSlice', shop.namespace, `${shop.app}-1`, {
        addressType: 'IPv4',
        endpoints: [{ addresses: ['203.0.113.7'], conditions: {} }],
        ports: [{ name: 'http', port: 80 }]
      })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'selectorless_endpoints',
        must_cite: [
          `${ref(shop.service)} spec.selector`,
          `EndpointSlice ${shop.namespace}/${shop.app}-1 metadata.labels`
        ],
        must_not: ['selector_mismatch']
      }
    },
    { replicas: 1 }
  ),
  shopCase(
    'by-hand-refused',
    'an address of a slice made by hand refuses',
    shop => {
      shop.service.spec.selector = undefined as never
      shop.withoutSlices(shop.service)
      const slice = addObject(shop, 'EndpointSlice', shop.namespace, `${shop.app}-1`, {
        addressType: 'IPv4',
        endpoints: [{ addresses: ['203.0.113.7'], conditions: {} }],
        ports: [{ name: 'http', port: 80 }]
      })
      slice.metadata.labels = { 'kubernetes.io/service-name': shop.app }
      shop.fails('connection_refused', null, { upstream_addr: '203.0.113.7:80' })
      return {
        root_cause: 'external_backend_down',
        must_cite: [`${ref(slice)} endpoints.targetRef`, `${ref(slice)} endpoints.addresses=203.0.113.7`],
        must_not: ['selectorless_endpoints', 'app_not_listening']
      }
    },
    { replicas: 1 }
  )
])

function externalName(shop: Parameters<Parameters<typeof shopCase>[2]>[0], name: string): void {
  shop.service.spec = { type: 'ExternalName', externalName: name, ports: [], sessionAffinity: 'None' }
}

testCases('names and the cluster DNS', [
  shopCase('name-inside', 'the name of a Service that is not there', shop => {
    externalName(shop, 'ledger.finance.svc.cluster.local')
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'external_name_unresolvable',
      must_cite: [`${ref(shop.service)} spec.externalName`, 'Service finance/ledger absent'],
      must_not: ['selectorless_endpoints', 'ingress_port_missing', 'cluster_dns_failure']
    }
  }),
  shopCase('name-nxdomain', 'the resolver knows no such name', shop => {
    externalName(shop, 'api.exmaple.com')
    const error = 'failed to query the DNS server for api.exmaple.com: server returned error code: 3: name error'
    shop.fails('dns_failure', null, { detail: { error } })
    return {
      root_cause: 'external_name_unresolvable',
      must_cite: [`${ref(shop.service)} spec.externalName=api.exmaple.com`]
    }
  }),
  shopCase('dns-down', 'all of CoreDNS crash', shop => {
    externalName(shop, 'api.example.com')
    const dns = shop.addWorkload('Deployment', 'coredns', {
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns' }
    })
    const pods = [shop.addPod(dns), shop.addPod(dns)]
    for (const pod of pods) backOff(pod, { reason: 'Error', exitCode: 1, finishedAt: shop.at(-30) }, 7, shop.at(-600))
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'cluster_dns_failure',
      must_cite: [`${ref(pods[0]!)} conditions[Ready].status=False`],
      must_not: ['external_name_unresolvable']
    }
  }),
  shopCase('dns-up', 'CoreDNS is ready: the name is it', shop => {
    externalName(shop, 'api.example.com')
    const dns = shop.addWorkload('Deployment', 'coredns', {
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns' }
    })
    shop.addPod(dns)
    shop.fails('no_endpoints', null)
    return { root_cause: 'external_name_unresolvable', must_not: ['cluster_dns_failure'], confidence_max: 0.8 }
  })
])

testCases('what is resolved before', [
  shopCase('default-by-name', 'the default backend has no Service', shop => {
    shop.ingress.spec.defaultBackend = { service: { name: 'errors', port: { number: 80 } } }
    shop.fails('no_endpoints', null, { service: 'errors' })
    return {
      root_cause: 'default_backend_unhealthy',
      chain: ['ingress_service_missing'],
      must_cite: [
        `${ref(shop.ingress)} spec.defaultBackend.service.name=errors`,
        `Service ${shop.namespace}/errors absent`
      ]
    }
  }),
  shopCase('default-annotation', 'the error pages are selected by nobody', shop => {
    annotate(shop, { 'default-backend': 'errors' })
    shop.addService('errors', { app: 'errors' })
    shop.fails('no_endpoints', null, { detail: { upstream_name: `custom-default-backend-${shop.namespace}-errors` } })
    return {
      root_cause: 'default_backend_unhealthy',
      chain: ['selector_mismatch'],
      must_cite: [`${ref(shop.ingress)} metadata.annotations[nginx.ingress.kubernetes.io/default-backend]=errors`]
    }
  }),
  shopCase('canary', 'the canary Service has no such port name', shop => {
    const canary = shop.addService(`${shop.app}-canary`, { app: shop.app })
    canary.spec.ports[0]!.targetPort = 'web'
    shop.addIngress(`${shop.app}-canary`, `${shop.app}.example.com`, `${shop.app}-canary`)
    const name = `${shop.namespace}-${shop.app}-canary-80`
    shop.fails('no_endpoints', null, { detail: { alternative_upstream_name: name } })
    return { root_cause: 'named_port_missing', ref: ref(canary), must_cite: [`${ref(canary)} targetPort=web`] }
  }),
  shopCase('cluster-ip', 'refused by the cluster address: no ready endpoint', shop => {
    shop.service.spec.selector = { app: 'nobody' }
    shop.fails('connection_refused', null, { upstream_addr: `${shop.service.spec.clusterIP}:80` })
    return { root_cause: 'selector_mismatch', chain: ['no_endpoints'] }
  })
])
