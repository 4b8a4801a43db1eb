/** What stands at the edge of a cluster: TLS Secrets, certificates, policies, classes, hosts outside, cluster DNS. */

import type { Shop } from './caseBuilder.ts'
import { certificatePem } from './certificateMaker.ts'
import { DAY } from './moment.ts'
import { metadata } from './objectMaker.ts'
import type { AnyObject, IngressObject, PodObject, ServiceObject, SliceObject, WorkloadObject } from './objectTypes.ts'
import { webContainer } from './podMaker.ts'

const PREFIX = 'nginx.ingress.kubernetes.io/'

/** `nginx.ingress.kubernetes.io/NAME`. */
export function annotation(name: string): string {
  return `${PREFIX}${name}`
}

/** Sets annotations of the controller, named without their prefix. */
export function annotate(ingress: IngressObject, settings: Record<string, string>): void {
  for (const [name, value] of Object.entries(settings)) ingress.metadata.annotations[annotation(name)] = value
}

export function controllerPod(shop: Shop): PodObject {
  const found = shop.objects.find(object => object.kind === 'Pod' && object.metadata.namespace === 'ingress-nginx')
  if (found === undefined) throw new Error(`case ${shop.id} has no controller`)
  return found as PodObject
}

/** Settings of the controller's ConfigMap. */
export function configure(shop: Shop, settings: Record<string, string>): void {
  const found = shop.objects.find(object => object.kind === 'ConfigMap') as
    | { data?: Record<string, string> }
    | undefined
  if (found?.data === undefined) throw new Error(`case ${shop.id} has no ConfigMap of the controller`)
  Object.assign(found.data, settings)
}

export const CONFIG = 'ConfigMap ingress-nginx/ingress-nginx-controller'

export interface SecretContent {
  /** Seconds from the failure. */
  notAfter: number
  names: string[]
}

type SecretObject = AnyObject & { type: string; data: Record<string, string> }

/** A TLS Secret; `content` a text: that stands in `tls.crt` instead of a certificate. */
export function addTlsSecret(
  shop: Shop,
  name: string,
  content: SecretContent | string,
  namespace = shop.namespace
): SecretObject {
  const made: SecretObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata('Secret', namespace, name, shop.at(-200 * DAY)),
    type: 'kubernetes.io/tls',
    data: {}
  }
  writeCertificate(shop, made, content)
  return shop.add(made)
}

/** Puts another certificate into a Secret. */
export function writeCertificate(shop: Shop, secret: SecretObject, content: SecretContent | string): void {
  const pem =
    typeof content === 'string'
      ? content
      : certificatePem({
          notBefore: shop.at(content.notAfter - 90 * DAY),
          notAfter: shop.at(content.notAfter),
          names: content.names
        })
  secret.data['tls.crt'] = Buffer.from(pem).toString('base64')
}

/** A Secret with one entry, of passwords or authorities. */
export function addSecret(shop: Shop, name: string, key: string, namespace = shop.namespace): AnyObject {
  return shop.add({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata('Secret', namespace, name, shop.at(-100 * DAY)),
    type: 'Opaque',
    data: { [key]: 'Ym9iOiRhcHIxJHh5eg==' }
  } as AnyObject)
}

/** cert-manager's Certificate for a Secret. */
export function addCertificate(shop: Shop, secretName: string, content: SecretContent, isReady = true): AnyObject {
  return shop.add({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: metadata('Certificate', shop.namespace, secretName, shop.at(-200 * DAY)),
    spec: { secretName, dnsNames: content.names },
    status: {
      notBefore: shop.at(content.notAfter - 90 * DAY),
      notAfter: shop.at(content.notAfter),
      conditions: [
        {
          type: 'Ready',
          status: isReady ? 'True' : 'False',
          reason: isReady ? 'Ready' : 'Expired',
          lastTransitionTime: shop.at(isReady ? -80 * DAY : Math.min(content.notAfter, 0))
        }
      ]
    }
  } as AnyObject)
}

