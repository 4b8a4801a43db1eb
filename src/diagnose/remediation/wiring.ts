/** Remedies for what leads from an Ingress to the pods. */

import { type Citation, objectOf } from '../citation.ts'
import { listOf } from '../conditions.ts'
import { change, changed, type Json, kubectl, type Named, patch, show } from './kubectl.ts'
import { manual, type Remediation } from './remedy.ts'
import { restart } from './rollout.ts'
import { annotate } from './serving.ts'
import type { Target } from './target.ts'

const DNS_LABEL = 'k8s-app'
const DNS_APP = 'kube-dns'
const DNS_NAMESPACE = 'kube-system'
const SELECTOR = 'spec.selector'
const TEMPLATE_LABELS = 'spec.template.metadata.labels'

export function alignSelector(target: Target): Remediation {
  const { object, told } = target
  const selected = told.citations.filter(({ kind, fields }) => kind === 'Service' && fields.startsWith(SELECTOR))
  const near = told.citations.filter(({ fields }) => fields.startsWith(TEMPLATE_LABELS))
  const [pair, template] = [selected[0], near[0]]
  const why = 'the selector differs from every workload in more than one pair: decide which of them is meant'
  if (object?.kind !== 'Service' || pair === undefined || template === undefined || selected.length + near.length !== 2)
    return target.manual(why)
  const name = keyAfter(pair, SELECTOR)
  if (template.value === null || name === '' || keyAfter(template, TEMPLATE_LABELS) !== name) return target.manual(why)
  return change(
    object,
    `${SELECTOR}${name.includes('.') ? `[${name}]` : `.${name}`}`,
    [pair.value, template.value],
    value => ({ spec: { selector: { [name]: value } } }),
    'merge',
    `the Service then selects the pods of ${objectOf(template)}: make sure that they are the ones meant`
  )
}

/** The key of a map at the end of a path: `.app`, or `[app.kubernetes.io/name]` in brackets. */
function keyAfter({ fields, keys }: Citation, path: string): string {
  return fields === path ? (keys.at(-1) ?? '') : fields.slice(path.length + 1)
}

export function alignTargetPort(target: Target): Remediation {
  const { object, told } = target
  const cited = told.cited('spec.ports.targetPort', { kind: 'Service' })
  const opened = new Set(
    told.citations.filter(({ fields }) => fields === 'spec.containers.ports.containerPort').map(({ value }) => value)
  )
  const to = Number([...opened][0] ?? Number.NaN)
  if (object?.kind !== 'Service' || opened.size !== 1 || !Number.isSafeInteger(to))
    return target.manual('the container opens several ports: decide which of them is meant')
  const key = cited?.keys[0] ?? ''
  const ports = listOf(target.seen('Service', object)?.spec?.ports)
  const [port, ...others] = ports.filter(({ name, port: number }) => (name ?? String(number)) === key)
  if (port === undefined || others.length > 0 || ports.filter(other => other.port === port.port).length > 1)
    return target.unknown(
      'which port of the Service that is, is not known: look at them, then set targetPort',
      show(object, 'spec.ports')
    )
  // A strategic merge finds the port by its number.
  return change(object, `spec.ports[${key}].targetPort`, [port.targetPort ?? port.port, to], targetPort => ({
    spec: { ports: [{ port: port.port, targetPort }] }
  }))
}

export function alignIngressPort(target: Target): Remediation {
  const { ingress, service, told } = target
  const only = service === null ? [] : listOf(target.seen('Service', service)?.spec?.ports)
  const spec = ingress === null ? undefined : target.seen('Ingress', ingress)?.spec
  const why = 'which of the ports of the Service is meant must be decided'
  if (ingress === null || service === null || spec === undefined || only.length !== 1) return target.manual(why)
  const asked = told.cited('service.port.number')?.value ?? told.cited('service.port.name')?.value ?? null
  const to = { number: only[0]!.port }
  const operations: { [key: string]: Json }[] = []
  const back: { [key: string]: Json }[] = []
  const diff: Remediation['diff'] = []
  const add = (backend: Backend, path: string): void => {
    const port = backend?.service?.port
    if (backend?.service?.name !== service.name || port === undefined) return
    if (asked !== null && String(port.number ?? port.name) !== asked) return
    // As it was seen, or nothing is changed: the rules may have moved since.
    const { service: seen } = backend
    operations.push(
      { op: 'test', path: `${path}/service`, value: { name: seen.name, port: { ...port } } },
      { op: 'replace', path: `${path}/service/port`, value: to }
    )
    back.push(
      { op: 'test', path: `${path}/service`, value: { name: seen.name, port: to } },
      { op: 'replace', path: `${path}/service/port`, value: { ...port } }
    )
    diff.push(changed(ingress, `${path.slice(1).replaceAll('/', '.')}.service.port`, { ...port }, to))
  }
  add(spec.defaultBackend, '/spec/defaultBackend')
  // Places in the lists as they stand, gaps counted.
  for (const [i, rule] of (spec.rules ?? []).entries())
    for (const [j, path] of (rule?.http?.paths ?? []).entries())
      add(path?.backend, `/spec/rules/${i}/http/paths/${j}/backend`)
  if (operations.length === 0) return target.manual(why)
  return {
    commands: [patch(ingress, 'json', operations)],
    diff,
    undo: [patch(ingress, 'json', back)],
    manifest: null,
    note: null,
    isAutomatic: true
  }
}

