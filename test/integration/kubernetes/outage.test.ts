/** The API server goes away under a watch: killed, hanging, without its memory. Each test has one of its own. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Kind } from '../../../src/cluster/objects.ts'
import { isKubernetesAvailable, type KubernetesServer, startKubernetes } from '../../services/kubernetesServer.ts'
import { Watching } from './watching.ts'

const NAMESPACE = 'default'
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
const KINDS: Kind[] = ['Pod', 'Service', 'Node', 'Event']

describe.skipIf(!isKubernetesAvailable())('an API server that goes away', () => {
  let kubernetes: KubernetesServer
  let watching: Watching | undefined

  const addPod = (name: string) =>
    kubernetes.client.create(PODS, {
      metadata: { name },
      spec: { schedulerName: 'nobody', containers: [{ name: 'app', image: 'app' }] }
    })
  const removePod = (name: string) => kubernetes.client.delete(`${PODS}/${name}?gracePeriodSeconds=0`)
  /** Names of pods that are there, as the state has it. */
  const podsNow = () =>
    [...watching!.state.all('Pod', NAMESPACE)].filter(pod => pod.deletedMs === null).map(({ name }) => name)
  const gaps = (kind: Kind) =>
    watching!.events.filter(event => (event.type === 'GAP_START' || event.type === 'GAP_END') && event.kind === kind)

  beforeEach(async () => {
    kubernetes = await startKubernetes({ apiOnly: true })
  })
  afterEach(async () => {
    await watching?.stop()
    watching = undefined
    await kubernetes?.stop()
  })

  test('killed and started again: a gap, and then nothing is missing', async () => {
    await addPod('stays')
    await addPod('goes')
    watching = await Watching.start(kubernetes.kubeconfig, { kinds: KINDS, limits: { retryMsMax: 2_000 } })
    // Newer than what our watch of any kind was told: else a server that writes nothing before it reads still knows our versions.
    await kubernetes.client.create(`/api/v1/namespaces/${NAMESPACE}/configmaps`, { metadata: { name: 'unwatched' } })
    const killedMs = Date.now()
    await kubernetes.apiServer.kill()
    await watching.until(() => watching!.watch.facts.lost.length === KINDS.length, 'everything is lost')
    const heartbeats = watching.ofType('HEARTBEAT').length
    await kubernetes.apiServer.restart()
    // Before the watch is back: nobody sees these as they happen.
    await Promise.all([removePod('goes'), addPod('comes')])
    await watching.until(() => podsNow().join() === 'comes,stays', 'the state is that of the server')
    await watching.until(() => watching!.watch.facts.lost.length === 0, 'everything is seen again')
    await watching.caughtUp()

    for (const kind of KINDS) {
      const marks = gaps(kind)
      expect(marks[0], kind).toMatchObject({ type: 'GAP_START' })
      expect(marks.at(-1), kind).toMatchObject({ type: 'GAP_END' })
      expect(marks[0]!.at).toBeLessThan(killedMs + 5_000)
    }
    const firstEnd = watching.events.findIndex(({ type }) => type === 'GAP_END')
    expect(watching.events.slice(0, firstEnd).filter(({ type }) => type === 'HEARTBEAT')).toHaveLength(heartbeats)
    expect(watching.state.isInGap('Pod', gaps('Pod')[0]!.at)).toBe(true)
    expect(watching.state.isInGap('Pod', Date.now())).toBe(false)
    // The new server does not know our version any more: 410, and pods are listed again.
    expect(
      watching
        .ofType('LIST_START')
        .filter(({ isPartial }) => isPartial)
        .flatMap(({ kinds }) => kinds)
    ).toContain('Pod')
    const [gone] = watching.state.named('Pod', NAMESPACE, 'goes')
    expect(gone!.deletedMs).toBeGreaterThanOrEqual(killedMs)

    // And it goes on as before.
    await addPod('later')
    await watching.until(() => podsNow().includes('later'), 'a pod after the gap')
  })

  test('hanging: no heartbeat, and the gap begins where the last answer came from', async () => {
    watching = await Watching.start(kubernetes.kubeconfig, { kinds: KINDS })
    const { pid } = kubernetes.apiServer
    process.kill(pid, 'SIGSTOP')
    const stoppedMs = Date.now()
    try {
      await watching.until(() => gaps('Pod').length > 0, 'the gap is noticed')
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const late = watching.ofType('HEARTBEAT').filter(({ at }) => at > stoppedMs + 100)
    expect(late).toEqual([])
    const [start] = watching.ofType('GAP_START')
    expect(start!.since).toBeLessThanOrEqual(stoppedMs + 100)
    expect(start!.at).toBeGreaterThan(stoppedMs + 5_000)
    await addPod('after')
    await watching.until(() => podsNow().includes('after'), 'a pod after the gap')
    await watching.caughtUp()
    expect(gaps('Pod').at(-1)!.type).toBe('GAP_END')
  })
})
