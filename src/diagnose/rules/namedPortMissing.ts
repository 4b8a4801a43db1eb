import { listOf } from '../conditions.ts'
import { current } from '../current.ts'
import { field, nameOf } from '../fact.ts'
import { containerPortFacts, targetPortFact } from '../ports.ts'
import type { Rule } from '../rule.ts'

const CITED_PODS = 4

/** The Service leads to a port by a name that no container of its ready pods has. */
export const namedPortMissing: Rule = {
  cause: 'named_port_missing',
  judge(scene) {
    const { service, servicePort, targetPortRef, moment, state } = scene
    if (service === null || servicePort === null || typeof targetPortRef !== 'string') return null
    // The file format allows a number as text; the API does not.
    if (/^\d+$/.test(targetPortRef)) return null
    const ready = scene.pods.filter(pod => !pod.isOut)
    if (ready.length === 0) return null
    const declaring = ready.find(pod =>
      pod.containers.some(({ ports }) => listOf(ports).some(({ name }) => name === targetPortRef))
    )
    if (declaring !== undefined) return { because: `${declaring.ref} declares a port called ${targetPortRef}` }
    const { namespace, name } = service.history
    const slices = state
      .slicesOf(namespace, name)
      .map(history => current(history, moment))
      .filter(slice => slice !== null)
    const portless = slices.filter(({ object }) => listOf(object.ports).length === 0)
    return {
      tier: 'A',
      ref: nameOf(service.history),
      atMs: null,
      needs: [
        targetPortFact(service, servicePort),
        ...ready
          .slice(0, CITED_PODS)
          .flatMap(pod => [
            ...pod.containers.flatMap(container => containerPortFacts(pod, container, 'name')),
            field(pod.history, 'status.conditions[Ready].status', 'True', 'the pod was Ready', pod.ready.sinceMs)
          ])
      ],
      supports: portless.map(({ history }) =>
        field(history, 'ports', null, 'the EndpointSlice has endpoints and no port for them')
      ),
      isInferred: ready[0]!.ready.isInferred
    }
  }
}
