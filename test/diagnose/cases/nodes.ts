/** The node below: `node_not_ready`, `node_pressure`, `node_network_failure`. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { DAY } from '../support/moment.ts'
import type { PodObject } from '../support/objectTypes.ts'
import { webContainer } from '../support/podMaker.ts'

const APP = { containers: [webContainer('app')] }
const SILENT = 'NodeStatusUnknown'

/** The agent of a network plugin on each node. */
function addAgents(shop: Shop, name: string): PodObject[] {
  const labels = { 'k8s-app': name }
  const set = shop.addWorkload('DaemonSet', name, { namespace: 'kube-system', labels, replicas: 3 })
  return ['worker-1', 'worker-2', 'worker-3'].map(node => shop.addPod(set, { node }))
}

function agentOn(agents: PodObject[], pod: PodObject): PodObject {
  return agents.find(agent => agent.spec.nodeName === pod.spec.nodeName)!
}

export const CASES: DiagnosisCase[] = [
  shopCase(
    'node-false',
    'its kubelet has said for eight seconds that it is not ready',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'Ready', 'False', -8, 'KubeletNotReady')
      shop.unready(pod, -7)
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} status.conditions[Ready].status=False`],
        must_not: ['network_policy_block', 'node_network_failure', 'stale_endpoints', 'undetermined']
      }
    },
    APP
  ),

  shopCase(
    'node-silent',
    'its kubelet fell silent; the control plane notices half a minute after the failure',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'Ready', 'Unknown', 35, SILENT, -12)
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} conditions[Ready].status=Unknown`],
        must_not: ['network_policy_block', 'node_network_failure', 'cpu_saturated']
      }
    },
    APP
  ),

  shopCase(
    'node-silent-watched',
    'the same, watched, with a heartbeat five minutes old',
    shop => {
      const pod = shop.pods[1]!
      const node = shop.nodeOf(pod)
      shop.saw('ADDED', node, -DAY)
      shop.nodeTells(pod, 'Ready', 'Unknown', 28, SILENT, -290)
      shop.saw('MODIFIED', node, 28)
      shop.unready(pod, 29)
      shop.saw('MODIFIED', pod, 29)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} conditions[Ready].status=Unknown`],
        must_not: ['stale_endpoints', 'termination_race', 'node_network_failure', 'pod_evicted']
      }
    },
    APP
  ),

  shopCase(
    'node-silent-much-later',
    'the node was lost minutes after the failure',
    shop => {
      const [pod] = shop.pods
      shop.nodeTells(pod, 'Ready', 'Unknown', 240, SILENT, 200)
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'undetermined',
        must_not: ['node_not_ready', 'node_network_failure', 'network_policy_block']
      }
    },
    { ...APP, now: 300 }
  ),

  shopCase(
    'node-gone',
    'the node was deleted half a minute before',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeOf(pod)
      shop.saw('ADDED', node, -DAY)
      shop.sawGo(node, -30)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} absent`],
        must_not: ['stale_endpoints', 'node_network_failure', 'termination_race']
      }
    },
    APP
  ),

  shopCase(
    'node-back',
    'it was not ready for a minute and a half, and is ready again when it was read',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeOf(pod)
      shop.saw('ADDED', node, -DAY)
      shop.nodeTells(pod, 'Ready', 'Unknown', -50, SILENT, -95)
      shop.saw('MODIFIED', node, -50)
      shop.nodeTells(pod, 'Ready', 'True', 40, 'KubeletReady', 40)
      shop.saw('MODIFIED', node, 40)
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.002' } })
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} conditions[Ready].status=Unknown`],
        must_not: ['app_slow', 'cpu_saturated']
      }
    },
    { ...APP, now: 900 }
  ),

  shopCase(
    'node-other',
    'another node is lost, not that of the pod',
    shop => {
      const [pod, other] = shop.pods
      const node = shop.nodeTells(other!, 'Ready', 'Unknown', -200, SILENT, -245)
      shop.unready(other!, -199)
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.002' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['node_not_ready', `cite:${ref(node)}`]
      }
    },
    APP
  ),

  shopCase(
    'node-all-unready',
    'both pods are on the lost node: no endpoints',
    shop => {
      for (const pod of shop.pods) {
        pod.spec.nodeName = 'worker-2'
        shop.unready(pod, -70)
      }
      const node = shop.nodeTells(shop.pods[0], 'Ready', 'Unknown', -71, SILENT, -112)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} conditions[Ready].status=Unknown`],
        must_not: ['crash_loop', 'selector_mismatch', 'stale_endpoints']
      }
    },
    APP
  ),

  shopCase(
    'pressure-memory',
    'the node runs out of memory and everything on it crawls',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'MemoryPressure', 'True', -300, 'KubeletHasInsufficientMemory')
      shop.addEvent(node, 'SystemOOM', 'System OOM encountered, victim process: java', { first: -280, last: -10 })
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.004' } })
      return {
        root_cause: 'node_pressure',
        must_cite: [`${ref(node)} conditions[MemoryPressure].status=True`],
        must_not: ['app_slow', 'node_not_ready', 'oom_killed', 'pod_evicted']
      }
    },
    APP
  ),

  shopCase(
    'pressure-disk',
    'the disk of the node is full; the server answers 500',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'DiskPressure', 'True', -900, 'KubeletHasDiskPressure')
      shop.addEvent(node, 'FreeDiskSpaceFailed', 'Failed to garbage collect required amount of images', {
        first: -880,
        last: 20
      })
      shop.fails('upstream_error', pod, { detail: { upstream_status: '500', upstream_response_time: '0.080' } })
      return {
        root_cause: 'node_pressure',
        must_cite: [`${ref(node)} conditions[DiskPressure].status=True`],
        must_not: ['app_error', 'pod_evicted', 'node_not_ready']
      }
    },
    { ...APP, kind: 'StatefulSet' }
  ),

  shopCase(
    'pressure-processes',
    'no process can be started on the node: connections are not taken',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'PIDPressure', 'True', -60, 'KubeletHasInsufficientPID')
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'node_pressure',
        must_cite: [`${ref(node)} conditions[PIDPressure].status=True`],
        must_not: ['node_not_ready', 'network_policy_block', 'cpu_saturated']
      }
    },
    APP
  ),

  shopCase(
    'pressure-later',
    'the pressure began after the failure',
    shop => {
      const [pod] = shop.pods
      shop.nodeTells(pod, 'MemoryPressure', 'True', 45, 'KubeletHasInsufficientMemory')
      shop.fails('read_timeout', pod, { detail: { upstream_response_time: '60.004' } })
      return {
        root_cause: 'app_slow',
        must_cite: [`${ref(pod)} conditions[Ready].status=True`],
        must_not: ['node_pressure']
      }
    },
    APP
  ),

  shopCase(
    'pressure-and-evicted',
    'the pressure cost this pod its place',
    shop => {
      const [pod] = shop.pods
      const message = 'The node was low on resource: ephemeral-storage.'
      shop.nodeTells(pod, 'DiskPressure', 'True', -20, 'KubeletHasDiskPressure')
      shop.evicts(pod, -2, message)
      shop.addEvent(pod, 'Evicted', message, { first: -2 })
      shop.fails('premature_close', pod, { detail: { upstream_response_time: '4.100' } })
      return {
        root_cause: 'pod_evicted',
        must_cite: [`${ref(pod)} status.reason=Evicted`],
        must_not: ['node_pressure', 'app_crash', 'oom_killed']
      }
    },
    APP
  ),

  shopCase(
    'network-unavailable',
    'the node has no pod network, and its pods stay Ready',
    shop => {
      const [pod] = shop.pods
      const node = shop.nodeTells(pod, 'NetworkUnavailable', 'True', -900, 'NoRouteCreated')
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'node_network_failure',
        must_cite: [`${ref(node)} conditions[NetworkUnavailable].status=True`],
        must_not: ['network_policy_block', 'node_not_ready', 'cpu_saturated']
      }
    },
    APP
  ),

  shopCase(
    'network-agent',
    'the agent of the network plugin is not ready on its node',
    shop => {
      const pod = shop.pods[1]!
      const agent = agentOn(addAgents(shop, 'calico-node'), pod)
      shop.unready(agent, -400)
      shop.fails('host_unreachable', pod)
      return {
        root_cause: 'node_network_failure',
        must_cite: [`${ref(agent)} conditions[Ready].status=False`],
        must_not: ['network_policy_block', 'node_not_ready', 'stale_endpoints', 'readiness_failing']
      }
    },
    APP
  ),

  shopCase(
    'network-agent-looping',
    'cilium crashes on its node',
    shop => {
      const [pod] = shop.pods
      const agent = agentOn(addAgents(shop, 'cilium'), pod)
      shop.backsOff(agent, { reason: 'Error', exitCode: 1, startedAt: -90, at: -80, restarts: 14, unready: -3000 })
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'node_network_failure',
        must_cite: [ref(agent)],
        must_not: ['crash_loop', 'network_policy_block', 'node_not_ready']
      }
    },
    { ...APP, replicas: 3 }
  ),

  shopCase(
    'network-agent-other',
    'the agent of another node is not ready',
    shop => {
      const [pod, other] = shop.pods
      const agent = agentOn(addAgents(shop, 'calico-node'), other!)
      shop.unready(agent, -400)
      shop.fails('connect_timeout', pod)
      return { root_cause: 'undetermined', must_not: ['node_network_failure', `cite:${ref(agent)}`] }
    },
    APP
  ),

  shopCase(
    'network-of-lost-node',
    'the whole node is lost, its agent with it',
    shop => {
      const [pod] = shop.pods
      const agent = agentOn(addAgents(shop, 'kube-flannel'), pod)
      const node = shop.nodeTells(pod, 'Ready', 'Unknown', -9, SILENT, -50)
      shop.unready(agent, -8)
      shop.unready(pod, -8)
      shop.fails('connect_timeout', pod)
      return {
        root_cause: 'node_not_ready',
        must_cite: [`${ref(node)} conditions[Ready].status=Unknown`],
        must_not: ['network_policy_block', 'cpu_saturated']
      }
    },
    APP
  )
]
