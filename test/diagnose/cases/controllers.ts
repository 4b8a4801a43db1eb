/** The controller itself: `controller_resources`, `controller_config_error`, and the symptoms that always mean one of them. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { annotate, annotation, CONFIG, configure, controllerPod } from '../support/edgeObjects.ts'
import { podMetrics } from '../support/extraObjects.ts'
import { HOUR } from '../support/moment.ts'
import type { WorkloadObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const SNIPPET = annotation('configuration-snippet')
const OOM = { container: 'controller', reason: 'OOMKilled', exitCode: 137 }
const BY = { by: 'nginx-ingress-controller' }
const RELOAD_ERROR =
  'Error reloading NGINX: exit status 1\nnginx: [emerg] unknown directive "proxy_set_heder" in /tmp/nginx/nginx-cfg:812'

function reloadFails(shop: Shop, first: number, last: number): string {
  const controller = controllerPod(shop)
  shop.addEvent(controller, 'RELOAD', RELOAD_ERROR, { first, last, ...BY })
  return `Event ${ref(controller)} reason=RELOAD`
}

export const CASES: DiagnosisCase[] = [
  shopCase('controller-connections', 'the workers are out of connections', shop => {
    configure(shop, { 'max-worker-connections': '1024' })
    const error = '1024 worker_connections are not enough while connecting to upstream'
    shop.fails('controller_overload', null, { status: 500, detail: { error } })
    return {
      root_cause: 'controller_resources',
      must_cite: [`${CONFIG} data.max-worker-connections=1024`],
      must_not: ['rate_limit_hit', 'controller_config_error', 'undetermined']
    }
  }),

  shopCase('controller-files', 'the workers are out of files; nothing is set', shop => {
    const error = 'socket() failed (24: Too many open files) while connecting to upstream'
    shop.fails('controller_overload', null, { status: 500, detail: { error } })
    return {
      root_cause: 'controller_resources',
      must_not: ['rate_limit_hit', 'controller_config_error', 'undetermined']
    }
  }),

  shopCase(
    'controller-memory',
    'the controller was killed for memory in the middle of it',
    shop => {
      const controller = controllerPod(shop)
      shop.restarts(controller, { ...OOM, at: -1, up: 3, ready: 14 })
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'controller_resources',
        must_cite: [`${ref(controller)} lastState.terminated.reason=OOMKilled`],
        must_not: ['oom_killed', 'network_policy_block', 'node_not_ready', 'undetermined', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'controller-memory-earlier',
    'the controller was killed for memory an hour ago; now a handler is slow',
    shop => {
      const controller = controllerPod(shop)
      shop.restarts(controller, { ...OOM, at: -HOUR, up: 4 - HOUR, ready: 15 - HOUR })
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['controller_resources', 'oom_killed']
      }
    },
    APP
  ),

  shopCase(
    'controller-cpu',
    'the controller itself is at its limit',
    shop => {
      const controller = controllerPod(shop)
      controller.spec.containers[0]!.resources = { limits: { cpu: '500m', memory: '1Gi' } }
      const metrics = shop.add(podMetrics(controller, { controller: '491m' }, shop.at(-20)))
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'controller_resources',
        must_cite: [ref(metrics)],
        must_not: ['app_slow', 'cpu_saturated']
      }
    },
    APP
  ),

  shopCase(
    'controller-cpu-half',
    'the controller has half of its limit left',
    shop => {
      const controller = controllerPod(shop)
      controller.spec.containers[0]!.resources = { limits: { cpu: '1' } }
      shop.add(podMetrics(controller, { controller: '520m' }, shop.at(-20)))
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['controller_resources', 'cpu_saturated']
      }
    },
    APP
  ),

  // None of what `controller_resources` needs is there, yet the table names it for this symptom.
  shopCase('controller-ports', 'no port of its own is left to connect from', shop => {
    const error = 'connect() to 10.244.3.9:8080 failed (99: Address not available) while connecting to upstream'
    shop.fails('local_port_exhausted', shop.pods[0], { detail: { error } })
    return {
      root_cause: 'controller_resources',
      must_not: ['app_not_listening', 'network_policy_block', 'stale_endpoints', 'undetermined']
    }
  }),

  shopCase('lua-snippet', "Lua of the Ingress's snippet fails", shop => {
    annotate(shop.ingress, { 'configuration-snippet': 'access_by_lua_block { check.token() }' })
    const error =
      'lua entry thread aborted: runtime error: access_by_lua(nginx.conf:1042):2: attempt to index a nil value'
    shop.fails('lua_error', null, { status: 500, detail: { error } })
    return {
      root_cause: 'controller_config_error',
      must_cite: [`${ref(shop.ingress)} annotations[${SNIPPET}]`],
      must_not: ['controller_resources', 'app_error', 'undetermined']
    }
  }),

  shopCase('lua-plugin', 'Lua of a plugin fails', shop => {
    configure(shop, { plugins: 'token_check' })
    const error = 'lua entry thread aborted: runtime error: /etc/nginx/lua/plugins/token_check/main.lua:7: bad argument'
    shop.fails('lua_error', null, { status: 500, detail: { error } })
    return {
      root_cause: 'controller_config_error',
      must_cite: [`${CONFIG} data.plugins`],
      must_not: ['controller_resources', 'app_error']
    }
  }),

  shopCase('reload-no-endpoints', 'pods are ready; nginx runs with what it had before a bad directive', shop => {
    const event = reloadFails(shop, -500, -20)
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'controller_config_error',
      must_cite: [event],
      must_not: ['stale_endpoints', 'selector_mismatch', 'ingress_annotation_denied']
    }
  }),

  shopCase('reload-earlier', 'the last reload that failed was an hour ago', shop => {
    reloadFails(shop, -HOUR - 300, -HOUR)
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'stale_endpoints',
      acceptable: ['undetermined'],
      must_not: ['controller_config_error', 'ingress_annotation_denied']
    }
  }),

  shopCase('reload-well', 'a reload that went well', shop => {
    const message = 'NGINX reload triggered due to a change in configuration'
    shop.addEvent(controllerPod(shop), 'RELOAD', message, { first: -500, last: -10, type: 'Normal', ...BY })
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'stale_endpoints',
      acceptable: ['undetermined'],
      must_not: ['controller_config_error', 'ingress_annotation_denied']
    }
  }),

  shopCase('reload-no-route', 'an Ingress should match, but nginx could not be reloaded since', shop => {
    const event = reloadFails(shop, -200, -5)
    shop.ingress.metadata.creationTimestamp = shop.at(-260)
    shop.fails('no_route', null, { namespace: null, service: null, port: null, ingress: null })
    return {
      root_cause: 'controller_config_error',
      must_cite: [event],
      must_not: ['ingress_rule_mismatch', 'ingress_class_mismatch', 'undetermined']
    }
  }),

  shopCase('reload-no-match', 'nginx could not be reloaded, but no Ingress has that host', shop => {
    reloadFails(shop, -200, -5)
    const host = `www.${shop.app}.example.com`
    shop.fails('no_route', null, { namespace: null, service: null, port: null, ingress: null, host })
    return {
      root_cause: 'ingress_rule_mismatch',
      must_cite: [`${ref(shop.ingress)} spec.rules`],
      must_not: ['controller_config_error', 'ingress_class_mismatch']
    }
  }),

  shopCase('cycle', 'a rewrite that leads to itself', shop => {
    annotate(shop.ingress, { 'configuration-snippet': 'rewrite ^(.*)$ /app$1 last;' })
    const error = 'rewrite or internal redirection cycle while processing "/app/app/app/"'
    shop.fails('redirect_cycle', null, { status: 500, detail: { error } })
    return {
      root_cause: 'controller_config_error',
      must_cite: [`${ref(shop.ingress)} annotations[${SNIPPET}]`],
      must_not: ['controller_resources', 'app_error', 'undetermined']
    }
  }),

  shopCase('configured-wrongly', 'a snippet leads to a location that does not exist', shop => {
    annotate(shop.ingress, { 'configuration-snippet': 'error_page 502 = @sorry;' })
    shop.fails('controller_config', null, { status: 500, detail: { error: 'could not find named location "@sorry"' } })
    return {
      root_cause: 'controller_config_error',
      must_cite: [`${ref(shop.ingress)} annotations[${SNIPPET}]`],
      must_not: ['controller_resources', 'app_error', 'undetermined']
    }
  }),

  // "config_reload ⇒ no failure": there is nothing to be the root of.
  shopCase('reloaded', 'a mark of a reload, no failure', shop => {
    shop.fails('config_reload', null, { status: null })
    return {
      root_cause: 'undetermined',
      must_not: ['controller_config_error', 'controller_resources', 'stale_endpoints']
    }
  }),

  shopCase(
    'controller-restarted',
    'the controller ended with an error and came up again',
    shop => {
      const controller = controllerPod(shop)
      shop.restarts(controller, { container: 'controller', reason: 'Error', exitCode: 2, at: -3, up: 1, ready: 11 })
      shop.fails('connect_timeout', shop.pods[0])
      return {
        root_cause: 'controller_resources',
        must_cite: [`${ref(controller)} lastState.terminated`],
        must_not: ['app_crash', 'network_policy_block', 'node_not_ready', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'controller-of-others',
    'another controller was killed; the one that wrote the line runs well',
    shop => {
      const sender = controllerPod(shop)
      const set = shop.objects.find(
        ({ kind, metadata }) => kind === 'ReplicaSet' && metadata.namespace === 'ingress-nginx'
      )
      const other = shop.addPod(set as WorkloadObject, { node: 'worker-1', created: -900 })
      shop.restarts(other, { ...OOM, at: -1, up: 3, ready: 14 })
      shop.fails('connect_timeout', shop.pods[0], {
        controller_namespace: 'ingress-nginx',
        controller_pod: sender.metadata.name
      })
      return { root_cause: 'undetermined', must_not: ['controller_resources', 'oom_killed', `cite:${ref(other)}`] }
    },
    APP
  )
]
