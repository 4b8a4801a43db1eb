import type { EndpointSlice } from '../../cluster/objects.ts'
import type { History } from '../../cluster/state.ts'
import { isSameAddress } from '../cidr.ts'
import { listOf } from '../conditions.ts'
import { current } from '../current.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import type { Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'

/** The backend is no pod: a name outside, or an address that an EndpointSlice names without `targetRef`. */
export const externalBackendDown: Rule = {
  cause: 'external_backend_down',
  judge(scene) {
    const { service } = scene
    const { type, externalName } = service?.object.spec ?? {}
    if (service !== null && type === 'ExternalName')
      return found(nameOf(service.history), [
        field(service.history, 'spec.externalName', externalName, `the Service stands for ${externalName}, outside`),
        field(service.history, 'spec.type', type, 'its backend is not a pod')
      ])
    const named = outside(scene)
    if (named === null) return null
    const { history, address } = named
    const text = `EndpointSlice ${history.name} names ${address} without a pod`
    const isByHand = service !== null && Object.keys(service.object.spec?.selector ?? {}).length === 0
    return found(nameOf(history), [
      field(history, `endpoints[${address}].addresses`, address, text),
      field(history, `endpoints[${address}].targetRef`, null, 'nothing says which pod it would be: it is not one'),
      ...(isByHand
        ? [field(service.history, 'spec.selector', null, 'the Service selects no pods: its endpoints are made by hand')]
        : [])
    ])
  }
}

interface Outside {
  history: History<EndpointSlice>
  /** As the slice writes it. */
  address: string
}

function found(ref: string, needs: Fact[]): Finding {
  return { tier: 'B', ref, atMs: null, needs }
}

/** The slice of the Service that names the address at T, when it names no pod with it. */
function outside({ upstream, routed, state, moment, owner }: Scene): Outside | null {
  if (upstream === null) return null
  // Without a Service the address alone must not be a pod's.
  const [known] = routed === null && owner.tenure === null ? state.sliceEntries(upstream.ip) : []
  const asked = routed ?? known ?? null
  if (asked === null) return null
  for (const history of state.slicesOf(asked.namespace, asked.service)) {
    const slice = current(history, moment)
    for (const { addresses, targetRef } of listOf(slice?.object.endpoints)) {
      const address = listOf(addresses).find(item => isSameAddress(item, upstream.ip))
      if (address !== undefined) return targetRef === undefined ? { history, address } : null
    }
  }
  return null
}
