import { type EventSpan, eventsOf } from '../events.ts'
import { eventFacts, type Fact, nameOf } from '../fact.ts'
import { EPSILON_MS } from '../moment.ts'
import { readyFacts } from '../readyFacts.ts'
import { type BrokenReference, brokenReferences, REFERENCES } from '../references.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'

const CITED_PODS = 4

/** A location that the controller switched off, because it could not read an annotation or what that names. */
export const ingressAnnotationDenied: Rule = {
  cause: 'ingress_annotation_denied',
  judge(scene) {
    const { ingress, symptom, input } = scene
    if (ingress === null) return null
    const isOfEndpoints = symptom === 'no_endpoints'
    // A location that is switched off answers 503, without its client certificates the whole host 403.
    if (!isOfEndpoints && input.status !== null && input.status !== 503 && input.status !== 403) return null
    const event = parsingFailed(scene)
    const names = input.status === 403 ? (['auth-tls-secret'] as const) : REFERENCES
    const broken = brokenReferences(scene, names)
    if (event === null && broken.length === 0) return null
    const ready = scene.pods.filter(pod => !pod.isOut)
    if (isOfEndpoints && ready.length === 0) return { because: 'no pod of the Service was Ready' }
    const eventNeeds =
      event === null ? [] : eventFacts(event, event.firstMs, 'the controller could not read an annotation')
    const facts = broken.flatMap((item): Fact[] => item.facts)
    return {
      tier: 'A',
      ref: nameOf(ingress.history),
      atMs: event?.firstMs ?? null,
      needs: [
        ...eventNeeds,
        ...facts,
        ...ready.slice(0, CITED_PODS).flatMap(pod => readyFacts(pod, `${pod.ref} was Ready`).slice(0, 1))
      ],
      isInferred: event === null && ready[0]?.ready.isInferred === true,
      isUnobserved: event === null && broken.every((item: BrokenReference) => !item.isCertain)
    }
  }
}

/** The controller's Event about an annotation of the Ingress, first seen by T. */
export function parsingFailed({ ingress, state, moment }: Scene): EventSpan | null {
  if (ingress === null) return null
  const events = eventsOf(state, ingress.history)
  return (
    events.find(({ reason, firstMs }) => reason === 'AnnotationParsingFailed' && moment.isPast(firstMs - EPSILON_MS)) ??
    null
  )
}
