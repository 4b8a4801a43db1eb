/** What the controller itself decides: limits, access, routes; what clients do; and what nobody can tell. */

import { aside, shown } from '../told.ts'
import type { Entry } from './entry.ts'

const INGRESS = 'kubectl -n $NS get ingress $ING -o yaml'
const CONTROLLER_LOG = 'kubectl -n $CTRLNS logs $CTRL --since=30m'

const GATES: ReadonlyMap<string, string> = new Map([
  ['basic', 'user and password are asked for'],
  ['external', 'an external check refused it'],
  ['client_cert', 'a client certificate is asked for'],
  ['source_range', 'the address of the client is not admitted'],
  ['waf', 'the web application firewall refused it'],
  ['size', 'the body was too large'],
  ['malformed', 'the request was malformed']
])

export const EDGE_ENTRIES = {
  rate_limit_hit: {
    title: 'a configured limit was reached',
    meaning:
      'The Ingress limits requests or connections of a client, and this one was over the limit. nginx refuses it with 503 unless another status is configured, and the backend never sees it.',
    severity: 'S4',
    advice: 'raise the limit, allow the client, or answer 429',
    say: told => {
      const limit = told.annotated
      return `a client was over the limit of ${told.ingress}${aside(limit === null ? null : `${limit.name} ${limit.value ?? ''}`.trim())}`
    },
    check: [INGRESS, CONTROLLER_LOG],
    fix: [
      'Raise the limit or limit-burst-multiplier; limits count for each replica of the controller',
      'Except known clients with limit-whitelist',
      'limit-req-status-code: "429" in the ConfigMap tells clients what it was'
    ]
  },
  auth_backend_failing: {
    title: 'the external check cannot answer',
    meaning:
      'The Ingress asks another service whether a request may pass, and that service failed or was not there. nginx then answers 500, whatever the backend would have said.',
    severity: 'S1',
    advice: 'repair the auth service',
    say: told => {
      const url = told.annotation('auth-url') ?? told.value('data.global-auth-url')
      return `the service that ${told.isOf('Ingress') ? told.ref : told.ingress} asks for authentication did not answer${aside(url)}`
    },
    check: [INGRESS, 'kubectl -n $REFNS get pods -o wide', 'kubectl -n $REFNS get endpointslice', CONTROLLER_LOG],
    fix: ['Repair the auth service, its name in DNS, or the policy that keeps the controller out']
  },
  request_denied: {
    title: 'the request was refused on purpose',
    meaning:
      'The configuration says that such a request is refused: credentials, address, firewall rule, or size of the body. Nothing is broken.',
    severity: 'S4',
    advice: 'check credentials, ranges, rules and sizes',
    say: told => {
      const set = told.annotated
      const why = GATES.get(told.diagnosis.variant ?? '') ?? (set === null ? null : set.name)
      return `${told.ingress} refused the request${aside(why)}`
    },
    check: [INGRESS, CONTROLLER_LOG],
    fix: [
      'Correct the credentials, the range of addresses, or the rule of the firewall',
      'For bodies: nginx.ingress.kubernetes.io/proxy-body-size'
    ]
  },
  ingress_annotation_denied: {
    title: 'a bad annotation disables the location',
    meaning:
      'An annotation of the Ingress cannot be used: it names an object that is missing or of another namespace, or its value is not allowed. The controller then answers 503 for the location rather than leave it open.',
    severity: 'S1',
    advice: 'correct the annotation, or create what it names',
    say: told => {
      const set = told.annotated
      return `an annotation of ${told.ingress} cannot be used${aside(set === null ? told.message : `${set.name} ${set.value ?? ''}`.trim())}`
    },
    check: ['kubectl -n $NS describe ingress $ING', CONTROLLER_LOG],
    fix: ['Create the object that it names in the namespace of the Ingress, or correct the value']
  },
  controller_resources: {
    title: 'the controller itself ran out of something',
    meaning:
      'The ingress controller had no connections, files, memory or CPU left, or had just been restarted for lack of them. Every site behind it suffers.',
    severity: 'S1',
    advice: 'give the controller more memory, CPU or replicas',
    say: told => {
      const reason = told.value('terminated.reason')
      const usage = told.value('usage.memory') ?? told.value('usage.cpu')
      const name = told.isOf('Pod') ? told.name : 'the ingress controller'
      if (reason !== null) return `${name}, an ingress controller, ended${told.at}${aside(reason)}`
      return `${name}, an ingress controller, ran out of resources${aside(usage, 'it used ')}`
    },
    check: ['kubectl -n $CTRLNS top pod', 'kubectl -n $CTRLNS describe $CTRL', CONTROLLER_LOG],
    fix: [
      'Raise limits, or run more replicas with a HorizontalPodAutoscaler',
      'max-worker-connections and worker-processes in the ConfigMap'
    ]
  },
  controller_config_error: {
    title: 'the configuration of the controller is broken',
    meaning:
      'A snippet, a rewrite or a Lua plugin fails, or nginx could not reload its configuration, so that requests are answered by what was there before, or by an error.',
    severity: 'S1',
    advice: 'remove the snippet or rewrite that fails',
    say: told =>
      `the configuration that ${told.isOf('Pod') ? 'the controller' : told.ref} asks for fails${aside(told.message ?? told.annotated?.name ?? null)}`,
    check: [CONTROLLER_LOG, INGRESS, 'kubectl get validatingwebhookconfigurations'],
    fix: [
      'Remove the snippet, rewrite or plugin that fails',
      'Keep the admission webhook on: it refuses what nginx cannot load'
    ]
  },
  ingress_rule_mismatch: {
    title: 'no rule for that host and path',
    meaning:
      'No Ingress of the class of the controller has a rule for the host and path of the request, so the default backend answered.',
    severity: 'S3',
    advice: 'correct host or path of the rule',
    say: told => `no Ingress has a rule for that host and path; the nearest is ${told.ref}`,
    check: ['kubectl get ingress -A', INGRESS],
    fix: ['Correct host, path or pathType of the rule', 'Check rewrite-target when the path is rewritten']
  },
  ingress_class_mismatch: {
    title: 'the Ingress belongs to another class',
    meaning:
      'An Ingress has a rule for the request, and its class is not that of the controller, or it has none and no class is the default. The controller ignores it.',
    severity: 'S3',
    advice: 'set spec.ingressClassName to the class of the controller',
    say: told =>
      `${told.ref} has a rule for the request, and its class ${told.value('ingressClassName') ?? '(none)'} is not that of the controller`,
    check: [INGRESS, 'kubectl get ingressclass', 'kubectl -n $CTRLNS describe $CTRL'],
    fix: ['Set spec.ingressClassName to the class of the controller', 'Or mark one IngressClass as the default']
  },
  default_backend_unhealthy: {
    title: 'the default backend did not answer',
    meaning:
      'The request went to the default backend or to the backend of error pages, and that one was down. What was wrong with it stands in the chain.',
    severity: 'S3',
    advice: 'repair the default backend, or drop custom-http-errors',
    say: told => {
      const service = told.value('defaultBackend.service.name') ?? told.annotation('default-backend')
      return `the default backend${service === null ? '' : ` ${service}`} did not answer`
    },
    check: ['kubectl -n $NS get pods -o wide', 'kubectl -n $NS describe pod $POD', INGRESS],
    fix: ['Repair what the chain names', 'Or take custom-http-errors and the default-backend annotation away']
  },
  client_abort: {
    title: 'the client left first',
    meaning:
      'The client closed the connection before the answer came, and nothing was wrong with the pod. A client timeout, a closed tab, or a health check that does not wait.',
    severity: 'S4',
    advice: 'compare the timeout of the client with the latency',
    say: told => `the client left before ${told.pod} had answered`,
    check: [CONTROLLER_LOG, 'kubectl -n $NS get pod $POD -o wide'],
    fix: [
      'Give the client a longer timeout, or answer sooner',
      'Group 499 by agent and duration: round durations are timeouts of clients'
    ]
  },
  undetermined: {
    title: 'nothing that was known decides it',
    meaning:
      'No root cause holds with enough confidence: what was known of the cluster at that moment fits none, or was missing. What would decide it is listed with the diagnosis.',
    severity: 'S2',
    advice: 'look at what would decide it',
    say: told => {
      const { wouldDecide } = told.diagnosis
      const [first] = wouldDecide
      return `nothing known decides it${first === undefined ? '' : `; what would: ${shown(first)}`}`
    },
    check: [
      'kubectl -n $NS logs $POD -c $CTR --since=1h --timestamps',
      'kubectl -n $NS describe pod $POD',
      'kubectl -n $NS get events --sort-by=.lastTimestamp'
    ],
    fix: ['Record the cluster while it runs (why5xx run with kubernetes.api), so that the next one is known']
  }
} satisfies Record<string, Entry>
