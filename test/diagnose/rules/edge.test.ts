/** Limits, auth, annotations, routes, and the controller itself. */

import { expect, test } from 'vitest'
import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { caseVerdict } from '../support/caseVerdict.ts'
import { annotate, annotationCite, controllerPod, testCases } from '../support/edgeCases.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { backOff, becomeUnready } from '../support/podState.ts'

testCases('rate_limit_hit', [
  shopCase('rl-zone', 'the zone of the error tells which of two limits', shop => {
    annotate(shop, { 'limit-rps': '5', 'limit-connections': '3' })
    const error = `limiting requests, excess: 5.120 by zone "${shop.namespace}_${shop.app}_42_rps"`
    shop.fails('rate_limited', null, { status: 503, detail: { error } })
    return { root_cause: 'rate_limit_hit', must_cite: [`${annotationCite(shop, 'limit-rps')}=5`] }
  }),
  shopCase('rl-none', 'without a limit on the Ingress it was somebody else', shop => {
    shop.fails('rate_limited', null, { status: 429 })
    return { root_cause: 'undetermined', must_not: ['rate_limit_hit'] }
  })
])

function authService(shop: Shop, isReady: boolean): PodObject {
  annotate(shop, { 'auth-url': `http://auth.${shop.namespace}.svc.cluster.local:4180/verify` })
  shop.addService('auth', { app: 'auth' })
  const pod = shop.addPod(shop.addWorkload('Deployment', 'auth'))
  if (!isReady) backOff(pod, { reason: 'Error', exitCode: 1, finishedAt: shop.at(-30) }, 9, shop.at(-900))
  return pod
}

testCases('auth_backend_failing and request_denied', [
  shopCase('auth-down', 'the auth service crashes', shop => {
    const pod = authService(shop, false)
    shop.fails('auth_failure', null, { status: 500 })
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [annotationCite(shop, 'auth-url'), `${ref(pod)} conditions[Ready].status=False`],
      must_not: ['request_denied', 'ingress_annotation_denied'],
      confidence_min: 0.85
    }
  }),
  shopCase('auth-absent', 'there is no auth service', shop => {
    annotate(shop, { 'auth-url': 'http://auth.login.svc:4180/verify' })
    shop.fails('auth_failure', null, { status: 500 })
    return {
      root_cause: 'auth_backend_failing',
      must_cite: [annotationCite(shop, 'auth-url'), 'Service login/auth absent']
    }
  }),
  shopCase('auth-said', 'the error says that it answered 404', shop => {
    authService(shop, true)
    shop.fails('auth_failure', null, {
      status: 500,
      detail: { error: 'auth request unexpected status: 404 while sending to client' }
    })
    return { root_cause: 'auth_backend_failing', must_cite: [annotationCite(shop, 'auth-url')] }
  }),
  shopCase('auth-401', 'it answers, and says no', shop => {
    authService(shop, true)
    shop.fails('auth_failure', null, { status: 401 })
    return {
      root_cause: 'request_denied',
      variant: 'external',
      must_cite: [annotationCite(shop, 'auth-url')],
      must_not: ['auth_backend_failing']
    }
  }),
  shopCase('denied-range', 'an address that is not on the list, though there is a password too', shop => {
    annotate(shop, { 'auth-type': 'basic', 'whitelist-source-range': '10.0.0.0/8' })
    shop.fails('auth_failure', null, { status: 403, detail: { error: 'access forbidden by rule' } })
    return {
      root_cause: 'request_denied',
      variant: 'source_range',
      must_cite: [annotationCite(shop, 'whitelist-source-range')]
    }
  }),
  shopCase('denied-size', 'a body larger than the default', shop => {
    shop.fails('body_too_large', null, { status: 413 })
    return { root_cause: 'request_denied', variant: 'size', must_cite: [annotationCite(shop, 'proxy-body-size')] }
  }),
  shopCase('denied-malformed', 'a request that is none', shop => {
    shop.fails('bad_request', null, { status: 400, detail: { error: 'client sent invalid header line' } })
    return { root_cause: 'request_denied', variant: 'malformed' }
  })
])

