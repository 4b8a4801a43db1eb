import { listOf } from '../conditions.ts'
import { nameOf } from '../fact.ts'
import { containerPortFacts, targetPortFact } from '../ports.ts'
import { passingProbeFact } from '../probes.ts'
import type { Rule } from '../rule.ts'
import { declaresPort } from '../servingContainer.ts'

/** The Service leads to a port by its number, and the container opens others. */
export const targetPortMismatch: Rule = {
  cause: 'target_port_mismatch',
  isOfPod: true,
  judge(scene) {
    const { service, servicePort, targetPortRef, pod, container, upstream } = scene
    if (service === null || servicePort === null || pod === null || container === null) return null
    if (typeof targetPortRef !== 'number') return null
    const port = upstream?.port ?? targetPortRef
    if (port !== targetPortRef) return null
    const declared = listOf(container.ports)
    if (declared.length === 0 || declaresPort(container, port)) return null
    // What is declared is information; a probe that passes on the port shows that it is open all the same.
    if (passingProbeFact(pod, container, other => other === port) !== null)
      return { because: `the readiness probe of ${pod.ref} passes on port ${port}` }
    const passing = passingProbeFact(pod, container, other => other !== port)
    return {
      tier: 'A',
      ref: nameOf(service.history),
      atMs: null,
      needs: [targetPortFact(service, servicePort), ...containerPortFacts(pod, container, 'containerPort')],
      supports: passing === null ? [] : [passing]
    }
  }
}
