/** Probes of containers as they are cited. */

import type { Container, Probe } from '../cluster/objects.ts'
import { type Fact, field } from './fact.ts'
import type { PodView } from './podView.ts'
import { probePort } from './servingContainer.ts'

const PROBES = ['readinessProbe', 'startupProbe', 'livenessProbe'] as const
const WAYS = ['httpGet', 'tcpSocket', 'grpc'] as const

export interface ProbePlace {
  probe: Probe
  /** `spec.containers[app].readinessProbe`. */
  path: string
  name: (typeof PROBES)[number]
}

export function probesOf(container: Container): ProbePlace[] {
  return PROBES.flatMap(name => {
    const probe = container[name]
    return probe === undefined ? [] : [{ probe, name, path: `spec.containers[${container.name}].${name}` }]
  })
}

/** The pod was Ready, so its readiness probe passed, on a port of which `isAsked` holds. null: none such. */
export function passingProbeFact(pod: PodView, container: Container, isAsked: (port: number) => boolean): Fact | null {
  const probe = container.readinessProbe
  const port = probePort(container, probe)
  if (probe === undefined || port === null || !isAsked(port) || pod.ready.status !== 'True') return null
  const way = WAYS.find(name => probe[name] !== undefined)
  if (way === undefined) return null
  const path = `spec.containers[${container.name}].readinessProbe.${way}.port`
  return field(pod.history, path, probe[way]!.port, `its readiness probe asked port ${port} and passed`)
}
