/** What an Ingress refers to: `ingress_service_missing`, `ingress_port_missing`, and whose Ingress it is (canary, default backend). */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addForeignBackend, allSay503, annotate } from '../support/edgeObjects.ts'
import { HOUR } from '../support/moment.ts'
import type { IngressObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const ONE = { ...APP, replicas: 1 }

function asksForPort(ingress: IngressObject, port: { number?: number; name?: string }): void {
  ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = port
}

function scaledToZero(shop: Shop, name: string) {
  const workload = shop.addWorkload('Deployment', name, { replicas: 0 })
  const message = `Scaled down replica set ${name}-6bd9c to 0 from 2`
  shop.addEvent(workload, 'ScalingReplicaSet', message, { first: -700, type: 'Normal' })
  return { workload, service: shop.addService(name, { app: name }) }
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'service-elsewhere',
    'a Service of that name is in another namespace only',
    shop => {
      shop.remove(shop.service)
      const abroad = addForeignBackend(shop, shop.app, 'legacy')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'ingress_service_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.name=${shop.app}`, `${ref(shop.service)} absent`],
        must_not: [
          'selector_mismatch',
          'stale_endpoints',
          'external_name_unresolvable',
          `cite:${ref(abroad.service)}`,
          `cite:${ref(abroad.pod)}`
        ]
      }
    },
    APP
  ),

  shopCase(
    'service-created-later',
    'the Service came half a minute after the failure',
    shop => {
      const [slice] = shop.slices()
      shop.withoutSlices(shop.service)
      for (const late of [shop.service, shop.add(slice!)]) late.metadata.creationTimestamp = shop.at(30)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'ingress_service_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.name=${shop.app}`],
        must_not: ['selector_mismatch', 'stale_endpoints', 'ingress_port_missing', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'service-deleted-later',
    'the Service is gone now; when it failed it was there, without a ready pod',
    shop => {
      allSay503(shop)
      shop.saw('ADDED', shop.service, -HOUR)
      shop.sawSlices(shop.service, -200)
      shop.fails('no_endpoints', null)
      shop.sawGo(shop.service, 60)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['ingress_service_missing', 'stale_endpoints']
      }
    },
    ONE
  ),

  shopCase(
    'service-deleted-before',
    'the watch saw the Service go two minutes before',
    shop => {
      shop.saw('ADDED', shop.service, -HOUR)
      shop.fails('no_endpoints', null)
      shop.sawGo(shop.service, -120)
      return {
        root_cause: 'ingress_service_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.name=${shop.app}`, `${ref(shop.service)} absent`],
        must_not: ['selector_mismatch', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'ingress-port-number',
    'the Ingress asks for 8081, the Service has 80 alone',
    shop => {
      asksForPort(shop.ingress, { number: 8081 })
      shop.fails('no_endpoints', null, { port: 8081 })
      return {
        root_cause: 'ingress_port_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.port.number=8081`, `${ref(shop.service)} spec.ports`],
        must_not: ['stale_endpoints', 'named_port_missing', 'target_port_mismatch', 'ingress_service_missing']
      }
    },
    APP
  ),

  shopCase(
    'ingress-port-name',
    'the Ingress names a port that the Service calls otherwise',
    shop => {
      asksForPort(shop.ingress, { name: 'web' })
      shop.fails('no_endpoints', null, { port: 'web' })
      return {
        root_cause: 'ingress_port_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.port.name=web`, `${ref(shop.service)} spec.ports`],
        must_not: ['stale_endpoints', 'named_port_missing']
      }
    },
    APP
  ),

  shopCase(
    'ingress-port-target',
    'the Ingress gives the targetPort, which the controller accepts; no pod is ready',
    shop => {
      asksForPort(shop.ingress, { number: 8080 })
      allSay503(shop)
      shop.fails('no_endpoints', null, { port: 8080 })
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['ingress_port_missing', 'stale_endpoints']
      }
    },
    ONE
  ),

  shopCase(
    'ingress-port-missing-and-unready',
    'no pod is ready, but with that port none would be asked',
    shop => {
      asksForPort(shop.ingress, { number: 443 })
      allSay503(shop)
      shop.fails('no_endpoints', null, { port: 443 })
      return {
        root_cause: 'ingress_port_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.port.number=443`],
        must_not: ['ingress_service_missing', 'selector_mismatch']
      }
    },
    ONE
  ),

  shopCase(
    'canary-port',
    'the canary asks for a port that its Service does not have',
    shop => {
      const name = `${shop.app}-canary`
      const workload = shop.addWorkload('Deployment', name)
      shop.addPod(shop.addReplicaSet(workload))
      const service = shop.addService(name, { app: name })
      const ingress = shop.addIngress(name, `${shop.app}.example.com`, name)
      annotate(ingress, { canary: 'true', 'canary-weight': '20' })
      asksForPort(ingress, { number: 8443 })
      shop.fails('no_endpoints', null, {
        detail: {
          upstream_name: `${shop.namespace}-${shop.app}-80`,
          alternative_upstream_name: `${shop.namespace}-${name}-8443`
        }
      })
      return {
        root_cause: 'ingress_port_missing',
        must_cite: [`${ref(ingress)} backend.service.port.number=8443`, `${ref(service)} spec.ports`],
        must_not: ['stale_endpoints', 'selector_mismatch', `cite:${ref(shop.service)}`]
      }
    },
    APP
  ),

  shopCase(
    'default-scaled-to-zero',
    'what the Ingress falls back to is scaled to nothing',
    shop => {
      const fallback = scaledToZero(shop, 'fallback')
      shop.ingress.spec.defaultBackend = { service: { name: 'fallback', port: { number: 80 } } }
      shop.fails('no_endpoints', null, {
        service: 'fallback',
        path: '/nothing',
        detail: { upstream_name: `${shop.namespace}-fallback-80` }
      })
      return {
        root_cause: 'default_backend_unhealthy',
        chain: ['scaled_to_zero'],
        must_cite: [
          `${ref(shop.ingress)} spec.defaultBackend.service.name=fallback`,
          `${ref(fallback.workload)} spec.replicas=0`
        ],
        must_not: ['selector_mismatch', 'stale_endpoints', `cite:${ref(shop.pods[0])}`]
      }
    },
    APP
  ),

  shopCase(
    'default-not-asked',
    'the fallback is scaled to nothing, but the rule and its own backend were asked',
    shop => {
      const fallback = scaledToZero(shop, 'fallback')
      shop.ingress.spec.defaultBackend = { service: { name: 'fallback', port: { number: 80 } } }
      allSay503(shop)
      shop.fails('no_endpoints', null, { detail: { upstream_name: `${shop.namespace}-${shop.app}-80` } })
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['default_backend_unhealthy', 'scaled_to_zero', `cite:${ref(fallback.workload)}`]
      }
    },
    ONE
  ),

  shopCase(
    'ingress-port-target-name',
    'the Ingress gives the name of the targetPort, which the controller accepts; no pod is ready',
    shop => {
      Object.assign(shop.service.spec.ports[0]!, { name: 'main', targetPort: 'http' })
      asksForPort(shop.ingress, { name: 'http' })
      allSay503(shop)
      shop.fails('no_endpoints', null, { port: 'http' })
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['ingress_port_missing', 'named_port_missing']
      }
    },
    ONE
  ),

  shopCase(
    'service-of-path',
    'the Service of another path is missing, too, but this one was asked',
    shop => {
      const { paths } = shop.ingress.spec.rules[0]!.http
      const backend = (name: string) => ({ service: { name, port: { number: 80 } } })
      paths.unshift({ path: '/old', pathType: 'Prefix', backend: backend('retired') })
      paths.unshift({ path: '/api', pathType: 'Prefix', backend: backend('gateway') })
      shop.fails('no_endpoints', null, { service: 'gateway', path: '/api/orders' })
      return {
        root_cause: 'ingress_service_missing',
        must_cite: [`${ref(shop.ingress)} backend.service.name=gateway`, `Service ${shop.namespace}/gateway absent`],
        must_not: ['stale_endpoints', 'selector_mismatch', `cite:Service ${shop.namespace}/retired absent`]
      }
    },
    APP
  ),

  shopCase(
    'service-of-other-path',
    'the Service of another path is missing; that of the path that was asked has no ready pod',
    shop => {
      const backend = { service: { name: 'retired', port: { number: 80 } } }
      shop.ingress.spec.rules[0]!.http.paths.unshift({ path: '/old', pathType: 'Prefix', backend })
      allSay503(shop)
      shop.fails('no_endpoints', null, { path: '/cart' })
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['ingress_service_missing', `cite:Service ${shop.namespace}/retired absent`]
      }
    },
    ONE
  ),

  shopCase(
    'cluster-address-slow',
    'the cluster address takes the request, and the handler is slow',
    shop => {
      annotate(shop.ingress, { 'service-upstream': 'true' })
      const detail = { upstream_response_time: '60.001' }
      shop.fails('read_timeout', null, { upstream_addr: `${shop.service.spec.clusterIP}:80`, detail })
      return {
        root_cause: 'app_slow',
        acceptable: ['undetermined'],
        must_not: ['external_backend_down', 'stale_endpoints', 'selectorless_endpoints', 'ingress_port_missing']
      }
    },
    ONE
  )
]