type Backend = { service?: { name: string; port?: { number?: number; name?: string } } } | undefined

export function restartDns(target: Target): Remediation {
  const { state } = target
  for (const { name, versions, deletedMs } of state?.all('Deployment', DNS_NAMESPACE) ?? []) {
    const { metadata, spec } = versions.at(-1)!.object
    const isDns = [metadata.labels, spec?.template?.metadata?.labels].some(labels => labels?.[DNS_LABEL] === DNS_APP)
    if (deletedMs === null && isDns)
      return restart(
        target,
        { kind: 'Deployment', namespace: DNS_NAMESPACE, name },
        'a restart helps a CoreDNS that hangs; look at its log and its memory limit first'
      )
  }
  const list = `kubectl -n ${DNS_NAMESPACE} get deployments -l ${DNS_LABEL}=${DNS_APP}`
  return target.unknown('which Deployment runs CoreDNS is not known: look, then restart it', list)
}

/** Never applied by a patch: a policy that is read wrongly opens more than it should. */
export function policyManifest(target: Target): Remediation {
  const { object, told, diagnosis } = target
  const { names } = diagnosis
  const look = target.manual('a policy is reviewed by people, and never changed by a program')
  if (object?.kind !== 'NetworkPolicy' || told.cited('spec.egress') !== null) return look
  const selector = target.seen('NetworkPolicy', object)?.spec?.podSelector ?? citedSelector(told.citations)
  const port = Number(told.cited('spec.containers.ports.containerPort')?.value ?? Number.NaN)
  if (selector === null || names.controllerNamespace === null)
    return manual(
      look.commands,
      'which pods the policy selects, or where the controller runs, is not known: admit its namespace there'
    )
  const manifest = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'allow-ingress-nginx', namespace: object.namespace },
    spec: {
      podSelector: selector,
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': names.controllerNamespace } } }],
          ...(Number.isSafeInteger(port) ? { ports: [{ protocol: 'TCP', port }] } : {})
        }
      ]
    }
  }
  const created: Named = { kind: 'NetworkPolicy', namespace: object.namespace, name: manifest.metadata.name }
  return {
    ...manual(
      look.commands,
      'review the policy below, then apply it with kubectl apply -f; policies of network vendors are not looked at',
      JSON.stringify(manifest, null, 2)
    ),
    undo: [kubectl(created, 'delete', '--dry-run=server')]
  }
}

/** `spec.podSelector.matchLabels.app=audit`; null: nothing is cited. */
function citedSelector(citations: readonly Citation[]): { matchLabels: Record<string, string> } | null {
  const path = 'spec.podSelector.matchLabels'
  const pairs = citations
    .filter(({ fields, value }) => fields.startsWith(path) && value !== null)
    .map(citation => [keyAfter(citation, path), citation.value!] as const)
  return pairs.length === 0 ? null : { matchLabels: Object.fromEntries(pairs) }
}

export function speakAsBackend(target: Target): Remediation {
  const { ingress } = target
  const from = target.annotation('backend-protocol')
  const to = protocolOf(target, (from ?? 'HTTP').trim().toUpperCase())
  if (ingress === null || from === undefined || to === null)
    return target.manual('what the backend speaks is not clear: try it, then set backend-protocol')
  return annotate(ingress, 'backend-protocol', [from, to], 'it holds for all paths of that Ingress')
}

/** What the backend speaks, by what was cited; null: nothing tells. */
function protocolOf({ told, diagnosis }: Target, spoken: string): string | null {
  const scheme = told.cited('httpGet.scheme')?.value
  const hint = [
    told.cited('appProtocol')?.value,
    told.cited('spec.ports.name')?.value,
    told.cited('containers.ports.name')?.value
  ]
    .filter(text => text !== null && text !== undefined)
    .join(' ')
    .toLowerCase()
  const isPlain = diagnosis.evidence.some(({ text }) => /with plain text|with HTTP\/1$/.test(text))
  const isGrpc = /grpc|h2c/.test(hint) || told.cited('grpc.port') !== null
  const isTls = !isPlain && (scheme === 'HTTPS' || /https|grpcs/.test(hint))
  const to = isGrpc ? (isTls ? 'GRPCS' : 'GRPC') : isTls ? 'HTTPS' : isPlain || scheme === 'HTTP' ? 'HTTP' : null
  return to === spoken ? null : to
}
