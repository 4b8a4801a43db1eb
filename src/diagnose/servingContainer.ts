/** Which container of a pod answers on a port. */

import type { Container, Pod, Probe } from '../cluster/objects.ts'
import { listOf } from './conditions.ts'

const SIDECAR = /^(istio-proxy|linkerd-proxy|envoy|.*-exporter|.*-shipper|fluent.*)$/

/** The one that declares the port; else one with a probe on it; else the only one; else the first that is no sidecar. */
export function servingContainer(pod: Pod, port: number | null): Container | null {
  const containers = listOf(pod.spec?.containers)
  return (
    containers.find(item => port !== null && declaresPort(item, port)) ??
    containers.find(item => port !== null && probePorts(item).includes(port)) ??
    (containers.length === 1 ? containers[0]! : null) ??
    containers.find(({ name }) => !SIDECAR.test(name)) ??
    containers[0] ??
    null
  )
}

export function declaresPort(container: Container, port: number): boolean {
  return listOf(container.ports).some(item => item.containerPort === port)
}

/** Ports that probes of a container ask, names resolved. */
export function probePorts(container: Container): number[] {
  const { readinessProbe, livenessProbe, startupProbe } = container
  return [readinessProbe, livenessProbe, startupProbe]
    .map(probe => probePort(container, probe))
    .filter(port => port !== null)
}

/** null: no probe, one that runs a command, or a name that no port has. */
export function probePort(container: Container, probe: Probe | undefined): number | null {
  const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port
  if (typeof port === 'number') return port
  if (port === undefined) return null
  const named = listOf(container.ports).find(item => item.name === port)?.containerPort
  const number = Number(port)
  return named ?? (Number.isInteger(number) ? number : null)
}
