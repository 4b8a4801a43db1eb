import { nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'
import { annotationFact } from '../setting.ts'

/** What the controller appends to the name of a zone, and the annotation that makes it. */
const LIMITS = [
  { annotation: 'limit-rps', zone: /_rps"?/, status: 'limit-req-status-code' },
  { annotation: 'limit-rpm', zone: /_rpm"?/, status: 'limit-req-status-code' },
  { annotation: 'limit-connections', zone: /_conn"?/, status: 'limit-conn-status-code' }
] as const

/** A limit that the Ingress sets on requests or connections was reached. */
export const rateLimitHit: Rule = {
  cause: 'rate_limit_hit',
  judge(scene) {
    const { ingress, input } = scene
    if (ingress === null) return null
    const set = LIMITS.filter(({ annotation }) => scene.annotation(annotation) !== null)
    const zone = /zone "([^"]*)"/.exec(input.detail.error ?? '')?.[1] ?? null
    const meant = zone === null ? undefined : set.find(limit => limit.zone.test(`${zone}"`))
    const limits = meant === undefined ? set : [meant]
    if (limits.length === 0) return null
    const status = scene.setting(limits[0]!.status)
    const isSame = input.status === null || String(input.status) === status.value
    const answers = status.fact === null || !isSame ? [] : [status.fact]
    return {
      tier: 'A',
      ref: nameOf(ingress.history),
      atMs: null,
      needs: limits.map(({ annotation }) => {
        const text = `the Ingress sets ${annotation} to ${scene.annotation(annotation)}`
        return annotationFact(scene, annotation, zone === null ? text : `${text}, and zone ${zone} was full`)!
      }),
      supports: answers
    }
  }
}
