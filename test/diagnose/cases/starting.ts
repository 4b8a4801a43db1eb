/** Containers that do not come up: `container_start_failed`, `config_missing`, `image_pull_failed`, `init_container_stuck`. */

import { type DiagnosisCase, ref, shopCase } from '../support/caseBuilder.ts'
import { running, webContainer } from '../support/podMaker.ts'

const YOUNG = { podsCreated: -900 }

/** All pods wait for an image. */
function imageCase(id: string, reason: string, message: string, variant: string | null): DiagnosisCase {
  return shopCase(
    id,
    `no image: ${variant ?? reason}`,
    shop => {
      shop.waitsFor(shop.pods, reason, message)
      for (const pod of shop.pods) shop.addEvent(pod, 'Failed', message, { first: -890, last: 20 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'image_pull_failed',
        ...(variant === null ? {} : { variant }),
        must_cite: [`${ref(shop.pods[0])} state.waiting.reason=${reason}`],
        must_not: ['crash_loop', 'readiness_failing', 'config_missing', 'scaled_to_zero']
      }
    },
    YOUNG
  )
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'start-no-binary',
    'the command is not in the image',
    shop => {
      const message = 'exec: "serve": executable file not found in $PATH: unknown'
      shop.waitsFor(shop.pods, 'RunContainerError', message)
      shop.addEvent(shop.pods[0], 'Failed', `Error: ${message}`, { first: -880, last: 10, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'container_start_failed',
        must_cite: [`${ref(shop.pods[0])} state.waiting.reason=RunContainerError`],
        must_not: ['crash_loop', 'image_pull_failed', 'config_missing']
      }
    },
    YOUNG
  ),

  shopCase(
    'start-exit-127',
    'a crash loop of exit code 127: a missing library',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'Error', exitCode: 127, message: 'error while loading shared libraries: libssl.so.1.1' }
      shop.backsOff(pod, { ...exit, startedAt: -61, at: -61, restarts: 7, unready: -895 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'container_start_failed',
        must_cite: [`${ref(pod)} lastState.terminated.exitCode=127`],
        must_not: ['oom_killed', 'app_crash', 'readiness_failing']
      }
    },
    { ...YOUNG, replicas: 1 }
  ),

  shopCase(
    'start-error',
    'StartError: the entrypoint may not be executed',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'StartError', exitCode: 128, message: 'exec: "/app/run.sh": permission denied: unknown' }
      shop.backsOff(pod, { ...exit, startedAt: -61, at: -61, restarts: 7, unready: -895 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'container_start_failed',
        must_cite: [`${ref(pod)} lastState.terminated.reason=StartError`],
        must_not: ['app_crash', 'readiness_failing', 'image_pull_failed']
      }
    },
    { ...YOUNG, replicas: 1, kind: 'StatefulSet' }
  ),

  shopCase(
    'start-exit-2',
    'it starts, and ends by itself with a usage error',
    shop => {
      const [pod] = shop.pods
      const exit = { reason: 'Error', exitCode: 2, message: 'unknown flag: --prot' }
      shop.backsOff(pod, { ...exit, startedAt: -62, at: -61, restarts: 7, unready: -895 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'crash_loop',
        must_cite: [`${ref(pod)} state.waiting.reason=CrashLoopBackOff`, `${ref(pod)} lastState.terminated.exitCode=2`],
        must_not: ['container_start_failed', 'config_missing']
      }
    },
    { ...YOUNG, replicas: 1 }
  ),

  shopCase(
    'config-no-secret',
    'the environment comes from a Secret that is not there',
    shop => {
      shop.waitsFor(shop.pods, 'CreateContainerConfigError', 'secret "stripe-key" not found')
      shop.addEvent(shop.pods[0], 'Failed', 'Error: secret "stripe-key" not found', {
        first: -880,
        last: 30,
        container: 'app'
      })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`${ref(shop.pods[0])} state.waiting.reason=CreateContainerConfigError`],
        must_not: ['container_start_failed', 'volume_unavailable', 'image_pull_failed', 'readiness_failing']
      }
    },
    YOUNG
  ),

  shopCase(
    'config-no-configmap',
    'a ConfigMap to be mounted is not there',
    shop => {
      const [pod] = shop.pods
      shop.isBeingCreated(pod)
      const message = 'MountVolume.SetUp failed for volume "settings" : configmap "settings" not found'
      shop.addEvent(pod, 'FailedMount', message, { first: -890, last: 10 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`Event ${ref(pod)} message~configmap "settings" not found`],
        must_not: ['volume_unavailable', 'pod_sandbox_failed', 'scaled_to_zero', 'selector_mismatch']
      }
    },
    { ...YOUNG, replicas: 1 }
  ),

  shopCase(
    'config-no-key',
    'the ConfigMap has no such key',
    shop => {
      const [pod] = shop.pods
      shop.isBeingCreated(pod)
      const message = 'MountVolume.SetUp failed for volume "settings" : references non-existent config key: app.yaml'
      shop.addEvent(pod, 'FailedMount', message, { first: -890, last: 10 })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'config_missing',
        must_cite: [`Event ${ref(pod)} message~non-existent config key`],
        must_not: ['volume_unavailable', 'rollout_gap']
      }
    },
    { ...YOUNG, replicas: 1, kind: 'StatefulSet' }
  ),

  imageCase(
    'image-tag',
    'ImagePullBackOff',
    'rpc error: code = NotFound desc = manifest for cart:latets not found',
    'not_found'
  ),
  imageCase('image-auth', 'ErrImagePull', 'failed to authorize: unexpected status: 401 Unauthorized', 'auth'),
  imageCase('image-network', 'ErrImagePull', 'dial tcp 203.0.113.9:443: i/o timeout', 'network'),
  imageCase('image-limit', 'ImagePullBackOff', 'toomanyrequests: You have reached your pull rate limit', 'rate_limit'),
  imageCase(
    'image-name',
    'InvalidImageName',
    'couldn\'t parse image name "Cart:2.4": repository name must be lowercase',
    null
  ),
  imageCase('image-never', 'ErrImageNeverPull', 'image is not present with pull policy of Never', null),

  shopCase('image-of-new', 'the new image cannot be pulled, but the old pods are the ones that died', shop => {
    const next = shop.addReplicaSet(shop.workload, { created: -900, replicas: 1 })
    const fresh = shop.addPod(next, { created: -900 })
    shop.waitsFor([fresh], 'ImagePullBackOff', 'manifest unknown')
    for (const pod of shop.pods) {
      const exit = { reason: 'OOMKilled', exitCode: 137 }
      shop.backsOff(pod, { ...exit, startedAt: -100, at: -40, restarts: 4, unready: -40 })
    }
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'oom_killed',
      must_cite: [`${ref(shop.pods[0])} lastState.terminated.reason=OOMKilled`],
      must_not: ['scaled_to_zero', 'rollout_gap']
    }
  }),

  shopCase('image-of-new-only', 'a stuck rollout beside an old pod that refuses', shop => {
    const [pod] = shop.pods
    const next = shop.addReplicaSet(shop.workload, { created: -900, replicas: 1 })
    const fresh = shop.addPod(next, { created: -900 })
    shop.waitsFor([fresh], 'ImagePullBackOff', 'manifest unknown')
    shop.restarts(pod, { reason: 'Error', exitCode: 134, at: -2, up: 1, ready: 12 })
    shop.fails('connection_refused', pod)
    return {
      root_cause: 'app_crash',
      must_cite: [`${ref(pod)} lastState.terminated.exitCode=134`],
      must_not: ['image_pull_failed', `cite:${ref(fresh)}`]
    }
  }),

  shopCase(
    'init-waits',
    'the init container waits for a database',
    shop => {
      shop.waitsInInit(shop.pods[0], 'wait-for-db')
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'init_container_stuck',
        must_cite: [
          `${ref(shop.pods[0])} conditions[Initialized].status=False`,
          `${ref(shop.pods[0])} status.initContainerStatuses[wait-for-db].state`
        ],
        must_not: ['readiness_failing', 'rollout_gap', 'scaled_to_zero', 'crash_loop']
      }
    },
    { ...YOUNG, replicas: 1 }
  ),

  shopCase(
    'init-loops',
    'the migration fails again and again',
    shop => {
      shop.waitsInInit(shop.pods[0], 'migrate')
      const [pod] = shop.pods
      const status = pod.status.initContainerStatuses![0]!
      const terminated = { reason: 'Error', exitCode: 1, startedAt: shop.at(-70), finishedAt: shop.at(-66) }
      status.state = {
        waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container=migrate' }
      }
      status.lastState = { terminated }
      status.restartCount = 6
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'init_container_stuck',
        must_cite: [`${ref(pod)} initContainerStatuses[migrate].state.waiting.reason=CrashLoopBackOff`],
        must_not: ['crash_loop', 'readiness_failing']
      }
    },
    { ...YOUNG, replicas: 1 }
  ),

  shopCase(
    'init-sidecar',
    'an init container that stays is a sidecar; the server itself says 503',
    shop => {
      const [pod] = shop.pods
      const container = { name: 'log-shipper', image: 'registry.example.com/shipper:1.0', restartPolicy: 'Always' }
      pod.spec.initContainers = [container]
      pod.status.initContainerStatuses = [running(container, shop.at(-898))]
      shop.unready(pod, -300)
      const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
      shop.addEvent(pod, 'Unhealthy', message, { first: -330, last: 5, container: 'app' })
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(pod)} conditions[Ready].status=False`, `Event ${ref(pod)} message~statuscode: 503`],
        must_not: ['init_container_stuck', 'crash_loop']
      }
    },
    { ...YOUNG, replicas: 1, containers: [webContainer('app')] }
  )
]
