import { serviceNameOf } from '../clusterName.ts'
import { controllerArgument } from '../controller.ts'
import { dnsOf, saysNoAnswer, saysNoSuchName } from '../dns.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'

/** A Service of type ExternalName whose name has no address. */
export const externalNameUnresolvable: Rule = {
  cause: 'external_name_unresolvable',
  judge(scene) {
    const { service, input, controller } = scene
    const { type, externalName } = service?.object.spec ?? {}
    if (service === null || type !== 'ExternalName' || externalName === undefined) return null
    if (dnsOf(scene)?.isDown === true) return { because: 'no pod of the cluster DNS was Ready' }
    const { error } = input.detail
    const facts: Fact[] = [
      field(service.history, 'spec.externalName', externalName, `the Service stands for the name ${externalName}`),
      field(service.history, 'spec.type', type, 'the Service is a name for something outside')
    ]
    let isUnobserved = false
    let isShown = saysNoSuchName(error)
    const inside = serviceNameOf(externalName, service.history.namespace)
    if (inside !== null && !inside.isShort) {
      const text = `${externalName} is Service ${inside.service} of namespace ${inside.namespace}, which was not there`
      const missing = scene.absence('Service', inside.namespace, inside.service, text)
      if (missing !== null) {
        facts.push(missing.fact)
        isUnobserved = !missing.isCertain && !isShown
        isShown = true
      }
    }
    for (const pod of controller.pods) {
      const argument = controllerArgument(pod, 'disable-svc-external-name')
      if (argument === null || argument.value === 'false') continue
      facts.push(field(pod.history, argument.path, argument.text, 'the controller ignores such Services'))
      isShown = true
      isUnobserved = false
      break
    }
    if (!isShown && (scene.symptom === 'dns_failure' || saysNoAnswer(error))) return null
    // Without endpoints and without a text the name is still what such a Service needs.
    return { tier: isShown ? 'A' : 'B', ref: nameOf(service.history), atMs: null, needs: facts, isUnobserved }
  }
}
