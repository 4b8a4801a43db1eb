import { covers } from '../events.ts'
import { eventFacts, field } from '../fact.ts'
import type { PodView } from '../podView.ts'
import type { Rule } from '../rule.ts'
import { waitingFacts } from './containerStartFailed.ts'

const REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError'
])

/** By what registries and runtimes say, the clearest first. */
const VARIANTS: readonly (readonly [variant: string, words: RegExp])[] = [
  ['rate_limit', /toomanyrequests|too many requests|rate limit|\b429\b/i],
  [
    'auth',
    /unauthorized|authentication required|authorization failed|access denied|denied|forbidden|no basic auth|\b40[13]\b/i
  ],
  ['not_found', /not ?found|manifest unknown|does not exist|no such manifest|\b404\b/i],
  [
    'network',
    /time(d )?out|no such host|connection (refused|reset)|dial tcp|unreachable|x509|tls|deadline exceeded|\beof\b/i
  ]
]

/** No pod runs, because an image cannot be pulled. With another Ready pod it is only a stuck rollout. */
export const imagePullFailed: Rule = {
  cause: 'image_pull_failed',
  explains: ['readiness_failing', 'init_container_stuck'],
  judge(scene) {
    const { pod } = scene
    if (pod === null) return null
    for (const { name, image } of [...pod.initContainers, ...pod.containers]) {
      const said = pod.waitings(name).filter(({ reason }) => REASONS.has(reason))
      const [waiting] = said
      const events = pullEvents(pod)
      if (waiting === undefined) continue
      const ready = scene.pods.find(other => other !== pod && !other.isOut)
      if (ready !== undefined) return { because: `${ready.ref} was Ready: a rollout is stuck, which fails no request` }
      const message = [...said.map(item => item.message), ...events.map(item => item.message)].join('\n')
      const variant = VARIANTS.find(([, words]) => words.test(message))?.[0]
      const text = `the image of container ${name} could not be pulled`
      return {
        tier: 'A',
        ...(variant !== undefined && { variant }),
        ref: pod.ref,
        atMs: events[0]?.firstMs ?? pod.history.createdMs,
        needs: said.flatMap(item => waitingFacts(pod, item, text)),
        supports: [
          ...(image === undefined
            ? []
            : [field(pod.history, `spec.${listName(pod, name)}[${name}].image`, image, `the image is ${image}`)]),
          ...events.slice(-2).flatMap(event => eventFacts(event, event.lastMs, 'kubelet could not pull it'))
        ]
      }
    }
    return null
  }
}

function listName(pod: PodView, name: string): string {
  return pod.containers.some(item => item.name === name) ? 'containers' : 'initContainers'
}

function pullEvents(pod: PodView) {
  return pod.events.filter(
    event =>
      (event.reason === 'Failed' || event.reason === 'BackOff') && /image/i.test(event.message) && isNear(pod, event)
  )
}

function isNear(pod: PodView, event: PodView['events'][number]): boolean {
  return covers(event, pod.moment) || pod.moment.isPast(event.firstMs)
}