testCases('ingress_annotation_denied', [
  shopCase('ann-event', 'the controller could not read an annotation', shop => {
    shop.addEvent(shop.ingress, 'AnnotationParsingFailed', 'annotation auth-realm contains an invalid word', {
      first: -600,
      last: -30,
      by: 'nginx-ingress-controller'
    })
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [`Event ${ref(shop.ingress)} reason=AnnotationParsingFailed`],
      must_not: ['stale_endpoints', 'controller_config_error']
    }
  }),
  shopCase('ann-secret', 'a Secret that is not there', shop => {
    annotate(shop, { 'auth-type': 'basic', 'auth-secret': 'passwords' })
    shop.fails('auth_failure', null, { status: 503 })
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [`${annotationCite(shop, 'auth-secret')}=passwords`, `Secret ${shop.namespace}/passwords absent`],
      must_not: ['request_denied']
    }
  }),
  shopCase('ann-unready', 'no pod is ready: the annotation is not what keeps the Service empty', shop => {
    shop.addEvent(shop.ingress, 'AnnotationParsingFailed', 'annotation auth-realm contains an invalid word', {
      first: -600,
      last: -30
    })
    for (const pod of shop.pods) becomeUnready(pod, shop.at(-60))
    shop.fails('no_endpoints', null)
    return { root_cause: 'readiness_failing', acceptable: ['undetermined'], must_not: ['ingress_annotation_denied'] }
  })
])

function reloadFails(shop: Shop): string {
  const controller = controllerPod(shop)
  shop.addEvent(controller, 'RELOAD', 'Error reloading NGINX: exit status 1', {
    first: -300,
    last: -20,
    by: 'nginx-ingress-controller'
  })
  return `Event ${ref(controller)} reason=RELOAD`
}

testCases('controller_resources and controller_config_error', [
  shopCase('co-connections', 'no connection is left', shop => {
    shop.fails('controller_overload', null, {
      status: 500,
      detail: { error: '1024 worker_connections are not enough' }
    })
    return {
      root_cause: 'controller_resources',
      must_cite: ['ConfigMap ingress-nginx/ingress-nginx-controller data.max-worker-connections']
    }
  }),
  shopCase('co-killed', 'the controller was killed for memory at that moment', shop => {
    const pod = controllerPod(shop) as PodObject
    shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -3, up: 4, ready: 15 })
    shop.fails('read_timeout', shop.pods[0])
    return {
      root_cause: 'controller_resources',
      must_cite: [`${ref(pod)} lastState.terminated.reason=OOMKilled`],
      must_not: ['app_slow']
    }
  }),
  shopCase('co-killed-before', 'it was killed an hour before', shop => {
    const pod = controllerPod(shop) as PodObject
    shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -3600, up: -3590, ready: -3580 })
    shop.fails('connect_timeout', shop.pods[0])
    return { root_cause: 'undetermined', must_not: ['controller_resources'] }
  }),
  shopCase('le-snippet', 'Lua fails where a snippet is', shop => {
    annotate(shop, { 'configuration-snippet': 'access_by_lua_block { foo() }' })
    shop.fails('lua_error', null, { status: 500, detail: { error: 'lua entry thread aborted: runtime error' } })
    return { root_cause: 'controller_config_error', must_cite: [annotationCite(shop, 'configuration-snippet')] }
  }),
  shopCase('nr-reload', 'a rule is there, and nginx did not load it', shop => {
    const cite = reloadFails(shop)
    shop.fails('no_route', null, { namespace: null, service: null, port: null, ingress: null })
    return { root_cause: 'controller_config_error', must_cite: [cite], must_not: ['ingress_rule_mismatch'] }
  }),
  shopCase('nr-reload-other', 'nginx did not load, but no rule would have fitted either', shop => {
    reloadFails(shop)
    shop.fails('no_route', null, { host: `${shop.app}s.example.com`, namespace: null, service: null, ingress: null })
    return { root_cause: 'ingress_rule_mismatch', must_not: ['controller_config_error'] }
  })
])

