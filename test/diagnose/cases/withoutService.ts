/** Failures whose lines do not tell the Service or its port: host and path lead there, as ingress-nginx routes. */

import { type DiagnosisCase, type Expectation, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addForeignClass } from '../support/edgeObjects.ts'
import type { IngressObject } from '../support/objectTypes.ts'

const UNTOLD = { service: null, port: null, ingress: null }
const GONE = 'gone'

/** Another Ingress, which sends a path of the host to a Service that is not there. */
function addWrong(shop: Shop, name: string, path: string, host = hostOf(shop)): IngressObject {
  const wrong = shop.addIngress(name, host, GONE)
  wrong.spec.rules[0]!.http.paths[0]!.path = path
  return wrong
}

function hostOf(shop: Shop): string {
  return `${shop.app}.example.com`
}

function missing(shop: Shop, { metadata }: IngressObject): Expectation {
  return {
    root_cause: 'ingress_service_missing',
    must_cite: [
      `Ingress ${shop.namespace}/${metadata.name} backend.service.name=${GONE}`,
      `Service ${shop.namespace}/${GONE} absent`
    ],
    must_not: ['stale_endpoints', 'selector_mismatch', 'named_port_missing', 'undetermined']
  }
}

/** The Service of the shop leads to a port name that its pods have not. */
function misname(shop: Shop): Expectation {
  shop.service.spec.ports[0]!.targetPort = 'nowhere'
  return {
    root_cause: 'named_port_missing',
    must_cite: [`${ref(shop.service)} targetPort=nowhere`],
    must_not: ['ingress_service_missing', 'stale_endpoints', 'undetermined']
  }
}

export const CASES: DiagnosisCase[] = [
  shopCase('host-longest', 'three Ingresses share a host, and the longest path leads nowhere', shop => {
    shop.addIngress('pages', hostOf(shop), shop.app).spec.rules[0]!.http.paths[0]!.path = '/a'
    const wrong = addWrong(shop, 'deep', '/a/b')
    shop.fails('no_endpoints', null, { ...UNTOLD, path: '/a/b/c' })
    return missing(shop, wrong)
  }),

  shopCase('host-longest-not', 'what is asked lies beside the path that leads nowhere', shop => {
    addWrong(shop, 'deep', '/a/b')
    const expected = misname(shop)
    shop.fails('no_endpoints', null, { ...UNTOLD, path: '/a/bc' })
    return expected
  }),

  shopCase('host-exact-path', 'an exact path comes before a prefix', shop => {
    const wrong = addWrong(shop, 'login', '/login')
    wrong.spec.rules[0]!.http.paths[0]!.pathType = 'Exact'
    shop.ingress.spec.rules[0]!.http.paths[0]!.path = '/login'
    shop.fails('no_endpoints', null, { ...UNTOLD, path: '/login' })
    return missing(shop, wrong)
  }),

  shopCase('host-before-wildcard', 'a wildcard host with a longer path is another server', shop => {
    addWrong(shop, 'wild', '/a/b', '*.example.com')
    const expected = misname(shop)
    shop.fails('no_endpoints', null, { ...UNTOLD, path: '/a/b' })
    return expected
  }),

  shopCase('host-of-class', 'an Ingress of another class has the longer path', shop => {
    addForeignClass(shop, 'internal', 'traefik.io/ingress-controller')
    addWrong(shop, 'other', '/a/b').spec.ingressClassName = 'internal'
    const expected = misname(shop)
    shop.fails('no_endpoints', null, { ...UNTOLD, path: '/a/b' })
    return expected
  }),

  shopCase('host-in-no-namespace', 'not even the namespace is told', shop => {
    const wrong = addWrong(shop, 'deep', '/a')
    shop.fails('no_endpoints', null, { ...UNTOLD, namespace: null, path: '/a' })
    return missing(shop, wrong)
  }),

  shopCase('host-named', 'the Ingress is told, its Service and port are not', shop => {
    shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { number: 8088 }
    shop.fails('no_endpoints', null, { service: null, port: null })
    return {
      root_cause: 'ingress_port_missing',
      must_cite: [`${ref(shop.ingress)} backend.service.port.number=8088`, `${ref(shop.service)} spec.ports`],
      must_not: ['stale_endpoints', 'undetermined']
    }
  }),

  shopCase('host-named-without', 'the Ingress that is told does not have the path, another of the host does', shop => {
    const wrong = addWrong(shop, 'deep', '/a')
    shop.ingress.spec.rules[0]!.http.paths[0]!.path = '/b'
    shop.fails('no_endpoints', null, { service: null, port: null, path: '/a/x' })
    return missing(shop, wrong)
  }),

  shopCase(
    'host-port',
    'the Service is told and has two ports; the one that the Ingress asks for leads nowhere',
    shop => {
      const [port] = shop.service.spec.ports
      shop.service.spec.ports = [port!, { name: 'admin', port: 8081, protocol: 'TCP', targetPort: 'admin' }]
      shop.ingress.spec.rules[0]!.http.paths[0]!.backend.service.port = { name: 'admin' }
      shop.fails('no_endpoints', null, { port: null })
      return {
        root_cause: 'named_port_missing',
        must_cite: [`${ref(shop.service)} targetPort=admin`],
        must_not: ['ingress_port_missing', 'stale_endpoints', 'undetermined']
      }
    }
  ),

  shopCase(
    'host-upstream',
    'the upstream is told and no Service: the path of the host counts that has its name',
    shop => {
      const wrong = addWrong(shop, 'deep', '/a')
      shop.fails('no_endpoints', null, { ...UNTOLD, namespace: null, path: '/a' })
      shop.failure!.detail = { upstream_name: `${shop.namespace}-${GONE}-80` }
      return missing(shop, wrong)
    }
  )
]
