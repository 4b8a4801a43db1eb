/** Requests that no Ingress takes: `ingress_rule_mismatch`, `ingress_class_mismatch`, `lb_health_check_path`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addForeignClass, makeDefaultClass } from '../support/edgeObjects.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const LEGACY_CLASS = 'kubernetes.io/ingress.class'
const BACKENDS = 'ingress.kubernetes.io/backends'
const UNPROBED = {
  livenessProbe: { httpGet: { path: '/live', port: 'http' }, periodSeconds: 10 }
}

/** 404 of the catch-all server. */
function noRoute(shop: Shop, host: string, path: string, agent?: string): void {
  const nothing = { namespace: null, service: null, port: null, ingress: null }
  shop.fails('no_route', null, { ...nothing, host, path, ...(agent === undefined ? {} : { detail: { agent } }) })
}

function takes(shop: Shop, path: string, pathType: 'Prefix' | 'Exact' = 'Prefix'): void {
  Object.assign(shop.ingress.spec.rules[0]!.http.paths[0]!, { path, pathType })
}

function hostOf(shop: Shop): string {
  return `${shop.app}.example.com`
}

function ruleCase(id: string, title: string, path: string, pathType: 'Prefix' | 'Exact', asked: string): DiagnosisCase {
  return shopCase(id, title, shop => {
    takes(shop, path, pathType)
    noRoute(shop, hostOf(shop), asked)
    return {
      root_cause: 'ingress_rule_mismatch',
      confidence_min: 0.85,
      must_cite: [`${ref(shop.ingress)} spec.rules`],
      must_not: ['ingress_class_mismatch', 'controller_config_error', 'lb_health_check_path', 'undetermined']
    }
  })
}

/** Whose class an Ingress is that matches host and path. */
function classCase(
  id: string,
  title: string,
  prepare: (shop: Shop) => string,
  isOther = true,
  isMatched = true
): DiagnosisCase {
  return shopCase(id, title, shop => {
    const cited = prepare(shop)
    if (!isMatched) takes(shop, '/api')
    noRoute(shop, hostOf(shop), '/')
    if (!isOther) {
      return {
        root_cause: isMatched ? 'undetermined' : 'ingress_rule_mismatch',
        must_not: ['ingress_class_mismatch', 'controller_config_error', ...(isMatched ? ['ingress_rule_mismatch'] : [])]
      }
    }
    return {
      root_cause: 'ingress_class_mismatch',
      must_cite: [`${ref(shop.ingress)} ${cited}`.trim()],
      must_not: ['ingress_rule_mismatch', 'controller_config_error', 'undetermined']
    }
  })
}

/** An Ingress of Google's load balancer in front of the shop. */
function behindLoadBalancer(shop: Shop, className: 'gce' | 'gce-internal' = 'gce'): void {
  delete shop.ingress.spec.ingressClassName
  shop.ingress.metadata.annotations[LEGACY_CLASS] = className
  shop.ingress.metadata.annotations[BACKENDS] = '{"k8s1-7f2c-shop-80":"UNHEALTHY","k8s1-7f2c-kube-system-80":"HEALTHY"}'
}

