import { expect, test } from 'vitest'
import { openClusterState } from '../../src/cluster/clusterIndex.ts'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import type { Ingress, KubeObject, Pod } from '../../src/cluster/objects.ts'
import {
  added,
  apiText,
  applyAll,
  deleted,
  gap,
  heartbeat,
  kubeEvent,
  listed,
  modified,
  ms,
  pod,
  seconds,
  service,
  slice
} from './made.ts'

const HOUR = 3_600

test('a gap that was noticed late begins when nothing was seen any more', () => {
  const state = openClusterState()
  applyAll(state, listed(10, [pod({ name: 'a' })]))
  state.apply({ at: ms(40), type: 'GAP_START', kind: 'Pod', since: ms(30) })
  // By another watch, and about the same gap.
  state.apply({ at: ms(41), type: 'GAP_START', kind: 'Pod', since: ms(25) })
  expect(state.gaps('Pod')).toEqual([{ startMs: ms(25), endMs: Infinity }])
  state.apply({ at: ms(50), type: 'GAP_END', kind: 'Pod' })
  expect([24, 25, 50, 51].map(at => state.isInGap('Pod', ms(at)))).toEqual([false, true, true, false])
  expect(state.isInGap('Node', ms(35))).toBe(false)
  // Nobody begins to miss what is still to come.
  state.apply({ at: ms(60), type: 'GAP_START', kind: 'Pod', since: ms(70) })
  expect(state.gaps('Pod').at(-1)).toEqual({ startMs: ms(60), endMs: Infinity })
})

test('what is known, and from when to when', () => {
  const state = openClusterState()
  expect([state.knownFromMs, state.knownToMs, state.forgottenToMs]).toEqual([Infinity, -Infinity, -Infinity])
  applyAll(state, listed(10, [pod({ name: 'a' })], {}, 5))
  expect([seconds(state.knownFromMs), seconds(state.knownToMs)]).toEqual([10, 15])
  applyAll(state, [heartbeat(20), ...gap(30, 40)])
  expect(seconds(state.knownToMs)).toBe(20)
  expect([29, 30, 35, 40, 41].map(at => state.isInGap('Pod', ms(at)))).toEqual([false, true, true, true, false])
})

test('the revision rises with what is new, and with nothing else', () => {
  const state = openClusterState()
  const events = [
    ...listed(10, [pod({ name: 'a' })], {}, 5),
    heartbeat(20),
    ...gap(30, 40),
    deleted(50, pod({ name: 'a' }))
  ]
  for (const event of events) {
    const { revision } = state
    state.apply(event)
    expect(state.revision).toBeGreaterThan(revision)
  }
  const { revision } = state
  applyAll(state, events)
  expect(state.revision).toBe(revision)
})

test('lists repeat what is known, and add no version', () => {
  const first = pod({ name: 'a', version: 7 })
  const touched = pod({ name: 'a', version: 8 })
  const state = applyAll(openClusterState(), [
    ...listed(0, [first]),
    ...listed(HOUR, [first]),
    ...listed(2 * HOUR, [touched]),
    ...listed(3 * HOUR, [pod({ name: 'a', version: 9, phase: 'Failed' })])
  ])
  const [history] = state.named('Pod', 'shop', 'a')
  expect(history!.versions.map(({ atMs, isObserved }) => [seconds(atMs), isObserved])).toEqual([
    [0, false],
    [3 * HOUR, false]
  ])
})

test('a change that comes late splits what looked the same', () => {
  const running = pod({ name: 'a' })
  const state = applyAll(openClusterState(), [...listed(0, [running]), ...listed(100, [running])])
  state.apply(modified(50, pod({ name: 'a', phase: 'Unknown' })))
  const [history] = state.named('Pod', 'shop', 'a')
  expect(history!.versions.map(({ atMs, object }) => [seconds(atMs), object.status?.phase])).toEqual([
    [0, 'Running'],
    [50, 'Unknown'],
    [100, 'Running']
  ])
})

test('what is not in a list is gone, about when the list began', () => {
  const scope = { kinds: ['Pod' as const], namespaces: ['shop'] }
  const state = applyAll(openClusterState(), [
    ...listed(0, [pod({ name: 'a' }), pod({ name: 'b' }), pod({ name: 'c', namespace: 'other' })]),
    added(1, service('web', {})),
    ...listed(100, [pod({ name: 'b' })], scope, 5)
  ])
  const ends = [...state.all('Pod', null)].map(one => [one.name, seconds(one.deletedMs), one.isDeletionApproximate])
  expect(ends).toEqual([
    ['c', null, false],
    ['a', 100, true],
    ['b', null, false]
  ])
  expect(state.named('Service', 'shop', 'web')[0]!.deletedMs).toBeNull()
})

