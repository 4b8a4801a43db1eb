import { nameOf } from '../fact.ts'
import { controllerClasses, isTaken } from '../ingressClasses.ts'
import { matchIn, nearestTo, ruleFacts } from '../ingressMatch.ts'
import type { Rule } from '../rule.ts'

/** No Ingress of the controller's class has a rule for this host and path. */
export const ingressRuleMismatch: Rule = {
  cause: 'ingress_rule_mismatch',
  judge(scene) {
    const { host, path } = scene.input
    if (host === null) return null
    const all = scene.all('Ingress', null)
    const matching = all.find(ingress => matchIn(ingress, host, path ?? '/') !== null)
    if (matching !== undefined) return { because: `${nameOf(matching.history)} has a rule for ${host}${path ?? '/'}` }
    const classes = controllerClasses(scene)
    const own = all.filter(ingress => isTaken(ingress, classes))
    const nearest = nearestTo(own, host, path ?? '/') ?? nearestTo(all, host, path ?? '/')
    if (nearest === null) return null
    return {
      tier: 'A',
      ref: nameOf(nearest.ingress.history),
      atMs: null,
      needs: ruleFacts(nearest),
      isUnobserved: !scene.isObservable('Ingress', nearest.ingress.history.namespace) || scene.isInGap('Ingress')
    }
  }
}
