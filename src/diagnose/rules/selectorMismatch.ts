import type { Service, Workload } from '../../cluster/objects.ts'
import { type Current, currentOf } from '../current.ts'
import { type Fact, field, key, nameOf } from '../fact.ts'
import { PodView } from '../podView.ts'
import { selects } from '../routing.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'

type Labels = Record<string, string> | undefined

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'] as const
const CITED_PODS = 4

/** The Service selects no pod and no template of a workload, though pods are there. */
export const selectorMismatch: Rule = {
  cause: 'selector_mismatch',
  judge(scene) {
    const { service } = scene
    const selector = service?.object.spec?.selector ?? {}
    if (service === null || Object.keys(selector).length === 0 || service.object.spec?.type === 'ExternalName')
      return null
    const [selected] = scene.pods
    if (selected !== undefined) return { because: `the Service selected ${selected.ref}` }
    const { namespace } = service.history
    const workloads = workloadsOf(scene, namespace)
    const fitting = workloads.find(({ object }) => selects(selector, object.spec?.template?.metadata?.labels))
    if (fitting !== undefined) return { because: `the template of ${nameOf(fitting.history)} fits the selector` }
    const near = nearest(scene, service, workloads)
    const compared = near?.workload?.object.spec?.template?.metadata?.labels ?? near?.pods[0]?.object.metadata.labels
    const keys = Object.keys(selector).filter(
      name => compared === undefined || labelValue(compared, name) !== selector[name]
    )
    const isObservable = scene.isObservable('Pod', namespace) && scene.isObservable('Deployment', namespace)
    return {
      tier: near === null ? 'B' : 'A',
      ref: nameOf(service.history),
      atMs: sinceMs(service, selector),
      needs: [
        ...keys.map(name =>
          field(
            service.history,
            `spec.selector${key(name)}`,
            selector[name],
            `the Service selects ${name}=${selector[name]}`
          )
        ),
        ...(near === null ? [] : labelFacts(near, keys))
      ],
      isUnobserved: !isObservable || scene.isInGap('Pod')
    }
  }
}

/** A ReplicaSet counts where no Deployment made it: old ones keep the labels of before. */
function workloadsOf(scene: Scene, namespace: string): Current<Workload>[] {
  return WORKLOADS.flatMap(kind => scene.all(kind, namespace)).filter(
    ({ object }) => object.kind !== 'ReplicaSet' || (object.metadata.ownerReferences ?? []).length === 0
  )
}

interface Near {
  workload: Current<Workload> | null
  pods: PodView[]
}

/** The same name, or the most pairs in common; null: nothing has either. */
function nearest(scene: Scene, service: Current<Service>, workloads: readonly Current<Workload>[]): Near | null {
  const { namespace, name } = service.history
  const selector = service.object.spec?.selector ?? {}
  const score = (labels: Labels, other: string): number =>
    2 * Object.keys(selector).filter(pair => labelValue(labels, pair) === selector[pair]).length +
    (other === name || other.startsWith(`${name}-`) ? 3 : 0)
  let best: { near: Near; score: number } | null = null
  for (const workload of workloads) {
    const labels = workload.object.spec?.template?.metadata?.labels
    const rated = score(labels, workload.history.name)
    if (rated === 0 || (best !== null && rated <= best.score)) continue
    best = { near: { workload, pods: podsWith(scene, namespace, labels) }, score: rated }
  }
  for (const { history, object } of scene.all('Pod', namespace)) {
    const rated = score(object.metadata.labels, history.name)
    if (rated === 0 || (best !== null && rated <= best.score)) continue
    best = { near: { workload: null, pods: [new PodView(history, scene.state, scene.moment)] }, score: rated }
  }
  return best?.near ?? null
}

/** Pods made from a template. */
function podsWith(scene: Scene, namespace: string, labels: Labels): PodView[] {
  if (labels === undefined || Object.keys(labels).length === 0) return []
  return scene.state
    .podsWithLabels(namespace, labels)
    .filter(history => currentOf([history], scene.moment) !== null)
    .map(history => new PodView(history, scene.state, scene.moment))
}

function labelFacts({ workload, pods }: Near, keys: readonly string[]): Fact[] {
  const ofPods = pods.slice(0, CITED_PODS).flatMap(({ history, object, ref }) =>
    keys.map(name => {
      const value = labelValue(object.metadata.labels, name)
      return field(history, `metadata.labels${key(name)}`, value, `${ref} has ${name}=${value ?? 'absent'}`)
    })
  )
  if (workload === null) return ofPods
  const { history, object } = workload
  const ofTemplate = keys.map(name => {
    const value = labelValue(object.spec?.template?.metadata?.labels, name)
    const text = `pods of ${nameOf(history)} get ${name}=${value ?? 'absent'}`
    return field(history, `spec.template.metadata.labels${key(name)}`, value, text)
  })
  return [...ofPods, ...ofTemplate]
}

/** When the selector came to be what it was; null: not seen to change. */
function sinceMs({ history, object }: Current<Service>, selector: Record<string, string>): number | null {
  const { versions } = history
  const index = versions.findIndex(version => version.object === object)
  let at: number | null = null
  for (let i = index; i > 0; i--) {
    const before = versions[i - 1]!.object.spec?.selector ?? {}
    if (JSON.stringify(before) === JSON.stringify(selector)) continue
    at = versions[i]!.atMs
    break
  }
  return at
}

function labelValue(labels: Labels, name: string): string | null {
  return labels !== undefined && Object.hasOwn(labels, name) ? labels[name]! : null
}
