/** The server answers, or hangs up: `app_error`, `app_invalid_response`, `proxy_buffer_too_small`, `keepalive_mismatch`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import type { Container } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const BUFFER_SIZE = 'nginx.ingress.kubernetes.io/proxy-buffer-size'
const BACKEND_PROTOCOL = 'nginx.ingress.kubernetes.io/backend-protocol'
const IDLE_CLOSE = { method: 'POST', upstream_response_time: '0.001', request_time: '0.002' }

/** A POST on a kept connection that the server was just closing. */
function closedIdle(shop: Shop, keepAliveTimeout: string, detail: Record<string, string> = IDLE_CLOSE): void {
  shop.configures({ 'upstream-keepalive-timeout': keepAliveTimeout })
  shop.fails('premature_close', shop.pods[0], { detail })
}

function server(changes: Partial<Container>): { containers: Container[] } {
  return { containers: [webContainer('app', changes)] }
}

const CONFIG_60 = 'ConfigMap ingress-nginx/ingress-nginx-controller data.upstream-keepalive-timeout=60'

export const CASES: DiagnosisCase[] = [
  shopCase('error-500', 'a Ready pod answers 500', shop => {
    const [pod] = shop.pods
    shop.fails('upstream_error', pod, { detail: { upstream_status: '500', upstream_response_time: '0.034' } })
    return {
      root_cause: 'app_error',
      confidence_max: 0.64,
      must_cite: [`${ref(pod)} conditions[Ready].status=True`],
      must_not: ['dependency_down', 'cluster_dns_failure', 'node_pressure', 'app_crash']
    }
  }),

  shopCase('error-after-rollout', 'it answers 500 since the rollout of ten minutes ago', shop => {
    const next = shop.addReplicaSet(shop.workload, { created: -600, replicas: 2 })
    shop.workload.metadata.annotations![REVISION] = '5'
    next.metadata.annotations![REVISION] = '5'
    shop.replicaSet!.spec.replicas = 0
    for (const old of shop.pods) shop.remove(old)
    const pod = shop.addPod(next, { created: -598 })
    shop.addPod(next, { created: -580 })
    shop.fails('upstream_error', pod, { detail: { upstream_status: '500', upstream_response_time: '0.020' } })
    return {
      root_cause: 'app_error',
      variant: 'after_rollout',
      confidence_min: 0.6,
      must_cite: [
        `${ref(shop.workload)} metadata.annotations[${REVISION}]=5`,
        `${ref(pod)} conditions[Ready].status=True`
      ],
      must_not: ['dependency_down', 'termination_race']
    }
  }),

  shopCase(
    'error-before-rollout',
    'the rollout began a minute after the failure',
    shop => {
      const [pod] = shop.pods
      shop.fails('upstream_error', pod, { detail: { upstream_status: '502', upstream_response_time: '0.100' } })
      const next = shop.addReplicaSet(shop.workload, { created: 60, replicas: 2 })
      const fresh = shop.addPod(next, { created: 61 })
      shop.workload.metadata.annotations![REVISION] = '5'
      return {
        root_cause: 'app_error',
        confidence_max: 0.64,
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['dependency_down', `cite:${ref(next)}`, `cite:${ref(fresh)}`]
      }
    },
    { now: 600 }
  ),

  shopCase('invalid-header', 'it writes a header twice', shop => {
    const [pod] = shop.pods
    const error =
      'upstream sent duplicate header line: "Transfer-Encoding: chunked", previous value: "chunked" while reading response header from upstream'
    shop.fails('invalid_response', pod, { detail: { error } })
    return { root_cause: 'app_invalid_response', must_not: ['backend_protocol_mismatch', 'proxy_buffer_too_small'] }
  }),

  shopCase('invalid-because-tls', 'it answers with TLS where HTTP is spoken', shop => {
    const [pod] = shop.pods
    shop.service.spec.ports[0]!.appProtocol = 'https'
    const error = 'upstream sent no valid HTTP/1.0 header while reading response header from upstream'
    shop.fails('invalid_response', pod, { detail: { error } })
    return {
      root_cause: 'backend_protocol_mismatch',
      must_cite: [`${ref(shop.service)} appProtocol=https`],
      must_not: ['app_invalid_response']
    }
  }),

  shopCase(
    'invalid-though-http',
    'the annotation says HTTP, and nothing speaks for another protocol',
    shop => {
      const [pod] = shop.pods
      shop.ingress.metadata.annotations[BACKEND_PROTOCOL] = 'HTTP'
      const error = 'upstream sent invalid header: "X-Bad Name: \\x20..." while reading response header from upstream'
      shop.fails('invalid_response', pod, { detail: { error } })
      return { root_cause: 'app_invalid_response', must_not: ['backend_protocol_mismatch'] }
    },
    { kind: 'StatefulSet' }
  ),

  shopCase('buffer-default', 'its cookies are larger than 4k', shop => {
    const [pod] = shop.pods
    const error = 'upstream sent too big header while reading response header from upstream'
    shop.fails('header_too_big', pod, { detail: { error } })
    return {
      root_cause: 'proxy_buffer_too_small',
      must_cite: [ref(shop.ingress)],
      must_not: ['app_invalid_response', 'backend_protocol_mismatch']
    }
  }),

  shopCase(
    'buffer-annotation',
    'even the 8k of the annotation are too little',
    shop => {
      const [pod] = shop.pods
      shop.ingress.metadata.annotations[BUFFER_SIZE] = '8k'
      const error = 'upstream sent too big header while reading response header from upstream'
      shop.fails('header_too_big', pod, { detail: { error } })
      return {
        root_cause: 'proxy_buffer_too_small',
        must_cite: [`${ref(shop.ingress)} annotations[${BUFFER_SIZE}]=8k`],
        must_not: ['app_invalid_response', 'app_error']
      }
    },
    { namespace: 'payments' }
  ),

  shopCase(
    'idle-seconds',
    'gunicorn closes after 2 s what nginx keeps for 60 s',
    shop => {
      closedIdle(shop, '60')
      return {
        root_cause: 'keepalive_mismatch',
        must_cite: [`${ref(shop.pods[0])} spec.containers[app].args~--keep-alive`, CONFIG_60],
        must_not: ['app_crash', 'oom_killed', 'termination_race', 'readiness_probe_missing']
      }
    },
    server({ command: ['gunicorn'], args: ['shop.wsgi', '--keep-alive', '2', '--bind', '0.0.0.0:8080'] })
  ),

  shopCase(
    'idle-milliseconds',
    'an environment variable in milliseconds',
    shop => {
      closedIdle(shop, '60', { ...IDLE_CLOSE, upstream_response_time: '0.003' })
      return {
        root_cause: 'keepalive_mismatch',
        must_cite: [`${ref(shop.pods[0])} spec.containers[app].env[KEEP_ALIVE_TIMEOUT_MS]`, CONFIG_60],
        must_not: ['app_crash']
      }
    },
    server({ env: [{ name: 'KEEP_ALIVE_TIMEOUT_MS', value: '5000' }] })
  ),

  shopCase(
    'idle-known-default',
    'uvicorn without a word of its time: 5 s by default',
    shop => {
      closedIdle(shop, '60')
      return { root_cause: 'keepalive_mismatch', confidence_max: 0.64, must_cite: [CONFIG_60], must_not: ['app_crash'] }
    },
    server({ command: ['uvicorn'], args: ['shop.main:app', '--host', '0.0.0.0', '--port', '8080'] })
  ),

  shopCase(
    'idle-longer',
    'it keeps connections longer than nginx does',
    shop => {
      closedIdle(shop, '60')
      return { root_cause: 'undetermined', must_not: ['keepalive_mismatch', 'app_crash'] }
    },
    server({ args: ['--timeout-keep-alive', '75'] })
  ),

  shopCase(
    'idle-lowered',
    'nginx closes first: its own time was lowered to 4 s',
    shop => {
      closedIdle(shop, '4')
      return { root_cause: 'undetermined', must_not: ['keepalive_mismatch'] }
    },
    server({ args: ['--timeout-keep-alive', '5'] })
  ),

  shopCase(
    'idle-but-late',
    'it closed after 0.8 s of work, no idle connection',
    shop => {
      closedIdle(shop, '60', { ...IDLE_CLOSE, upstream_response_time: '0.800' })
      return { root_cause: 'undetermined', must_not: ['keepalive_mismatch'] }
    },
    server({ args: ['--keep-alive', '2'] })
  )
]