/** @param created seconds from the failure */
export function addPolicy(
  shop: Shop,
  name: string,
  spec: object,
  options: { namespace?: string; created?: number } = {}
): AnyObject {
  const { namespace = shop.namespace, created = -5 * DAY } = options
  return shop.add({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata('NetworkPolicy', namespace, name, shop.at(created)),
    spec
  } as AnyObject)
}

/** The class that the controller takes becomes the default one. */
export function makeDefaultClass(shop: Shop): void {
  const found = shop.objects.find(object => object.kind === 'IngressClass')
  if (found === undefined) throw new Error(`case ${shop.id} has no IngressClass`)
  found.metadata.annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
}

/** A class that another controller takes. */
export function addForeignClass(shop: Shop, name: string, controller: string): AnyObject {
  return shop.add({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: metadata('IngressClass', null, name, shop.at(-90 * DAY)),
    spec: { controller }
  } as AnyObject)
}

/** The Service stands for a host name. */
export function becomesExternal(service: ServiceObject, externalName: string): void {
  const { spec } = service
  spec.type = 'ExternalName'
  spec.externalName = externalName
  delete spec.selector
  delete spec.clusterIP
  delete spec.clusterIPs
  delete spec.ipFamilies
}

export interface HandMadeSlice {
  address: string
  port?: number
  ready?: boolean
  isUnlabelled?: boolean
  target?: PodObject
}

/** A slice that somebody wrote for the shop's Service, which has no selector from then on. */
export function addHandMadeSlice(shop: Shop, input: HandMadeSlice): SliceObject {
  delete shop.service.spec.selector
  const { name } = shop.service.metadata
  const { target } = input
  return shop.add({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      ...metadata('EndpointSlice', shop.namespace, `${name}-manual`, shop.at(-30 * DAY)),
      labels: input.isUnlabelled === true ? { app: name } : { 'kubernetes.io/service-name': name }
    },
    addressType: 'IPv4',
    endpoints: [
      {
        addresses: [input.address],
        conditions: input.ready === undefined ? {} : { ready: input.ready },
        ...(target && {
          targetRef: {
            kind: 'Pod',
            namespace: target.metadata.namespace ?? '',
            name: target.metadata.name,
            uid: target.metadata.uid ?? ''
          }
        })
      }
    ],
    ports: [{ name: 'http', port: input.port ?? 8080, protocol: 'TCP' }]
  })
}

/** CoreDNS with two healthy pods. */
export function addClusterDns(shop: Shop): { workload: WorkloadObject; pods: [PodObject, PodObject] } {
  const container = webContainer('coredns', {
    ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }],
    readinessProbe: { httpGet: { path: '/ready', port: 8181, scheme: 'HTTP' }, periodSeconds: 10, failureThreshold: 3 }
  })
  const options = { namespace: 'kube-system', replicas: 2, containers: [container], labels: { 'k8s-app': 'kube-dns' } }
  const workload = shop.addWorkload('Deployment', 'coredns', options)
  const set = shop.addReplicaSet(workload, { replicas: 2 })
  return { workload, pods: [shop.addPod(set), shop.addPod(set)] }
}

/** A workload of another namespace behind a Service of its name. */
export function addForeignBackend(
  shop: Shop,
  name: string,
  namespace: string
): { workload: WorkloadObject; pod: PodObject; service: ServiceObject } {
  const containers = [webContainer(name)]
  const workload = shop.addWorkload('Deployment', name, { namespace, containers })
  const pod = shop.addPod(shop.addReplicaSet(workload))
  const made = shop.addService(name, { app: name })
  Object.assign(made.metadata, metadata('Service', namespace, name, shop.at(-60 * DAY)))
  return { workload, pod, service: made }
}

/** No pod of the shop is ready: each answers 503 to its readiness probe, from one period before until now. */
export function allSay503(shop: Shop, since = -300): void {
  for (const pod of shop.pods) {
    shop.unready(pod, since)
    const container = pod.status.containerStatuses[0]!.name
    const message = 'Readiness probe failed: HTTP probe failed with statuscode: 503'
    shop.addEvent(pod, 'Unhealthy', message, { first: since - 30, last: 8, container })
  }
}