test('a list that never ended says nothing', () => {
  const [begin] = listed(100, []) as [ClusterEvent]
  const state = applyAll(openClusterState(), [...listed(0, [pod({ name: 'a' })]), begin])
  expect(state.byUid('Pod', 'a')!.deletedMs).toBeNull()
})

test('seen again after a list without it: it was there all the time', () => {
  const state = applyAll(openClusterState(), [...listed(0, [pod({ name: 'a' })]), ...listed(100, [])])
  expect(seconds(state.byUid('Pod', 'a')!.deletedMs)).toBe(100)
  applyAll(state, listed(200, [pod({ name: 'a' })]))
  expect(state.byUid('Pod', 'a')!.deletedMs).toBeNull()
})

test('a list of an old cache does not bring back what was deleted', () => {
  const state = applyAll(openClusterState(), [
    added(0, pod({ name: 'a', version: 5 })),
    deleted(10, pod({ name: 'a', version: 6 })),
    ...listed(11, [pod({ name: 'a', version: 5 })])
  ])
  expect([...state.all('Pod', null)].map(one => seconds(one.deletedMs))).toEqual([10])
})

test('a StatefulSet’s pods come back under the same name', () => {
  const state = applyAll(openClusterState(), [
    added(0, pod({ name: 'db-0', uid: 'one', created: 0 })),
    deleted(10, pod({ name: 'db-0', uid: 'one', created: 0 })),
    added(12, pod({ name: 'db-0', uid: 'two', created: 12 })),
    added(30, pod({ name: 'db-0', uid: 'three', created: 25 }))
  ])
  expect(
    state.named('Pod', 'shop', 'db-0').map(one => [one.uid, seconds(one.deletedMs), one.isDeletionApproximate])
  ).toEqual([
    ['one', 10, false],
    ['two', 25, true],
    ['three', null, false]
  ])
})

test('objects without uid: one that comes back has a history of its own', () => {
  const web = (time: number) => ({
    ...service('web', { clusterIP: `10.96.0.${time}` }),
    metadata: { name: 'web', namespace: 'shop' }
  })
  const state = applyAll(openClusterState(), [added(0, web(1)), deleted(10, web(1)), added(20, web(2))])
  const histories = state.named('Service', 'shop', 'web')
  expect(histories.map(one => [seconds(one.versions[0]!.atMs), seconds(one.deletedMs)])).toEqual([
    [0, 10],
    [20, null]
  ])
  expect(state.byUid('Service', histories[0]!.uid)).toBe(histories[1])
})

test('who may read what', () => {
  const state = openClusterState()
  expect(state.isObservable('Pod', 'shop')).toBe(false)
  state.apply(added(0, service('web', {})))
  expect(state.isObservable('Service', 'elsewhere')).toBe(true)
  applyAll(state, listed(10, [], { kinds: ['Pod', 'Node'], unreadable: { Secret: 'secrets is forbidden' } }))
  expect(state.isObservable('Pod', 'shop')).toBe(true)
  expect(state.isObservable('Secret', 'shop')).toBe(false)
  expect(state.unreadableBecause('Secret')).toBe('secrets is forbidden')
  expect(state.unreadableBecause('Pod')).toBeNull()
  expect(state.unreadableBecause('Lease')).toBeNull()
  applyAll(state, listed(20, [], { kinds: ['Secret', 'Node'], unreadable: { Pod: 'no' }, namespaces: ['shop'] }))
  expect(['shop', 'other'].map(namespace => state.isObservable('Pod', namespace))).toEqual([false, true])
  expect(['shop', 'other'].map(namespace => state.isObservable('Secret', namespace))).toEqual([true, false])
  expect(state.isObservable('Node', '')).toBe(true)
})

test('pods by labels, and by owner', () => {
  const state = applyAll(openClusterState(), [
    added(0, pod({ name: 'a', labels: { app: 'web', tier: 'x' }, owner: 'rs-1' })),
    added(0, pod({ name: 'b', labels: { app: 'web' } })),
    added(0, pod({ name: 'c', labels: { app: 'web', tier: 'x' }, namespace: 'other' })),
    modified(5, pod({ name: 'b', labels: { app: 'gone' } }))
  ])
  const names = (labels: Record<string, string>) => state.podsWithLabels('shop', labels).map(one => one.name)
  expect(names({ app: 'web' })).toEqual(['a', 'b'])
  expect(names({ app: 'web', tier: 'x' })).toEqual(['a'])
  expect(names({ app: 'gone', tier: 'x' })).toEqual([])
  expect(names({})).toEqual([])
  expect(names({ constructor: 'x' })).toEqual([])
  expect(state.ownedBy('rs-1').map(one => one.name)).toEqual(['a'])
})