export const CASES: DiagnosisCase[] = [
  ruleCase('route-segment', '/api takes /api/x, but not /apix', '/api', 'Prefix', '/apix'),
  ruleCase('route-exact', 'an exact path does not take another slash', '/login', 'Exact', '/login/'),
  ruleCase('route-deeper', 'what is asked lies above the path', '/shop/cart', 'Prefix', '/shop'),
  ruleCase('route-case', 'paths are told apart by the case of letters', '/Cart', 'Prefix', '/cart'),

  shopCase('route-host', 'a host that no Ingress has', shop => {
    noRoute(shop, `www.${hostOf(shop)}`, '/')
    return {
      root_cause: 'ingress_rule_mismatch',
      must_cite: [`${ref(shop.ingress)} spec.rules`],
      must_not: ['ingress_class_mismatch', 'undetermined', 'controller_config_error']
    }
  }),

  shopCase('route-wildcard-deep', 'a wildcard of one label, and a host with two', shop => {
    shop.ingress.spec.rules[0]!.host = '*.example.com'
    noRoute(shop, `eu.${hostOf(shop)}`, '/')
    return {
      root_cause: 'ingress_rule_mismatch',
      must_cite: [`${ref(shop.ingress)} spec.rules`],
      must_not: ['ingress_class_mismatch', 'undetermined']
    }
  }),

  shopCase('route-created-later', 'the Ingress that takes it came a minute after the failure', shop => {
    const late = shop.addIngress('late', 'late.example.com', shop.app)
    late.metadata.creationTimestamp = shop.at(60)
    noRoute(shop, 'late.example.com', '/')
    return {
      root_cause: 'ingress_rule_mismatch',
      must_not: ['ingress_class_mismatch', 'controller_config_error', 'undetermined']
    }
  }),

  shopCase('route-catch-all', 'an Ingress without a host takes every request', shop => {
    const all = shop.addIngress('everything', 'unused.example.com', shop.app)
    Object.assign(all.spec, { rules: [{ http: all.spec.rules[0]!.http }] })
    noRoute(shop, 'unknown.example.org', '/anything')
    return {
      root_cause: 'undetermined',
      must_not: ['ingress_rule_mismatch', 'ingress_class_mismatch', 'controller_config_error', 'lb_health_check_path']
    }
  }),

  classCase('class-other', 'a wildcard takes the host, but for another controller', shop => {
    addForeignClass(shop, 'internal', 'traefik.io/ingress-controller')
    shop.ingress.spec.ingressClassName = 'internal'
    shop.ingress.spec.rules[0]!.host = '*.example.com'
    return 'spec.ingressClassName=internal'
  }),
  classCase('class-unknown', 'a class that does not exist', shop => {
    shop.ingress.spec.ingressClassName = 'ngnix'
    return 'spec.ingressClassName=ngnix'
  }),
  classCase('class-legacy-other', 'the older annotation names another controller', shop => {
    delete shop.ingress.spec.ingressClassName
    shop.ingress.metadata.annotations[LEGACY_CLASS] = 'traefik'
    return `annotations[${LEGACY_CLASS}]=traefik`
  }),
  classCase('class-none', 'no class, and none is the default', shop => {
    delete shop.ingress.spec.ingressClassName
    return ''
  }),
  classCase('class-none-foreign-default', 'no class, and the default one is of another controller', shop => {
    delete shop.ingress.spec.ingressClassName
    const foreign = addForeignClass(shop, 'traefik', 'traefik.io/ingress-controller')
    foreign.metadata.annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
    return ''
  }),
  classCase(
    'class-legacy-own',
    "the older annotation names the controller's class; the path does not fit",
    shop => {
      delete shop.ingress.spec.ingressClassName
      shop.ingress.metadata.annotations[LEGACY_CLASS] = 'nginx'
      return ''
    },
    false,
    false
  ),
  classCase(
    'class-none-own-default',
    "no class, and the controller's is the default; the path does not fit",
    shop => {
      delete shop.ingress.spec.ingressClassName
      makeDefaultClass(shop)
      return ''
    },
    false,
    false
  ),
  classCase('class-own', 'an Ingress of the class takes host and path, and yet it was not routed', () => '', false),

  shopCase(
    'class-beside',
    'an Ingress of the class has the host but not the path, one of another class has both',
    shop => {
      takes(shop, '/api')
      addForeignClass(shop, 'internal', 'traefik.io/ingress-controller')
      const other = shop.addIngress('pages', hostOf(shop), shop.app)
      other.spec.ingressClassName = 'internal'
      noRoute(shop, hostOf(shop), '/pages')
      return {
        root_cause: 'ingress_class_mismatch',
        must_cite: [`${ref(other)} spec.ingressClassName=internal`],
        must_not: ['ingress_rule_mismatch', 'undetermined']
      }
    }
  ),

  shopCase(
    'balancer-probes-root',
    'the load balancer asks for /, for the readiness probe that would tell it is missing',
    shop => {
      behindLoadBalancer(shop)
      shop.fails('no_live_upstreams', null)
      return {
        root_cause: 'lb_health_check_path',
        must_cite: [
          `${ref(shop.ingress)} annotations[${BACKENDS}]~UNHEALTHY`,
          `${ref(shop.pods[0])} readinessProbe=absent`
        ],
        must_not: ['app_not_listening', 'readiness_probe_missing', 'target_port_mismatch', 'undetermined']
      }
    },
    { replicas: 1, containers: [omitReadiness()] }
  ),

  shopCase(
    'balancer-probes-other-port',
    'the readiness probe is an HTTP one, but on the port of metrics',
    shop => {
      behindLoadBalancer(shop, 'gce-internal')
      shop.fails('no_live_upstreams', null)
      return {
        root_cause: 'lb_health_check_path',
        must_cite: [`${ref(shop.ingress)} annotations[${BACKENDS}]~UNHEALTHY`, `${ref(shop.pods[0])} readinessProbe`],
        must_not: ['target_port_mismatch', 'undetermined']
      }
    },
    {
      replicas: 1,
      containers: [
        webContainer('app', {
          ports: [
            { name: 'http', containerPort: 8080, protocol: 'TCP' },
            { name: 'metrics', containerPort: 9100, protocol: 'TCP' }
          ],
          readinessProbe: { httpGet: { path: '/metrics', port: 9100 }, periodSeconds: 10 }
        })
      ]
    }
  ),

  shopCase(
    'balancer-knows-the-path',
    'a backend is said to be unhealthy, but its readiness probe tells which path to ask for',
    shop => {
      behindLoadBalancer(shop)
      shop.fails('no_live_upstreams', null)
      return { root_cause: 'undetermined', must_not: ['lb_health_check_path', 'app_not_listening'] }
    },
    { ...APP, replicas: 1 }
  ),

  shopCase('balancer-agent', 'the load balancer asks by address for /', shop => {
    noRoute(shop, '10.0.0.7', '/', 'GoogleHC/1.0')
    return { root_cause: 'lb_health_check_path', must_not: ['ingress_class_mismatch', 'controller_config_error'] }
  }),

  shopCase(
    'balancer-agent-alone',
    'the load balancer asks by address for /; no Ingress has that, and the controller was not collected',
    shop => {
      takes(shop, '/api')
      noRoute(shop, '10.0.0.7', '/', 'ELB-HealthChecker/2.0')
      return {
        root_cause: 'lb_health_check_path',
        confidence_min: 0.85,
        must_cite: [ref(shop.ingress)],
        must_not: ['ingress_rule_mismatch', 'ingress_class_mismatch', 'default_backend_unhealthy']
      }
    },
    { isWhole: false }
  ),

  shopCase(
    'route-to-default-backend',
    "nobody takes the path, which the controller's default backend answers",
    shop => {
      takes(shop, '/api')
      const controller = shop.objects.find(
        ({ kind, metadata }) => kind === 'Pod' && metadata.namespace === 'ingress-nginx'
      )
      const { containers } = (controller as Shop['pods'][0]).spec
      containers[0]!.args = [...(containers[0]!.args ?? []), '--default-backend-service=ingress-nginx/pages']
      noRoute(shop, hostOf(shop), '/')
      shop.failure!.detail = { upstream_name: 'upstream-default-backend', upstream_status: '404' }
      return { root_cause: 'ingress_rule_mismatch', must_not: ['default_backend_unhealthy', 'lb_health_check_path'] }
    }
  ),

  shopCase('balancer-agent-not', 'somebody else asks by address for /', shop => {
    noRoute(shop, '10.0.0.7', '/', 'curl/8.5.0')
    return {
      root_cause: 'ingress_rule_mismatch',
      must_not: ['lb_health_check_path', 'ingress_class_mismatch', 'controller_config_error']
    }
  }),

  // The catalogue has it for errors of the server too, the table's row does not.
  shopCase(
    'balancer-agent-error',
    'the load balancer asks for /, and the server answers 500',
    shop => {
      const detail = { agent: 'ELB-HealthChecker/2.0', upstream_status: '500', upstream_response_time: '0.010' }
      shop.fails('upstream_error', shop.pods[0], { detail })
      return {
        root_cause: 'lb_health_check_path',
        acceptable: ['app_error'],
        must_not: ['dependency_down', 'cluster_dns_failure']
      }
    },
    APP
  ),

  classCase(
    'class-by-controller',
    'a class of another name that the controller takes, too; the path does not fit',
    shop => {
      addForeignClass(shop, 'public', 'k8s.io/ingress-nginx')
      shop.ingress.spec.ingressClassName = 'public'
      return ''
    },
    false,
    false
  ),
  classCase('class-of-other-nginx', 'the class of a second ingress-nginx, which this one is not', shop => {
    addForeignClass(shop, 'internal', 'k8s.io/internal-nginx')
    shop.ingress.spec.ingressClassName = 'internal'
    return 'spec.ingressClassName=internal'
  }),

  shopCase(
    'balancer-of-other',
    'the load balancer of another Ingress has an unhealthy backend',
    shop => {
      shop.addPod(shop.addReplicaSet(shop.addWorkload('Deployment', 'radio')))
      shop.addService('radio', { app: 'radio' })
      const other = shop.addIngress('radio', 'radio.example.com', 'radio')
      other.metadata.annotations[BACKENDS] = '{"k8s1-7f2c-radio-80":"UNHEALTHY"}'
      other.metadata.annotations[LEGACY_CLASS] = 'gce'
      delete other.spec.ingressClassName
      for (const pod of shop.pods) shop.restarts(pod, { reason: 'OOMKilled', exitCode: 137, at: -4, up: 0, ready: 12 })
      shop.fails('no_live_upstreams', null)
      return {
        root_cause: 'oom_killed',
        must_cite: [`${ref(shop.pods[0])} lastState.terminated.reason=OOMKilled`],
        must_not: ['lb_health_check_path', 'app_crash', `cite:${ref(other)}`]
      }
    },
    { replicas: 1, containers: [omitReadiness()] }
  )
]

function omitReadiness() {
  const { readinessProbe: _, ...container } = webContainer('app', UNPROBED)
  return container
}
