/** Ports of Services and containers as they are cited. */

import type { Container, Service, ServicePort } from '../cluster/objects.ts'
import { listOf } from './conditions.ts'
import type { Current } from './current.ts'
import { type Fact, field } from './fact.ts'
import type { PodView } from './podView.ts'

/** How many ports of one object are cited. */
const CITED = 5

/** `spec.ports[http]`; without a name the number is the key. */
export function servicePortPath({ name, port }: ServicePort): string {
  return `spec.ports[${name ?? port}]`
}

export function targetPortFact(service: Current<Service>, port: ServicePort): Fact {
  const { targetPort } = port
  const text =
    targetPort === undefined
      ? `the Service sends port ${port.port} to the same port of the pods`
      : `the Service sends port ${port.port} to ${targetPort} of the pods`
  const path = `${servicePortPath(port)}.${targetPort === undefined ? 'port' : 'targetPort'}`
  return field(service.history, path, targetPort ?? port.port, text)
}

/** What a Service offers: numbers and names, and where they lead. */
export function servicePortFacts(service: Current<Service>): Fact[] {
  const ports = listOf(service.object.spec?.ports)
  if (ports.length === 0) return [field(service.history, 'spec.ports', null, 'the Service has no port')]
  return ports.slice(0, CITED).flatMap(port => {
    const path = servicePortPath(port)
    const number = field(service.history, `${path}.port`, port.port, `the Service has port ${port.port}`)
    const named =
      port.name === undefined ? [] : [field(service.history, `${path}.name`, port.name, `it is called ${port.name}`)]
    return [number, ...named, targetPortFact(service, port)]
  })
}

/** What a container declares, by `containerPort` or by `name`. */
export function containerPortFacts(pod: PodView, container: Container, what: 'containerPort' | 'name'): Fact[] {
  const ports = listOf(container.ports)
  const path = `spec.containers[${container.name}].ports`
  if (ports.length === 0) return [field(pod.history, path, null, `container ${container.name} declares no port`)]
  return ports.slice(0, CITED).map(port => {
    const text = `container ${container.name} declares port ${port.containerPort}${port.name === undefined ? '' : ` (${port.name})`}`
    return field(pod.history, `${path}[${port.name ?? port.containerPort}].${what}`, port[what], text)
  })
}
