import { current } from '../current.ts'
import { absent, type Fact, field } from '../fact.ts'
import { type Listing, listingsOf } from '../listings.ts'
import { PROPAGATION_MS } from '../moment.ts'
import type { PodView } from '../podView.ts'
import type { Exclusion, Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { timeText } from '../times.ts'
import { deletionFacts } from './terminationRace.ts'

/** The proxy still used an address that should have been gone, or did not use one that should have been there. */
export const staleEndpoints: Rule = {
  cause: 'stale_endpoints',
  isOfPod: true,
  judge(scene) {
    if (scene.symptom === 'no_endpoints') return ofReadyPods(scene)
    const { pod } = scene
    if (pod === null) return ofNobody(scene)
    return ofDeleted(scene, pod) ?? ofUnready(scene, pod)
  }
}

/** It was asked to go more than P before T, or had held the address before. */
function ofDeleted(scene: Scene, pod: PodView): Finding | Exclusion | null {
  const { moment, owner } = scene
  // One that is asked only later speaks for nothing now.
  const deletion = pod.isBeingDeleted ? pod.deletion : null
  const isStale = owner.certainty === 'stale' && owner.tenure?.pod.uid === pod.history.uid
  if (deletion === null && !isStale) return null
  if (deletion !== null && !moment.isAfter(deletion.requestedMs + PROPAGATION_MS))
    return isStale ? null : { because: `the proxy had no time yet to hear that ${pod.ref} goes` }
  const listing = listingsOf(scene, pod).find(({ isReady }) => isReady)
  const needs: Fact[] = []
  if (deletion !== null) needs.push(...deletionFacts(pod, deletion))
  else needs.push(goneFact(pod))
  if (isStale && owner.tenure !== null) needs.push(gapFact(scene, pod))
  needs.push(listing === undefined ? unlistedFact(scene, pod) : listedFact(listing))
  const atMs = deletion?.requestedMs ?? owner.tenure?.toMs ?? null
  return {
    tier: 'A',
    variant: listing === undefined ? 'controller_lag' : 'slice_lag',
    ref: pod.ref,
    atMs,
    needs: needs.filter(fact => fact !== NO_FACT)
  }
}

/** A slice called it ready although it had not been so for longer than news takes. */
function ofUnready(scene: Scene, pod: PodView): Finding | Exclusion | null {
  const { moment, service, container } = scene
  const { status, sinceMs } = pod.ready
  if (status !== 'False' || sinceMs === null || !moment.isAfter(sinceMs + PROPAGATION_MS)) return null
  if (service?.object.spec?.publishNotReadyAddresses === true)
    return { because: `Service ${service.history.name} publishes pods that are not Ready` }
  if (container !== null && pod.down(container.name) !== null)
    return { because: `container ${container.name} was down: its own end explains the failure` }
  // What a slice says today is no witness of then, unless the pod has not changed since.
  const listing = listingsOf(scene, pod).find(
    ({ isReady, isLater }) => isReady && !(isLater && pod.ready.next !== null)
  )
  if (listing === undefined) return null
  const path = 'status.conditions[Ready]'
  const text = `${pod.ref} was not Ready`
  return {
    tier: 'A',
    variant: 'slice_lag',
    ref: `EndpointSlice ${listing.slice.namespace}/${listing.slice.name}`,
    atMs: sinceMs,
    needs: [
      listedFact(listing),
      field(pod.history, `${path}.status`, 'False', text, sinceMs),
      field(pod.history, `${path}.lastTransitionTime`, timeText(sinceMs), text, sinceMs)
    ]
  }
}

/** Ready pods, and yet no endpoint: nothing else explains it. */
function ofReadyPods(scene: Scene): Finding | null {
  const ready = scene.pods.filter(pod => pod.ready.status === 'True' && !pod.isBeingDeleted)
  const [first] = ready
  if (first === undefined) return null
  const { sinceMs, isInferred } = first.ready
  const path = 'status.conditions[Ready].status'
  const needs = [field(first.history, path, 'True', `${first.ref} was Ready, and the proxy had no endpoint`, sinceMs)]
  const listing = ready.flatMap(pod => listingsOf(scene, pod)).find(({ isReady }) => isReady)
  needs.push(listing === undefined ? unlistedFact(scene, first) : listedFact(listing))
  return {
    tier: 'C',
    variant: listing === undefined ? 'slice_lag' : 'controller_lag',
    ref:
      scene.service === null ? first.ref : `Service ${scene.service.history.namespace}/${scene.service.history.name}`,
    atMs: sinceMs,
    needs: needs.filter(fact => fact !== NO_FACT),
    isInferred
  }
}

/** Nobody is known to have held the address: perhaps a pod that nobody saw. Too little to be an answer. */
function ofNobody({ upstream, owner, service, state }: Scene): Finding | null {
  if (upstream === null || owner.certainty !== 'unknown' || owner.isBeforeHistory || service === null) return null
  if (state.sliceEntries(upstream.ip).length > 0 || state.servicesAt(upstream.ip).length > 0) return null
  const { namespace, name } = service.history
  const text = `nobody is known to have held ${upstream.ip} then`
  return {
    tier: 'D',
    ref: `Service ${namespace}/${name}`,
    atMs: null,
    needs: [{ cite: `Service ${namespace}/${name} spec.selector`, atMs: null, text }],
    adjustments: [['the holder of the address is not known', -0.05]]
  }
}

function goneFact(pod: PodView): Fact {
  const { phase } = pod.object.status ?? {}
  const { namespace, name } = pod.history
  if (phase === 'Failed' || phase === 'Succeeded')
    return field(pod.history, 'status.phase', phase, `${pod.ref} had ended and held its address no longer`)
  return absent('Pod', namespace, name, `${pod.ref} was gone`)
}

function gapFact({ owner, upstream }: Scene, pod: PodView): Fact {
  const endedMs = owner.tenure?.toMs ?? null
  const until = endedMs === null ? '' : ` until ${timeText(endedMs)}`
  const text = `${pod.ref} held ${upstream?.ip ?? 'the address'}${until}; nobody of the Service has since`
  return field(pod.history, 'status.podIP', upstream?.ip ?? null, text, endedMs)
}

const NO_FACT: Fact = { cite: '', atMs: null, text: '' }

function listedFact({ slice, address, isLater }: Listing): Fact {
  const when = isLater ? 'still ' : ''
  const text = `EndpointSlice ${slice.name} ${when}named ${address} as ready`
  return field(slice, `endpoints[${address}].conditions.ready`, true, text)
}

/** A slice of the Service that does not name the pod as ready. */
function unlistedFact(scene: Scene, pod: PodView): Fact {
  const { service, state, moment } = scene
  if (service === null) return NO_FACT
  const [listing] = listingsOf(scene, pod)
  const text = 'no EndpointSlice named it as ready'
  if (listing !== undefined) return field(listing.slice, `endpoints[${listing.address}].conditions.ready`, false, text)
  for (const history of state.slicesOf(service.history.namespace, service.history.name)) {
    if (current(history, moment) === null) continue
    const address = scene.upstream?.ip ?? pod.object.status?.podIP
    return address === undefined ? NO_FACT : field(history, `endpoints[${address}]`, null, text)
  }
  return NO_FACT
}