testCases('ingress_rule_mismatch, ingress_class_mismatch and lb_health_check_path', [
  shopCase('nr-path', 'the host is known, the path is not: Prefix counts by segments', shop => {
    shop.ingress.spec.rules[0]!.http.paths[0]!.path = '/api'
    shop.fails('no_route', null, { path: '/apiary', namespace: null, service: null, ingress: null })
    return {
      root_cause: 'ingress_rule_mismatch',
      must_cite: [`${ref(shop.ingress)} spec.rules.http.paths.path=/api`],
      must_not: ['ingress_class_mismatch']
    }
  }),
  shopCase('nr-class', 'the rule is of another class', shop => {
    shop.ingress.spec.ingressClassName = 'internal'
    shop.fails('no_route', null, { namespace: null, service: null, ingress: null })
    return {
      root_cause: 'ingress_class_mismatch',
      must_cite: [`${ref(shop.ingress)} spec.ingressClassName=internal`],
      must_not: ['ingress_rule_mismatch']
    }
  }),
  shopCase('nr-no-class', 'the rule is of no class, and there is no default', shop => {
    delete shop.ingress.spec.ingressClassName
    shop.fails('no_route', null, { namespace: null, service: null, ingress: null })
    return { root_cause: 'ingress_class_mismatch', must_cite: [`${ref(shop.ingress)} spec.ingressClassName`] }
  }),
  shopCase('nr-default-class', 'the default class is the controller’s: it is taken', shop => {
    delete shop.ingress.spec.ingressClassName
    const own = shop.objects.find(({ kind }) => kind === 'IngressClass')!
    own.metadata.annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
    shop.fails('no_route', null, { namespace: null, service: null, ingress: null })
    return { root_cause: 'undetermined', must_not: ['ingress_class_mismatch', 'ingress_rule_mismatch'] }
  }),
  shopCase(
    'lb-unhealthy',
    'the load balancer asks "/" of pods without a readiness probe',
    shop => {
      shop.ingress.spec.ingressClassName = 'gce'
      shop.ingress.metadata.annotations['ingress.kubernetes.io/backends'] = '{"k8s1-a-shop-80":"UNHEALTHY"}'
      shop.fails('no_live_upstreams', null)
      return {
        root_cause: 'lb_health_check_path',
        must_cite: [
          `${ref(shop.ingress)} metadata.annotations[ingress.kubernetes.io/backends]~UNHEALTHY`,
          `${ref(shop.pods[0])} readinessProbe`
        ]
      }
    },
    { web: { readinessProbe: undefined as never } }
  ),
  shopCase('lb-probe', 'the pods have a readiness probe: the health check asks that', shop => {
    shop.ingress.spec.ingressClassName = 'gce'
    shop.ingress.metadata.annotations['ingress.kubernetes.io/backends'] = '{"k8s1-a-shop-80":"UNHEALTHY"}'
    shop.fails('no_live_upstreams', null)
    return { root_cause: 'undetermined', must_not: ['lb_health_check_path'] }
  })
])

testCases('client_abort', [
  shopCase('cc', 'the client left, the pod was fine', shop => {
    shop.fails('client_closed', shop.pods[0], { status: 499, detail: { request_time: '10.000' } })
    return { root_cause: 'client_abort', must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`] }
  }),
  shopCase('cc-killed', 'the pod was killed while it waited', shop => {
    const [pod] = shop.pods
    shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -3, up: 2, ready: 12 })
    shop.fails('client_closed', pod, { status: 499 })
    return { root_cause: 'undetermined', must_not: ['client_abort'] }
  })
])

test('a Secret that nobody may read is not called absent', () => {
  const one = shopCase('unread', 'unread', shop => {
    annotate(shop, { 'auth-type': 'basic', 'auth-secret': 'passwords' })
    shop.fails('auth_failure', null, { status: 503 })
    return { root_cause: 'ingress_annotation_denied' }
  })
  const { confidence } = caseVerdict({ ...one, unreadable: ['Secret'] } as DiagnosisCase)!
  expect(confidence).toBeLessThanOrEqual(0.45)
})
