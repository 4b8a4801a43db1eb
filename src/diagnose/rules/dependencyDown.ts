import { type Dependency, dependenciesOf } from '../dependencies.ts'
import { type Fact, field, key, nameOf } from '../fact.ts'
import type { PodView } from '../podView.ts'
import { readyFacts } from '../readyFacts.ts'
import { selects } from '../routing.ts'
import type { Ask, Finding, Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'

/** Of the dependency's own cause. */
const NESTED_FACTS = 12
const PODS_CITED = 4

/** What the app needs to answer has no ready endpoint itself. */
export const dependencyDown: Rule = {
  cause: 'dependency_down',
  isOfPod: true,
  explains: ['app_error', 'app_slow', 'readiness_failing', 'publish_not_ready'],
  judge(scene, ask) {
    const { pod, container } = scene
    if (pod === null || container === null) return null
    // An app that does not run waits for nothing.
    if (scene.symptom === 'no_endpoints' && pod.runs(container.name) === false) return null
    const served: string[] = []
    for (const { service, facts } of dependenciesOf(scene, pod, container)) {
      if (!hasPods(service)) continue
      const pods = scene.podsOf(service)
      // Another name for the app itself.
      if (pods.some(item => item.history.uid === pod.history.uid)) continue
      if (pods.some(item => !item.isOut)) {
        served.push(nameOf(service.history))
        continue
      }
      return finding(scene, pod, { service, facts }, pods, ask)
    }
    return served.length === 0 ? null : { because: `${served.slice(0, 3).join(', ')} had a ready pod` }
  }
}

/** Of a Service without selector, or one that is a name for something outside, pods tell nothing. */
function hasPods({ object }: Dependency['service']): boolean {
  return object.spec?.type !== 'ExternalName' && Object.keys(object.spec?.selector ?? {}).length > 0
}

function finding(
  scene: Scene,
  pod: PodView,
  { service, facts }: Dependency,
  pods: readonly PodView[],
  ask: Ask
): Finding {
  const { namespace, name } = service.history
  const nested = ask(scene.beside(namespace, name))
  const ref = nested?.finding.ref ?? pods[0]?.ref ?? nameOf(service.history)
  return {
    tier: 'B',
    ref,
    atMs: nested?.finding.atMs ?? pods[0]?.ready.sinceMs ?? null,
    needs: [
      ...facts,
      ...selectorFacts(service),
      ...pods.slice(0, PODS_CITED).flatMap(item => readyFacts(item, `${item.ref} was not Ready`).slice(0, 2)),
      ...(nested?.finding.needs.slice(0, NESTED_FACTS) ?? []),
      ...workloadFacts(scene, service),
      ...readyFacts(pod, `${pod.ref} needs it`).slice(0, 2)
    ],
    ...(nested !== null && { chain: [nested.cause] }),
    isUnobserved: !scene.isObservable('Pod', namespace) || scene.isInGap('Pod'),
    isInferred: pods.length > 0 && pods.every(item => item.ready.isInferred)
  }
}

function selectorFacts({ history, object }: Dependency['service']): Fact[] {
  const entries = Object.entries(object.spec?.selector ?? {}).slice(0, 3)
  const text = `no pod of ${nameOf(history)} was ready`
  return entries.map(([name, value]) => field(history, `spec.selector${key(name)}`, value, text))
}

/** Who should run its pods, found by the labels that it gives them. */
function workloadFacts(scene: Scene, { history, object }: Dependency['service']): Fact[] {
  const selector = object.spec?.selector ?? {}
  return (['Deployment', 'StatefulSet', 'DaemonSet'] as const).flatMap(kind =>
    scene
      .all(kind, history.namespace)
      .filter(item => selects(selector, item.object.spec?.template?.metadata?.labels))
      .slice(0, PODS_CITED)
      .flatMap(item => {
        const { replicas } = item.object.spec ?? {}
        const text = `${nameOf(item.history)} should have ${replicas} pods`
        return replicas === undefined ? [] : [field(item.history, 'spec.replicas', replicas, text)]
      })
  )
}
