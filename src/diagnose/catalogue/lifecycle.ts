/** The life of pods, their place in the cluster, and the nodes under them. */

import { aside } from '../told.ts'
import type { Entry } from './entry.ts'

const DESCRIBE = 'kubectl -n $NS describe pod $POD'
const SLICES = 'kubectl -n $NS get endpointslice -l kubernetes.io/service-name=$SVC -o yaml'
const NODE = 'kubectl describe node $NODE'

const REASONS: ReadonlyMap<string, string> = new Map([
  ['rollout', 'a rollout replaced it'],
  ['scale_in', 'the workload was scaled in'],
  ['drain', 'its node was drained'],
  ['manual', 'it was deleted']
])

export const LIFECYCLE_ENTRIES = {
  termination_race: {
    title: 'the request met a pod that was shutting down',
    meaning:
      'A pod gets SIGTERM and leaves the endpoints at the same moment, and nginx learns of the second only seconds later. A process that stops at once refuses or cuts the requests of those seconds.',
    severity: 'S2',
    advice: 'add a preStop sleep of 10-15 s',
    say: told =>
      `${told.pod} was shutting down${told.since} when the request came${aside(REASONS.get(told.diagnosis.variant ?? '') ?? null)}`,
    check: [
      'kubectl -n $NS get $WORKLOAD -o jsonpath=\'{range .spec.template.spec.containers[*]}{.name}{" "}{.lifecycle}{"\\n"}{end}\'',
      'kubectl -n $NS get events --sort-by=.lastTimestamp',
      'kubectl -n $NS rollout history $WORKLOAD'
    ],
    fix: [
      'lifecycle.preStop with a sleep of 10-15 s, so that the process goes on serving until nginx has left it',
      'Handle SIGTERM: finish what runs, then end',
      'terminationGracePeriodSeconds longer than the sleep plus the longest request; a PodDisruptionBudget'
    ]
  },
  grace_period_too_short: {
    title: 'a long request was cut by the end of the grace period',
    meaning:
      'The pod was asked to go, and a request still ran when its grace period was over. It was killed, and the connection broke.',
    severity: 'S2',
    advice: 'raise terminationGracePeriodSeconds above the longest request',
    say: told => {
      const seconds = told.value('spec.terminationGracePeriodSeconds') ?? told.value('deletionGracePeriodSeconds')
      return `${told.pod} was killed${told.at} in the middle of a request, when its grace period${seconds === null ? '' : ` of ${seconds} s`} was over`
    },
    check: [
      "kubectl -n $NS get $WORKLOAD -o jsonpath='{.spec.template.spec.terminationGracePeriodSeconds}'",
      'kubectl -n $NS get events --sort-by=.lastTimestamp'
    ],
    fix: [
      'Set terminationGracePeriodSeconds above the preStop sleep plus the longest request',
      'Cut long polls and streams into shorter ones'
    ]
  },
  rollout_gap: {
    title: 'the rollout left no pod',
    meaning:
      'The update strategy takes the old pods away before the new ones are Ready. Until the first of them was, the Service had no endpoint.',
    severity: 'S1',
    advice: 'RollingUpdate with maxUnavailable 0, and two replicas',
    say: told => {
      const strategy = told.value('spec.strategy.type')
      const unavailable = told.value('rollingUpdate.maxUnavailable')
      const why = strategy ?? (unavailable === null ? null : `maxUnavailable ${unavailable}`)
      return `the rollout of ${told.ref} took the old pods away before the new ones were Ready${aside(why)}`
    },
    check: [
      'kubectl -n $NS rollout status $WORKLOAD --timeout=5s',
      'kubectl -n $NS rollout history $WORKLOAD',
      'kubectl -n $NS get $WORKLOAD -o jsonpath={.spec.strategy}'
    ],
    fix: [
      'strategy RollingUpdate with maxUnavailable: 0 and maxSurge: 1',
      'At least two replicas, and a PodDisruptionBudget'
    ]
  },
  scaled_to_zero: {
    title: 'nobody runs it: zero replicas',
    meaning:
      'The workload behind the Service was scaled to zero, by hand or by an autoscaler, so that there is no pod to answer.',
    severity: 'S1',
    advice: 'scale it up',
    say: told => `${told.ref} was scaled to 0${told.at}${told.diagnosis.variant === 'keda' ? ' by KEDA' : ''}`,
    check: ['kubectl -n $NS get deployment,statefulset,hpa', 'kubectl -n $NS get events --sort-by=.lastTimestamp'],
    fix: [
      'Scale it up: kubectl scale --replicas=2',
      'minReplicas of 1 or more for what answers HTTP, or something in front that wakes it up'
    ]
  },
  autoscaler_limited: {
    title: 'the autoscaler could not add pods',
    meaning:
      'Demand asked for more pods than the autoscaler may make, or it could not read its metrics and made none. Those that were there were too slow.',
    severity: 'S2',
    advice: 'raise maxReplicas, or repair the metrics',
    say: told => {
      const maximum = told.value('spec.maxReplicas')
      if (told.cited('status.conditions.status', { key: 'ScalingLimited' }) !== null)
        return `autoscaler ${told.name} was at its maximum${maximum === null ? '' : ` of ${maximum} replicas`} and wanted more`
      return `autoscaler ${told.name} could not read its metrics${told.since}${aside(told.value('status.conditions.reason'))}`
    },
    check: [
      'kubectl -n $NS describe hpa $HPA',
      'kubectl -n $NS top pod',
      'kubectl get apiservice v1beta1.metrics.k8s.io'
    ],
    fix: [
      'Raise maxReplicas, when quota and nodes have room',
      'Set CPU requests: utilization is measured against them',
      'Repair metrics-server or the adapter when metrics cannot be read'
    ]
  },
  unschedulable: {
    title: 'no node has room for the pod',
    meaning:
      'The scheduler finds no node that fits: requests are larger than what is free, or taints, affinity or ports exclude all. The pod stays Pending.',
    severity: 'S1',
    advice: 'lower requests, loosen constraints, or add nodes',
    say: told => `no node fits ${told.pod}${aside(told.message)}`,
    check: [DESCRIBE, 'kubectl describe nodes', 'kubectl -n $NS get events --field-selector reason=FailedScheduling'],
    fix: [
      'Lower requests to what is really used',
      'Check nodeSelector, affinity, tolerations and topology constraints',
      'Add nodes, or let the node autoscaler do so'
    ]
  },
  pod_creation_blocked: {
    title: 'the API server refuses new pods',
    meaning:
      'The controller of the workload asks for pods, and the API server refuses: a quota is used up, a limit range or pod security standard forbids them, a webhook fails, or the service account is missing.',
    severity: 'S1',
    advice: 'read the refusal: quota, policy or webhook',
    say: told => `${told.ref} could make no pod${aside(told.message)}`,
    check: [
      'kubectl -n $REFNS describe $REF',
      'kubectl -n $NS describe quota',
      'kubectl -n $NS describe limitrange',
      'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'
    ],
    fix: [
      'Quota: raise it, or lower requests and limits',
      'Pod security: mend the securityContext of the template',
      'Webhook: repair its backend, or set failurePolicy for what may pass without it'
    ]
  },
  pod_evicted: {
    title: 'the pod was put off its node',
    meaning:
      'kubelet ended the pod because its node lacked memory or disk, a taint put it out, or the scheduler needed its place for a pod of higher priority.',
    severity: 'S1',
    advice: 'set requests to real use; more room on the nodes',
    say: told => {
      const why =
        told.value('status.message') ??
        told.value('status.conditions.reason', { key: 'DisruptionTarget' }) ??
        told.message
      return `${told.pod} was evicted${told.at}${aside(why)}`
    },
    check: [
      "kubectl -n $NS get pod $POD -o jsonpath='{.status.reason} {.status.message}'",
      NODE,
      'kubectl -n $NS get pods --field-selector=status.phase=Failed'
    ],
    fix: [
      'Requests that equal real use, and limits for ephemeral-storage',
      'A priorityClass for what must stay; more or larger nodes',
      'Delete the Failed pods that were left'
    ]
  },
  node_not_ready: {
    title: 'the node was lost',
    meaning:
      'The node of the pod stopped reporting, or its kubelet said that it is not Ready. Kubernetes notices after 40 s and more, and until then requests go to pods that nobody reaches.',
    severity: 'S1',
    advice: 'replace the node, spread replicas over nodes',
    say: told => {
      if (told.missing !== null) return `${told.node} was gone${told.since}`
      return `${told.node} was not Ready${told.since}${aside(told.value('status.conditions.reason', { key: 'Ready' }))}`
    },
    check: [
      NODE,
      'kubectl get pods -A -o wide --field-selector=spec.nodeName=$NODE',
      'kubectl get events -A --field-selector=involvedObject.kind=Node'
    ],
    fix: [
      'Replace or restart the node',
      'Spread replicas over nodes (topologySpreadConstraints)',
      'nginx.ingress.kubernetes.io/proxy-next-upstream and a lower proxy-connect-timeout fail over faster'
    ]
  },
  node_pressure: {
    title: 'the node was short of memory, disk or processes',
    meaning:
      'The node of the pod ran out of memory, disk or process ids. Everything on it becomes slow or fails before kubelet begins to evict.',
    severity: 'S2',
    advice: 'free the node, set requests to real use',
    say: told => {
      const pressure = told.citations.find(({ keys }) => keys[0]?.endsWith('Pressure'))?.keys[0]
      return `${told.node} was under pressure${told.since}${aside(pressure ?? null)}`
    },
    check: [NODE, 'kubectl top node $NODE', 'kubectl get pods -A -o wide --field-selector=spec.nodeName=$NODE'],
    fix: [
      'Free disk: logs, images, volumes',
      'Requests that equal real use, so that the scheduler does not overfill a node',
      'Larger nodes'
    ]
  },
  node_network_failure: {
    title: 'the pod network of the node was broken',
    meaning:
      'The agent that makes the pod network of the node was down, or the node says that its network is not set up. Pods there stay Ready for a while, and nobody reaches them from other nodes.',
    severity: 'S1',
    advice: 'restart the network agent of that node',
    say: told =>
      told.isOf('Pod')
        ? `${told.name}, which makes the pod network of its node, was not Ready${told.since}`
        : `the pod network of ${told.node} was not available${told.since}`,
    check: [
      'kubectl -n kube-system get pods -o wide --field-selector=spec.nodeName=$NODE',
      NODE,
      'kubectl -n $REFNS describe $REF'
    ],
    fix: [
      'Restart or repair the agent of the pod network there',
      'Check routes, MTU and security groups between the nodes'
    ]
  },
  volume_unavailable: {
    title: 'a volume could not be attached or bound',
    meaning:
      'The pod waits for storage: a claim that is not bound, a disk still attached to another node, or a server that does not answer. Its containers are not started.',
    severity: 'S1',
    advice: 'bind the claim, or release the stale attachment',
    say: told => `${told.pod} waits for a volume${aside(told.message)}`,
    check: [DESCRIBE, 'kubectl -n $NS get pvc', 'kubectl -n $NS describe pvc $PVC', 'kubectl get volumeattachment'],
    fix: [
      'Check the storage class and the CSI driver',
      'Release the attachment of a node that is gone',
      'Several nodes need ReadWriteMany'
    ]
  },
  pod_sandbox_failed: {
    title: 'the pod got no network',
    meaning:
      'The container runtime could not set up the sandbox of the pod: the network plugin had no address left, or did not answer. Containers start only afterwards.',
    severity: 'S1',
    advice: 'repair the network plugin; free pod addresses',
    say: told => `${told.pod} got no network on ${told.node}${aside(told.message)}`,
    check: [DESCRIBE, 'kubectl -n kube-system get pods -o wide --field-selector=spec.nodeName=$NODE', NODE],
    fix: [
      'Free or add pod addresses',
      'Repair the network plugin of the node',
      'Delete the pod once the cause is gone: it is made again'
    ]
  },
  stale_endpoints: {
    title: 'nginx used an address that was gone',
    meaning:
      'The request went to a pod that had left long before: the EndpointSlice still named it, or the controller had not taken the change over.',
    severity: 'S2',
    advice: "look at the controller's view of the API server",
    say: told => {
      const where =
        told.diagnosis.variant === 'slice_lag' ? 'an EndpointSlice still named it' : 'the controller had not noticed'
      const address = told.value('status.podIP')
      if (told.isOf('EndpointSlice')) return `${told.ref} named a pod as ready that was not`
      return `${told.pod} was gone${told.since}, and requests still went to its address${aside(address)}: ${where}`
    },
    check: [SLICES, 'kubectl -n $CTRLNS logs $CTRL --since=30m', 'kubectl get --raw /readyz'],
    fix: [
      "Check that the controller reaches the API server, and that it has CPU: 'dynamic reconfiguration failed' in its log",
      'Check kube-controller-manager, which writes EndpointSlices'
    ]
  }
} satisfies Record<string, Entry>