test('Events about an object: by uid, without one, and by the name of a node', () => {
  const node: KubeObject = { kind: 'Node', metadata: { name: 'n1', uid: 'node-uid' } }
  const about = { kind: 'Pod', namespace: 'shop', name: 'db-0' }
  const state = applyAll(openClusterState(), [
    added(0, pod({ name: 'db-0', uid: 'one' })),
    added(0, node),
    added(1, kubeEvent('late', { ...about, uid: 'one' }, 50)),
    added(2, kubeEvent('early', { ...about, uid: 'one' }, 20)),
    added(3, kubeEvent('other', { ...about, uid: 'two' }, 30)),
    added(4, kubeEvent('unnamed', about, 40)),
    added(5, kubeEvent('kubelet', { kind: 'Node', name: 'n1', uid: 'n1' }, 60))
  ])
  const names = (uid: string, kind: 'Pod' | 'Node') => state.eventsOf(state.byUid(kind, uid)!).map(one => one.name)
  expect(names('one', 'Pod')).toEqual(['early', 'unnamed', 'late'])
  expect(names('node-uid', 'Node')).toEqual(['kubelet'])
  expect(state.eventsNamed('Pod', 'shop', 'db-0').map(one => one.name)).toEqual(['early', 'other', 'unnamed', 'late'])
})

test('slices: when an address was ready, and for which pod', () => {
  const endpoint = (ready: boolean | null) => ({
    addresses: ['10.0.0.7'],
    conditions: { ready },
    targetRef: { uid: 'a' }
  })
  const state = applyAll(openClusterState(), [
    ...listed(0, [slice('s', 'web', [endpoint(null)])], { kinds: ['EndpointSlice'] }),
    modified(10, slice('s', 'web', [endpoint(false)])),
    modified(20, slice('s', 'web', [{ addresses: ['10.0.0.7'] }])),
    modified(30, slice('s', 'web', []))
  ])
  expect(
    state
      .sliceEntries('10.0.0.7:80')
      .map(one => [seconds(one.fromMs), seconds(one.toMs), one.ready, one.uid, one.isFromObserved])
  ).toEqual([
    [0, 10, true, 'a', false],
    [10, 20, false, 'a', true],
    [20, 30, true, null, true]
  ])
  expect(state.slicesOf('shop', 'web').map(one => one.name)).toEqual(['s'])
})

test('names of upstreams are taken apart by what exists', () => {
  const backend = { service: { name: 'b-c', port: { number: 80 } } }
  const ingress: Ingress = {
    kind: 'Ingress',
    metadata: { name: 'i', namespace: 'a' },
    spec: {
      rules: [{ http: { paths: [{ backend }, { backend: { service: { name: 'd', port: { name: 'web-ui' } } } }] } }]
    }
  }
  const state = applyAll(openClusterState(), [
    added(0, ingress),
    added(0, service('c', { ports: [{ port: 80, name: 'http' }] }, 'a-b')),
    added(0, service('errors', { clusterIP: 'fd00:0::9', ports: [{ port: 8080 }] }, 'x'))
  ])
  expect(state.upstream('a-b-c-80')).toEqual([{ namespace: 'a', service: 'b-c', port: '80' }])
  expect(state.upstream('a-d-web-ui')).toEqual([{ namespace: 'a', service: 'd', port: 'web-ui' }])
  expect(state.upstream('a-b-c-http')).toEqual([{ namespace: 'a-b', service: 'c', port: 'http' }])
  expect(state.upstream('custom-default-backend-x-errors')).toEqual([
    { namespace: 'x', service: 'errors', port: '8080' }
  ])
  expect(state.upstream('upstream-default-backend')).toEqual([])
  expect(state.servicesAt('[fd00::9]').map(one => one.name)).toEqual(['errors'])
})

test('closed histories go after their time, and of moments before nothing is said', () => {
  const state = openClusterState({ keepMs: 100_000 })
  applyAll(state, [
    added(0, pod({ name: 'a', ip: '10.0.0.1' })),
    added(0, pod({ name: 'b', ip: '10.0.0.2' })),
    deleted(10, pod({ name: 'a', ip: '10.0.0.1' })),
    heartbeat(110)
  ])
  expect(state.tenures('10.0.0.1')).toHaveLength(1)
  state.apply(heartbeat(111))
  expect(state.tenures('10.0.0.1')).toEqual([])
  expect(state.tenures('10.0.0.2')).toHaveLength(1)
  expect(seconds(state.forgottenToMs)).toBe(10)
  // Told again of what was forgotten, it does not come to life.
  state.apply(added(5, pod({ name: 'a', ip: '10.0.0.1' })))
  expect(state.byUid('Pod', 'a')).toBeNull()
})

