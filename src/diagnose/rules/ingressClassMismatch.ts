import { nameOf } from '../fact.ts'
import { classFacts, classOf, controllerClasses, isTaken } from '../ingressClasses.ts'
import { matchIn, ruleFacts } from '../ingressMatch.ts'
import type { Rule } from '../rule.ts'

/** An Ingress has a rule for the request, and is of a class that the controller does not take. */
export const ingressClassMismatch: Rule = {
  cause: 'ingress_class_mismatch',
  judge(scene) {
    const { host, path } = scene.input
    if (host === null) return null
    const matches = scene.all('Ingress', null).flatMap(ingress => matchIn(ingress, host, path ?? '/') ?? [])
    if (matches.length === 0) return null
    const classes = controllerClasses(scene)
    const taken = matches.find(({ ingress }) => isTaken(ingress, classes))
    if (taken !== undefined) return { because: `${nameOf(taken.ingress.history)} is of the controller's class` }
    const [first] = matches.sort((a, b) => Number(b.rule?.host !== undefined) - Number(a.rule?.host !== undefined))
    const name = classOf(first!.ingress)
    const other = name === null ? null : scene.get('IngressClass', '', name)
    // Without IngressClasses only the usual name of the controller's class is known.
    const isUnobserved = !scene.isObservable('IngressClass', '') && (name === null || classes.facts.length === 0)
    return {
      tier: 'A',
      ref: nameOf(first!.ingress.history),
      atMs: null,
      needs: [...classFacts(first!.ingress), ...ruleFacts(first!)],
      supports: [
        ...classes.facts,
        ...(other === null
          ? []
          : [
              {
                cite: `IngressClass ${other.history.name} spec.controller=${other.object.spec?.controller ?? 'absent'}`,
                atMs: null,
                text: `class ${other.history.name} is of another controller`
              }
            ])
      ].slice(0, 2),
      isUnobserved
    }
  }
}
