import type { EndpointSlice } from '../../cluster/objects.ts'
import { listOf } from '../conditions.ts'
import type { Current } from '../current.ts'
import { absent, type Fact, field, nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'

const LABEL = 'kubernetes.io/service-name'
const CITED = 3

/** A Service without selector gets its endpoints by hand, and no EndpointSlice labelled with it has a ready one. */
export const selectorlessEndpoints: Rule = {
  cause: 'selectorless_endpoints',
  judge(scene) {
    const { service } = scene
    if (service === null) return null
    const { type, selector } = service.object.spec ?? {}
    if (type === 'ExternalName' || Object.keys(selector ?? {}).length > 0) return null
    const { namespace, name } = service.history
    const slices = scene.all('EndpointSlice', namespace)
    const labelled = slices.filter(({ object }) => labelOf(object) === name)
    const usable = labelled.find(isUsable)
    if (usable !== undefined) return { because: `${nameOf(usable.history)} had a ready address` }
    const near = slices.filter(({ object, history }) => labelOf(object) !== name && isNear(history.name, name))
    return {
      tier: 'A',
      ref: nameOf(service.history),
      atMs: null,
      needs: [
        field(service.history, 'spec.selector', null, 'the Service selects no pods: its endpoints are made by hand'),
        ...(labelled.length > 0
          ? labelled.slice(0, CITED).flatMap(unusable)
          : [absent('EndpointSlice', namespace, name, `no EndpointSlice is labelled ${LABEL}=${name}`)]),
        ...near.slice(0, CITED).map(({ history, object }) => {
          const label = labelOf(object)
          const text = `it looks like the one that was meant, and its label ${LABEL} is ${label ?? 'absent'}`
          return field(history, `metadata.labels[${LABEL}]`, label, text)
        })
      ],
      isUnobserved: !scene.isObservable('EndpointSlice', namespace) || scene.isInGap('EndpointSlice')
    }
  }
}

function labelOf({ metadata }: EndpointSlice): string | null {
  const { labels } = metadata
  return labels && Object.hasOwn(labels, LABEL) ? labels[LABEL]! : null
}

function isNear(slice: string, service: string): boolean {
  return slice === service || slice.startsWith(`${service}-`)
}

/** The controller takes addresses that are ready or do not say, and needs a port for them. */
function isUsable({ object }: Current<EndpointSlice>): boolean {
  const isReady = listOf(object.endpoints).some(
    ({ addresses, conditions }) => listOf(addresses).length > 0 && conditions?.ready !== false
  )
  return isReady && listOf(object.ports).length > 0
}

function unusable({ history, object }: Current<EndpointSlice>): Fact[] {
  const endpoints = listOf(object.endpoints)
  if (endpoints.length === 0) return [field(history, 'endpoints', null, 'the EndpointSlice names no address')]
  const out = endpoints.filter(({ conditions }) => conditions?.ready === false)
  if (out.length < endpoints.length) return [field(history, 'ports', null, 'the EndpointSlice names no port')]
  return out.slice(0, CITED).map(({ addresses }) => {
    const address = listOf(addresses)[0] ?? ''
    return field(history, `endpoints[${address}].conditions.ready`, false, `${address} is not ready`)
  })
}