test('of too many closed histories the one closed first goes', () => {
  const state = openClusterState({ closedMax: 2 })
  const names = ['a', 'b', 'c', 'd']
  applyAll(
    state,
    names.map(name => added(0, pod({ name })))
  )
  for (const [i, at] of [30, 10, 20, 40].entries()) state.apply(deleted(at, pod({ name: names[i]! })))
  expect([...state.all('Pod', null)].map(one => one.name)).toEqual(['a', 'd'])
  expect(seconds(state.forgottenToMs)).toBe(20)
})

test('an object that changes all the time keeps its first version and the last', () => {
  const state = openClusterState()
  for (let i = 0; i < 2_000; i++)
    state.apply(modified(i, pod({ name: 'a', phase: `phase ${i}`, labels: { n: String(i) } })))
  const { versions } = state.byUid('Pod', 'a')!
  expect(versions.length).toBeLessThan(230)
  expect([versions[0]!.object.status?.phase, versions.at(-1)!.object.status?.phase]).toEqual(['phase 0', 'phase 1999'])
  expect(state.podsWithLabels('shop', { n: '1' })).toEqual([])
})

test('a pod that crashes all day keeps its last hundred Events', () => {
  const state = openClusterState()
  for (let i = 0; i < 300; i++)
    state.apply(added(i, kubeEvent(`e${i}`, { kind: 'Pod', namespace: 'shop', name: 'a' }, i)))
  const events = state.eventsNamed('Pod', 'shop', 'a')
  expect(events).toHaveLength(100)
  expect(events[0]!.name).toBe('e200')
})

test('objects that cannot be are left out, and those with wrong fields do no harm', () => {
  const state = openClusterState()
  const wrong = [null, 7, {}, { kind: 'Pod' }, { kind: 'Pod', metadata: {} }, { kind: 'Pear', metadata: { name: 'a' } }]
  for (const object of wrong) state.apply({ at: ms(0), type: 'ADDED', object } as unknown as ClusterEvent)
  state.apply({ at: Number.NaN, type: 'HEARTBEAT' })
  expect(state.revision).toBe(0)
  const odd = [null, 'text', 7, [], [null], { ip: 7 }, { a: { b: [null] } }]
  for (const [i, value] of odd.entries())
    for (const kind of ['Pod', 'Service', 'EndpointSlice', 'Ingress', 'Event', 'Node'] as const) {
      const metadata = {
        name: `${kind}-${i}`,
        namespace: value,
        labels: value,
        ownerReferences: value,
        annotations: value
      }
      const object = {
        kind,
        metadata,
        spec: kind === 'Ingress' ? { rules: value, defaultBackend: value } : { ports: value, clusterIPs: value },
        status: { podIPs: value, containerStatuses: value, phase: 'Failed', podIP: '10.0.0.1' },
        endpoints: value,
        involvedObject: value
      }
      applyAll(state, [added(i, object as unknown as Pod), deleted(i + 1, { kind, metadata } as unknown as Pod)])
      expect([...state.all(kind, null)].length).toBeGreaterThan(i)
    }
  expect(state.tenures('10.0.0.1')).toHaveLength(odd.length)
})

test('depth is bounded', () => {
  let deep: unknown = 'x'
  for (let i = 0; i < 50_000; i++) deep = { deep }
  const object = { ...pod({ name: 'a' }), spec: deep, status: deep } as Pod
  const state = applyAll(openClusterState(), [
    added(0, object),
    modified(1, { ...object, status: { phase: 'x', deep } } as unknown as Pod)
  ])
  expect(JSON.stringify(state.byUid('Pod', 'a')).length).toBeLessThan(5_000)
})

test('versions share what is equal in them', () => {
  const facts = { name: 'a', created: 0, labels: { app: 'web' } }
  const state = applyAll(openClusterState(), [
    added(0, pod(facts)),
    modified(1, pod({ ...facts, ip: '10.0.0.1', version: 2 })),
    added(2, pod({ ...facts, name: 'b' }))
  ])
  const [one, two] = state.byUid('Pod', 'a')!.versions.map(version => version.object)
  expect(two!.spec).toBe(one!.spec)
  expect(two!.metadata).toBe(one!.metadata)
  const other = state.byUid('Pod', 'b')!.versions[0]!.object
  expect(other.spec).toBe(one!.spec)
  expect(other.metadata.labels).toBe(one!.metadata.labels)
  expect(other.metadata.creationTimestamp).toBe(apiText(0))
})
