/** Services that a container is told to use, by its environment, its ConfigMaps and its command line. */

import type { Container, Service } from '../cluster/objects.ts'
import { givenFact, givenTo, masked } from './commandLine.ts'
import { listOf } from './conditions.ts'
import type { Current } from './current.ts'
import { type Fact, field, key } from './fact.ts'
import type { PodView } from './podView.ts'
import type { Scene } from './scene.ts'

export interface Dependency {
  service: Current<Service>
  /** Where the container is told of it. */
  facts: Fact[]
}

/** Values of one container that are looked at. */
const VALUES_MAX = 500

/** Each Service once, in the order in which the container names them; not the one that was asked itself. */
export function dependenciesOf(scene: Scene, pod: PodView, container: Container): Dependency[] {
  const { namespace } = pod.history
  const found = new Map<string, Dependency>()
  const add = (text: string, facts: () => Fact[]): void => {
    for (const host of hostsIn(text)) {
      const service = serviceOf(scene, namespace, host)
      if (service === null || service.history.uid === scene.service?.history.uid) continue
      if (!found.has(service.history.uid)) found.set(service.history.uid, { service, facts: facts() })
    }
  }
  for (const given of givenTo(container).slice(0, VALUES_MAX)) {
    add(given.value, () => [givenFact(pod, container, given, `container ${container.name} is told to use it`)])
  }
  for (const { configMapRef } of listOf(container.envFrom)) {
    if (configMapRef === undefined) continue
    const map = scene.get('ConfigMap', namespace, configMapRef.name)
    if (map === null) continue
    const path = `spec.containers[${container.name}].envFrom[${configMapRef.name}].configMapRef.name`
    for (const [name, value] of Object.entries(map.object.data ?? {}).slice(0, VALUES_MAX)) {
      const text = `container ${container.name} is told to use it by its ConfigMap`
      add(String(value), () => [
        field(map.history, `data${key(name)}`, masked(String(value)), text),
        field(pod.history, path, configMapRef.name, 'the environment of the container is taken from it')
      ])
    }
  }
  for (const { name, valueFrom } of listOf(container.env)) {
    const reference = valueFrom?.configMapKeyRef
    if (reference === undefined) continue
    const map = scene.get('ConfigMap', namespace, reference.name)
    const { data } = map?.object ?? {}
    if (map === null || !data || !Object.hasOwn(data, reference.key)) continue
    const value = String(data[reference.key])
    const path = `spec.containers[${container.name}].env[${name}].valueFrom.configMapKeyRef`
    const text = `container ${container.name} is told to use it by its ConfigMap`
    add(value, () => [
      field(map.history, `data${key(reference.key)}`, masked(value), text),
      field(pod.history, `${path}.name`, reference.name, `${name} is taken from the ConfigMap`)
    ])
  }
  return [...found.values()]
}

const HOST = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/
const TEXT_MAX = 4096

/** Hosts in `host`, `host:port`, `scheme://user@host:port/path`, and in lists of these. */
export function hostsIn(text: string): string[] {
  const hosts: string[] = []
  for (const part of text.slice(0, TEXT_MAX).split(/[\s,;|"']+/)) {
    const afterScheme = /:\/\/(.*)$/.exec(part)?.[1] ?? part
    const authority = afterScheme.split(/[/?#]/)[0]!
    const address = authority.slice(authority.lastIndexOf('@') + 1)
    // mysql: user:pass@tcp(host:3306)/db
    const inner = /\(([^)]*)\)/.exec(address)?.[1] ?? address
    const host = inner.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase()
    if (HOST.test(host) && !/^[\d.]+$/.test(host)) hosts.push(host)
  }
  return hosts
}

/** `svc`, `svc.ns[.svc…]`, and pods of headless Services: `pod.svc[.ns[.svc…]]`. null: it names no Service here. */
function serviceOf(scene: Scene, namespace: string, host: string): Current<Service> | null {
  const [first, second, third] = host.split('.')
  if (second === undefined) return scene.get('Service', namespace, first!)
  const inNamespace = scene.get('Service', second, first!)
  if (inNamespace !== null) return inNamespace
  if (third === undefined || third === 'svc') return third === 'svc' ? null : scene.get('Service', namespace, second)
  return scene.get('Service', third, second)
}
