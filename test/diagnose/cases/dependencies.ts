/** `dependency_down`: what the server itself calls is gone. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { configMap } from '../support/objectMaker.ts'
import type { Container, PodObject, ServiceObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const UPSTREAM_500 = { detail: { upstream_status: '500', upstream_response_time: '0.210' } }

function calls(env: NonNullable<Container['env']>): { containers: Container[] } {
  return { containers: [webContainer('app', { env })] }
}

/** A database behind a Service of its own. */
function addDatabase(shop: Shop, name: string): { pod: PodObject; service: ServiceObject } {
  const containers = [webContainer(name, { ports: [{ containerPort: 5432, name: 'postgres' }] })]
  const set = shop.addWorkload('StatefulSet', name, { containers })
  const pod = shop.addPod(set, { index: 0 })
  const ports = [{ name: 'postgres', port: 5432, protocol: 'TCP', targetPort: 5432 }]
  return { pod, service: shop.addService(name, { app: name }, { ports }) }
}

function runsOut(shop: Shop, pod: PodObject): void {
  shop.backsOff(pod, { reason: 'OOMKilled', exitCode: 137, startedAt: -100, at: -80, restarts: 5, unready: -80 })
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'depends-memory',
    'its database runs out of memory',
    shop => {
      const database = addDatabase(shop, 'orders-db')
      runsOut(shop, database.pod)
      shop.fails('upstream_error', shop.pods[0], UPSTREAM_500)
      return {
        root_cause: 'dependency_down',
        chain: ['oom_killed'],
        must_cite: [`${ref(shop.pods[0])} spec.containers[app].env[DATABASE_HOST]`, ref(database.pod)],
        must_not: ['app_error', 'oom_killed']
      }
    },
    calls([{ name: 'DATABASE_HOST', value: 'orders-db' }])
  ),

  shopCase(
    'depends-url',
    'it waits for a Service of another namespace, scaled to zero',
    shop => {
      const rates = shop.addWorkload('Deployment', 'rates', { namespace: 'finance', replicas: 0 })
      shop.addReplicaSet(rates, { replicas: 0 })
      const service = shop.addService('rates', { app: 'rates' })
      service.metadata.namespace = 'finance'
      shop.addEvent(rates, 'ScalingReplicaSet', 'Scaled down replica set rates-5d4f to 0 from 2', {
        first: -3000,
        type: 'Normal'
      })
      shop.fails('read_timeout', shop.pods[0], { detail: { upstream_response_time: '60.001' } })
      return {
        root_cause: 'dependency_down',
        chain: ['scaled_to_zero'],
        must_cite: [`${ref(shop.pods[0])} spec.containers[app].env[RATES_URL]`, ref(rates)],
        must_not: ['app_slow', 'scaled_to_zero', 'cpu_saturated']
      }
    },
    calls([{ name: 'RATES_URL', value: 'http://rates.finance.svc.cluster.local:80/v1' }])
  ),

  shopCase(
    'depends-and-back',
    'its database was down then and is back since: less sure than that the app was slow, and deeper',
    shop => {
      const [pod] = shop.pods
      const database = addDatabase(shop, 'orders-db')
      shop.restarts(database.pod, { reason: 'OOMKilled', exitCode: 137, at: -60, up: 100, ready: 130 })
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.000', request_time: '60.001' } })
      return {
        root_cause: 'dependency_down',
        chain: ['app_slow'],
        confidence_min: 0.6,
        confidence_max: 0.7,
        must_cite: [`${ref(pod)} spec.containers[app].env[DATABASE_HOST]`, ref(database.pod)],
        must_not: ['app_slow', 'oom_killed']
      }
    },
    { ...calls([{ name: 'DATABASE_HOST', value: 'orders-db' }]), now: 1800 }
  ),

  shopCase(
    'depends-credentials',
    'the address of its database is in a URL with a user',
    shop => {
      const database = addDatabase(shop, 'ledger-db')
      shop.backsOff(database.pod, { reason: 'Error', exitCode: 1, startedAt: -65, at: -60, restarts: 7, unready: -900 })
      shop.fails('upstream_error', shop.pods[0], UPSTREAM_500)
      return {
        root_cause: 'dependency_down',
        chain: ['crash_loop'],
        must_cite: [`${ref(shop.pods[0])} spec.containers[app].env[DATABASE_URL]`, ref(database.pod)],
        must_not: ['app_error', 'crash_loop', `cite:${ref(shop.pods[0])} env[DATABASE_URL].value~change-me`]
      }
    },
    calls([{ name: 'DATABASE_URL', value: 'postgres://ledger:change-me@ledger-db:5432/ledger' }])
  ),

  shopCase(
    'depends-configmap',
    'the name of its cache comes from a ConfigMap',
    shop => {
      const cache = addDatabase(shop, 'session-cache')
      shop.unready(cache.pod, -400)
      const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
      shop.addEvent(cache.pod, 'Unhealthy', message, { first: -430, last: 9 })
      shop.add(configMap(shop.namespace, 'settings', { CACHE_HOST: 'session-cache' }, shop.at(-1000)))
      shop.fails('upstream_error', shop.pods[0], UPSTREAM_500)
      return {
        root_cause: 'dependency_down',
        chain: ['readiness_failing'],
        must_cite: [`ConfigMap ${shop.namespace}/settings data.CACHE_HOST=session-cache`, ref(cache.pod)],
        must_not: ['app_error', 'readiness_failing']
      }
    },
    { containers: [webContainer('app', { envFrom: [{ configMapRef: { name: 'settings' } }] })] }
  ),

  shopCase(
    'depends-argument',
    'an argument names it',
    shop => {
      const queue = addDatabase(shop, 'queue')
      shop.waitsFor([queue.pod], 'ImagePullBackOff', 'manifest unknown')
      shop.fails('upstream_error', shop.pods[0], UPSTREAM_500)
      return {
        root_cause: 'dependency_down',
        chain: ['image_pull_failed'],
        must_cite: [`${ref(shop.pods[0])} spec.containers[app].args~amqp://queue:5672`, ref(queue.pod)],
        must_not: ['app_error', 'image_pull_failed']
      }
    },
    { containers: [webContainer('app', { args: ['--broker=amqp://queue:5672'] })] }
  ),

  shopCase(
    'depends-on-two',
    'one of its two databases is still ready: it is an error of its own',
    shop => {
      const database = addDatabase(shop, 'orders-db')
      const set = shop.objects.find(object => object.kind === 'StatefulSet' && object.metadata.name === 'orders-db')!
      shop.addPod(set as Parameters<Shop['addPod']>[0], { index: 1 })
      runsOut(shop, database.pod)
      shop.fails('upstream_error', shop.pods[0], UPSTREAM_500)
      return {
        root_cause: 'app_error',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['dependency_down', 'oom_killed']
      }
    },
    calls([{ name: 'DATABASE_HOST', value: 'orders-db' }])
  ),

  shopCase(
    'depends-not',
    'a database is down that nothing of it names',
    shop => {
      const database = addDatabase(shop, 'archive-db')
      runsOut(shop, database.pod)
      shop.fails('upstream_error', shop.pods[0], UPSTREAM_500)
      return {
        root_cause: 'app_error',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=True`],
        must_not: ['dependency_down', `cite:${ref(database.pod)}`]
      }
    },
    calls([{ name: 'DATABASE_HOST', value: 'orders-db.example.net' }])
  ),

  shopCase(
    'depends-and-says-so',
    'not ready, and the database that it names is down',
    shop => {
      const [pod] = shop.pods
      const database = addDatabase(shop, 'orders-db')
      runsOut(shop, database.pod)
      shop.unready(pod, -70)
      const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
      shop.addEvent(pod, 'Unhealthy', message, { first: -78, last: 9, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        // The table has no dependency among the rows of no_endpoints; the catalogue has no_endpoints among its symptoms.
        acceptable: ['dependency_down'],
        must_cite: [`${ref(pod)} conditions[Ready].status=False`],
        must_not: ['oom_killed', 'crash_loop']
      }
    },
    { ...calls([{ name: 'DATABASE_HOST', value: 'orders-db' }]), replicas: 1 }
  )
]
