/** Refused before any backend is asked: `rate_limit_hit`, `auth_backend_failing`, `request_denied`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import {
  addForeignBackend,
  addSecret,
  allSay503,
  annotate,
  annotation,
  CONFIG,
  configure
} from '../support/edgeObjects.ts'
import { DAY } from '../support/moment.ts'

const UNEXPECTED_502 = 'auth request unexpected status: 502 while sending to client'
const AUTH_URL = 'http://auth.identity.svc.cluster.local/verify'

function cites(shop: Shop, name: string, value?: string): string {
  return `${ref(shop.ingress)} annotations[${annotation(name)}]${value === undefined ? '' : `=${value}`}`
}

function limited(shop: Shop, zone: string, status = 503, words = 'limiting requests, excess: 5.900 by zone'): void {
  const error = `${words} "${shop.namespace}_${shop.ingress.metadata.name}_${shop.ingress.metadata.uid}_${zone}"`
  shop.fails('rate_limited', null, { status, detail: { error } })
}

function authFails(shop: Shop, status: number, error?: string): void {
  shop.fails('auth_failure', null, { status, ...(error === undefined ? {} : { detail: { error } }) })
}

export const CASES: DiagnosisCase[] = [
  shopCase('limit-second', 'more than five requests a second from one client', shop => {
    annotate(shop.ingress, { 'limit-rps': '5' })
    limited(shop, 'rps')
    return {
      root_cause: 'rate_limit_hit',
      must_cite: [cites(shop, 'limit-rps', '5')],
      must_not: ['controller_resources', 'undetermined', 'stale_endpoints']
    }
  }),

  shopCase('limit-minute', 'both a limit a second and one a minute: the zone tells which', shop => {
    annotate(shop.ingress, { 'limit-rps': '50', 'limit-rpm': '300' })
    limited(shop, 'rpm')
    return {
      root_cause: 'rate_limit_hit',
      must_cite: [cites(shop, 'limit-rpm', '300')],
      must_not: ['controller_resources', 'undetermined']
    }
  }),

  shopCase('limit-connections', 'too many connections; the ConfigMap says 429 for that', shop => {
    annotate(shop.ingress, { 'limit-connections': '10' })
    configure(shop, { 'limit-conn-status-code': '429' })
    limited(shop, 'conn', 429, 'limiting connections by zone')
    return {
      root_cause: 'rate_limit_hit',
      must_cite: [cites(shop, 'limit-connections', '10'), `${CONFIG} data.limit-conn-status-code=429`],
      must_not: ['controller_resources', 'undetermined']
    }
  }),

  shopCase(
    'limit-not-hit',
    'a limit is set, but the 503 says that there is no endpoint',
    shop => {
      annotate(shop.ingress, { 'limit-rps': '5' })
      allSay503(shop)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['rate_limit_hit', 'stale_endpoints']
      }
    },
    { replicas: 1 }
  ),

  shopCase('auth-no-service', 'who is asked for permission does not exist', shop => {
    annotate(shop.ingress, { 'auth-url': AUTH_URL })
    authFails(shop, 500, UNEXPECTED_502)
    return {
      root_cause: 'auth_backend_failing',
      confidence_min: 0.85,
      must_cite: [cites(shop, 'auth-url'), 'Service identity/auth absent'],
      must_not: ['request_denied', 'ingress_annotation_denied', 'undetermined']
    }
  }),

  shopCase('auth-not-ready', 'who is asked for permission is not ready', shop => {
    annotate(shop.ingress, { 'auth-url': `${AUTH_URL}?from=$escaped_request_uri` })
    const auth = addForeignBackend(shop, 'auth', 'identity')
    shop.backsOff(auth.pod, { reason: 'Error', exitCode: 1, startedAt: -50, at: -40, restarts: 7, unready: -500 })
    authFails(shop, 500, 'auth request unexpected status: 503 while sending to client')
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [cites(shop, 'auth-url'), `${ref(auth.pod)} conditions[Ready].status=False`],
      must_not: ['request_denied', 'ingress_annotation_denied', 'controller_config_error']
    }
  }),

  shopCase('auth-global', 'the ConfigMap names who is asked for permission, and it does not exist', shop => {
    configure(shop, { 'global-auth-url': AUTH_URL })
    authFails(shop, 500, UNEXPECTED_502)
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [`${CONFIG} data.global-auth-url`, 'Service identity/auth absent'],
      must_not: ['request_denied', 'ingress_annotation_denied']
    }
  }),

  shopCase('auth-answers-wrongly', 'who is asked is ready, and answers 500', shop => {
    annotate(shop.ingress, { 'auth-url': AUTH_URL })
    addForeignBackend(shop, 'auth', 'identity')
    authFails(shop, 500, 'auth request unexpected status: 500 while sending to client')
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [cites(shop, 'auth-url')],
      must_not: ['request_denied', 'ingress_annotation_denied', 'cite:Service identity/auth absent']
    }
  }),

  shopCase('auth-services-unreadable', 'Services cannot be read: the error text alone tells', shop => {
    annotate(shop.ingress, { 'auth-url': AUTH_URL })
    shop.unreadable = ['Service', 'EndpointSlice']
    authFails(shop, 500, UNEXPECTED_502)
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [cites(shop, 'auth-url')],
      must_not: ['ingress_service_missing', 'cite:Service identity/auth absent']
    }
  }),

  shopCase('denied-password', 'a wrong password', shop => {
    annotate(shop.ingress, { 'auth-type': 'basic', 'auth-secret': 'users' })
    addSecret(shop, 'users', 'auth')
    authFails(shop, 401, 'user "bob": password mismatch')
    return {
      root_cause: 'request_denied',
      variant: 'basic',
      must_cite: [cites(shop, 'auth-type', 'basic')],
      must_not: ['auth_backend_failing', 'ingress_annotation_denied']
    }
  }),

  shopCase('denied-by-other', 'who is asked for permission said no', shop => {
    annotate(shop.ingress, { 'auth-url': AUTH_URL })
    addForeignBackend(shop, 'auth', 'identity')
    authFails(shop, 403)
    return {
      root_cause: 'request_denied',
      variant: 'external',
      must_cite: [cites(shop, 'auth-url')],
      must_not: ['auth_backend_failing', 'ingress_annotation_denied']
    }
  }),

  shopCase('denied-address', "the client's address is not on the list, and who gives permission is down", shop => {
    annotate(shop.ingress, { 'whitelist-source-range': '10.0.0.0/8', 'auth-url': AUTH_URL })
    shop.fails('auth_failure', null, {
      status: 403,
      detail: { error: 'access forbidden by rule', client: '198.51.100.20' }
    })
    return {
      root_cause: 'request_denied',
      variant: 'source_range',
      must_cite: [cites(shop, 'whitelist-source-range', '10.0.0.0/8')],
      must_not: ['auth_backend_failing', 'ingress_annotation_denied']
    }
  }),

  shopCase('denied-certificate', 'a client whose certificate has another name', shop => {
    annotate(shop.ingress, { 'auth-tls-secret': `${shop.namespace}/clients`, 'auth-tls-match-cn': 'CN=partner' })
    addSecret(shop, 'clients', 'ca.crt')
    authFails(shop, 403)
    return {
      root_cause: 'request_denied',
      variant: 'client_cert',
      must_cite: [`${ref(shop.ingress)} metadata.annotations`],
      must_not: ['auth_backend_failing', 'ingress_annotation_denied', 'ingress_cert_fallback']
    }
  }),

  shopCase('denied-firewall', 'a rule against injections', shop => {
    annotate(shop.ingress, { 'enable-modsecurity': 'true', 'enable-owasp-core-rules': 'true' })
    const error =
      'ModSecurity: Access denied with code 403 (phase 2). Matched "Operator `Ge\' with parameter `5\'" [file "949110.conf"] [line "81"] [id "949110"]'
    authFails(shop, 403, error)
    return {
      root_cause: 'request_denied',
      variant: 'waf',
      must_cite: [cites(shop, 'enable-modsecurity', 'true')],
      must_not: ['auth_backend_failing', 'ingress_annotation_denied']
    }
  }),

  shopCase('denied-all-of-host', 'the authorities for clients are absent: 403 for the whole host', shop => {
    annotate(shop.ingress, { 'auth-tls-secret': `${shop.namespace}/clients` })
    shop.ingress.metadata.creationTimestamp = shop.at(-30 * DAY)
    const message = `error obtaining certificate ${shop.namespace}/clients: secret not found`
    shop.addEvent(shop.ingress, 'AnnotationParsingFailed', message, {
      first: -1200,
      last: -30,
      by: 'nginx-ingress-controller'
    })
    authFails(shop, 403)
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [
        cites(shop, 'auth-tls-secret', `${shop.namespace}/clients`),
        `Event ${ref(shop.ingress)} reason=AnnotationParsingFailed`
      ],
      must_not: ['request_denied', 'auth_backend_failing', 'ingress_cert_fallback']
    }
  }),

  shopCase('size-annotation', 'a body larger than the Ingress allows', shop => {
    annotate(shop.ingress, { 'proxy-body-size': '2m' })
    configure(shop, { 'proxy-body-size': '64m' })
    const error = 'client intended to send too large body: 3097153 bytes'
    shop.fails('body_too_large', null, { status: 413, detail: { error, method: 'POST' } })
    return {
      root_cause: 'request_denied',
      variant: 'size',
      must_cite: [cites(shop, 'proxy-body-size', '2m')],
      must_not: ['controller_resources', 'undetermined']
    }
  }),

  shopCase('size-config', 'a body larger than the controller allows', shop => {
    configure(shop, { 'proxy-body-size': '4m' })
    const error = 'client intended to send too large body: 5097153 bytes'
    shop.fails('body_too_large', null, { status: 413, detail: { error, method: 'PUT' } })
    return {
      root_cause: 'request_denied',
      variant: 'size',
      must_cite: [`${CONFIG} data.proxy-body-size=4m`],
      must_not: ['controller_resources', 'undetermined']
    }
  }),

  shopCase('malformed', 'a request that is none', shop => {
    const error = 'client sent invalid header line: "X-\\x00..." while reading client request headers'
    shop.fails('bad_request', null, { status: 400, detail: { error } })
    return {
      root_cause: 'request_denied',
      variant: 'malformed',
      must_not: ['backend_protocol_mismatch', 'undetermined', 'app_error']
    }
  }),

  shopCase('auth-outside', 'who is asked for permission is outside of the cluster, and gives none', shop => {
    annotate(shop.ingress, { 'auth-url': 'https://login.example.net/verify' })
    authFails(shop, 500, UNEXPECTED_502)
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [cites(shop, 'auth-url')],
      must_not: ['request_denied', 'ingress_annotation_denied', 'external_backend_down']
    }
  }),

  shopCase('auth-annotation-first', "the Ingress's own word comes before the ConfigMap's", shop => {
    configure(shop, { 'global-auth-url': 'http://gone.identity.svc.cluster.local/verify' })
    annotate(shop.ingress, { 'auth-url': AUTH_URL })
    const auth = addForeignBackend(shop, 'auth', 'identity')
    shop.unready(auth.pod, -90)
    authFails(shop, 500, 'auth request unexpected status: 503 while sending to client')
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [cites(shop, 'auth-url'), `${ref(auth.pod)} conditions[Ready].status=False`],
      must_not: ['request_denied', 'cite:Service identity/gone absent']
    }
  })
]
