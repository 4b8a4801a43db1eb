/** What leads from an Ingress over a Service to its pods, names, and the network between. */

import { aside, shown, type Told } from '../told.ts'
import type { Entry } from './entry.ts'

const SERVICE = 'kubectl -n $NS get service $SVC -o yaml'
const INGRESS = 'kubectl -n $NS get ingress $ING -o yaml'
const SLICES = 'kubectl -n $NS get endpointslice -l kubernetes.io/service-name=$SVC -o yaml'
const PORTS = 'kubectl -n $NS get pod $POD -o jsonpath=\'{range .spec.containers[*]}{.name}{" "}{.ports}{"\\n"}{end}\''

export const WIRING_ENTRIES = {
  selector_mismatch: {
    title: 'the Service selects no pod',
    meaning:
      'The selector of the Service fits no pod and no template of a workload in its namespace, though pods are there. Usually a label was renamed on one side.',
    severity: 'S1',
    advice: 'align the selector with the labels of the pods',
    say: told => {
      const selected = told.cited('spec.selector', { kind: 'Service' }) ?? labelled(told, 'spec.selector.')
      if (selected === null) return `${told.ref} selects no pod`
      const name = labelName(selected, 'spec.selector.')
      const near = told.citations.find(
        citation => labelName(citation, 'metadata.labels.') === name && /(?:^|\.)metadata\.labels/.test(citation.fields)
      )
      const selects = `${told.ref} selects ${pair(name, selected.value)}`
      if (near === undefined) return `${selects}, and no pod has that`
      return near.value === null
        ? `${selects}, but the pods have no label ${shown(name)}`
        : `${selects}, but the pods are labelled ${pair(name, near.value)}`
    },
    check: ['kubectl -n $NS get service $SVC -o jsonpath={.spec.selector}', 'kubectl -n $NS get pods --show-labels'],
    fix: ['Make spec.selector of the Service equal to labels that the pod template sets']
  },
  target_port_mismatch: {
    title: 'the Service leads to a port that the container does not open',
    meaning:
      'targetPort of the Service is a number that the container does not declare, and it declares others. nginx connects to where nobody listens.',
    severity: 'S1',
    advice: 'set targetPort to the port of the container',
    say: told => {
      const target = told.value('targetPort') ?? told.value('spec.ports.port')
      const opened = [
        ...new Set(
          told.citations
            .filter(({ fields }) => fields === 'spec.containers.ports.containerPort')
            .map(({ value }) => value)
        )
      ]
      const but =
        opened.length === 0 ? '' : `, but the container opens ${opened.map(port => shown(port ?? '')).join(', ')}`
      return `${told.ref} sends requests to port ${target ?? 'of the pods'}${but}`
    },
    check: [SERVICE, PORTS, 'kubectl -n $NS exec $POD -c $CTR -- ss -ltn'],
    fix: ['Set spec.ports[].targetPort to the containerPort; better to its name, which moves with it']
  },
  named_port_missing: {
    title: 'no container has a port of that name',
    meaning:
      'targetPort of the Service is a name, and no container of the pods declares a port of that name. The EndpointSlice then has addresses and no port, and nginx no endpoint.',
    severity: 'S1',
    advice: 'name the container port, or use its number',
    say: told =>
      `${told.ref} leads to port ${told.value('targetPort') ?? 'name'}, and no container declares a port of that name`,
    check: [SLICES, PORTS],
    fix: ['Give the containerPort that name in the pod template', 'Or write the number as targetPort']
  },
  ingress_service_missing: {
    title: 'the Service that the Ingress names does not exist',
    meaning:
      'The Ingress sends requests to a Service that is not in its namespace. A Service of that name elsewhere does not count: an Ingress reaches only its own namespace.',
    severity: 'S1',
    advice: 'correct the name, or create the Service',
    say: told => {
      const { missing } = told
      const service = missing === null ? told.service : `Service ${missing.namespace}/${missing.name}`
      return `${told.ingress} sends requests to ${service}, which is not there`
    },
    check: [INGRESS, 'kubectl -n $NS get services'],
    fix: [
      'Correct backend.service.name, or create the Service',
      'For a Service of another namespace: move the Ingress there, or put an ExternalName Service beside it'
    ]
  },
  ingress_port_missing: {
    title: 'the Service has no port as the Ingress asks for',
    meaning:
      'The Ingress asks for a port of the Service that is none of its ports, by number, by name, or by targetPort.',
    severity: 'S1',
    advice: 'correct backend.service.port',
    say: told => {
      const asked = told.value('service.port.number') ?? told.value('service.port.name')
      const offered = told.value('spec.ports.port', { kind: 'Service' })
      return `${told.ingress} asks for port ${asked ?? 'none of those'} of a Service that has ${offered === null ? 'none such' : offered}`
    },
    check: [INGRESS, SERVICE],
    fix: ['Set backend.service.port to a number or name that the Service has']
  },
  selectorless_endpoints: {
    title: 'a Service without selector has no endpoints',
    meaning:
      'The Service selects no pods, so its endpoints are made by hand, and there is none that it can use: the EndpointSlice is missing, not labelled with its name, or has no ready address.',
    severity: 'S1',
    advice: 'label or create the EndpointSlice, or add a selector',
    say: told => `${told.ref} selects no pods, and no EndpointSlice with a usable address belongs to it`,
    check: ['kubectl -n $NS get endpointslice --show-labels', SERVICE],
    fix: [
      'Add a selector when pods of this namespace should answer',
      'Else label the EndpointSlice kubernetes.io/service-name, with an address and a port'
    ]
  },
  external_name_unresolvable: {
    title: 'the name outside cannot be resolved',
    meaning:
      'The Service is a name for something else, and that name has no address: it is misspelt, was removed, or is a Service of the cluster that is not there.',
    severity: 'S1',
    advice: 'correct spec.externalName',
    say: told => `${told.ref} stands for ${told.value('externalName') ?? 'a name'}, which has no address`,
    check: [SERVICE, 'kubectl run why5xx-dns --rm -it --image=busybox --restart=Never -- nslookup $NAME'],
    fix: ['Correct spec.externalName', 'Check --disable-svc-external-name of the controller']
  },
  cluster_dns_failure: {
    title: 'the DNS of the cluster did not answer',
    meaning:
      'CoreDNS had no pod that was Ready, or did not answer, so that names could be resolved nowhere in the cluster.',
    severity: 'S1',
    advice: 'repair CoreDNS',
    say: told =>
      `the DNS of the cluster did not answer${told.at}${aside(told.isOf('Pod') ? `${told.name} was not Ready` : null)}`,
    check: [
      'kubectl -n kube-system get pods -l k8s-app=kube-dns -o wide',
      'kubectl -n kube-system logs -l k8s-app=kube-dns --tail=100',
      'kubectl -n kube-system get configmap coredns -o yaml'
    ],
    fix: [
      'Mend the Corefile',
      'Raise the memory limit and the number of replicas',
      'NodeLocal DNSCache takes load away'
    ]
  },
  external_backend_down: {
    title: 'a backend outside of the cluster does not answer',
    meaning:
      'The address that refused or stayed silent belongs to no pod: it comes from an ExternalName or from an EndpointSlice made by hand. What is wrong lies outside: the service there, a firewall, a VPN.',
    severity: 'S1',
    advice: 'look at the remote side and the way there',
    say: told => {
      const address = told.value('externalName') ?? told.value('endpoints.addresses')
      return `${address ?? 'an address outside of the cluster'}, which ${told.ref} stands for, did not answer`
    },
    check: [
      SERVICE,
      SLICES,
      'kubectl run why5xx-nc --rm -it --image=busybox --restart=Never -- nc -zv -w3 $ADDRESS $PORT'
    ],
    fix: [
      'Repair the remote side',
      'Open the firewall for the nodes of the controller',
      'Correct the address of the EndpointSlice'
    ]
  },
  network_policy_block: {
    title: 'a network policy keeps the controller out',
    meaning:
      'A NetworkPolicy selects the pod and admits others only, so packets of the ingress controller are dropped. Policies of network vendors are not looked at here.',
    severity: 'S1',
    advice: 'admit the namespace of the controller',
    say: told => `${told.ref} keeps ingress-nginx from ${podCited(told)}`,
    check: [
      'kubectl -n $NS get networkpolicy -o yaml',
      'kubectl get namespace $CTRLNS --show-labels',
      'kubectl -n $NS get pod $POD --show-labels'
    ],
    fix: [
      'Add an ingress rule with namespaceSelector kubernetes.io/metadata.name of the controller, and the port of the pod',
      'A controller in the network of its node is admitted by an ipBlock only'
    ]
  },
  lb_health_check_path: {
    title: "the load balancer's health check fails",
    meaning:
      'The load balancer of the cloud asks "/" when the container has no httpGet readiness probe to learn another path from, and gets no 200. It calls the backend unhealthy, whatever the pods say.',
    severity: 'S1',
    advice: 'give the container a readinessProbe.httpGet',
    say: told => `the load balancer in front of ${told.ref} asks for "/" and does not get 200`,
    check: [INGRESS, 'kubectl -n $NS port-forward $POD 8000:$PORT', 'curl -i http://localhost:8000/'],
    fix: [
      'Add readinessProbe.httpGet on the serving port, or a BackendConfig with healthCheck.requestPath',
      'A check that was made before keeps its path: recreate the backend'
    ]
  }
} satisfies Record<string, Entry>

function podCited(told: Told): string {
  const pod = told.citations.find(({ kind }) => kind === 'Pod')
  return pod === undefined ? told.pod : shown(pod.namespace === '' ? pod.name : `${pod.namespace}/${pod.name}`)
}

/** Keys without a dot are part of the path, those with one stand in brackets. */
function labelled(told: Told, before: string) {
  return told.citations.find(({ fields }) => fields.includes(before)) ?? null
}

function labelName({ fields, keys }: { fields: string; keys: readonly string[] }, before: string): string {
  const at = fields.indexOf(before)
  return at === -1 ? (keys.at(-1) ?? '') : fields.slice(at + before.length)
}

function pair(name: string, value: string | null): string {
  return shown(`${name}=${value ?? ''}`)
}
