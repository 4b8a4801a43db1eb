/** A container of a rendered pod without a container: its files in a folder, its arguments and environment for a process. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Manifest, named, podSpecs } from './renderedChart.ts'

/** As deploy/docker/Dockerfile sets it. */
const OF_THE_IMAGE = { WHY5XX_SINK_EMBEDDED_PATH: '/var/lib/why5xx', WHY5XX_WEB_LISTEN: ':8055' }

export interface ContainerFiles {
  args: string[]
  env: Record<string, string>
  /** What stands in the place of `/` for the files of its volumes. */
  root: string
}

/**
 * Writes what is mounted into `root`: the ConfigMap as it was rendered, and of each Secret the keys that are asked for, with
 * what `secretOf` gives. Paths in arguments and configuration are led there, and nothing else is changed.
 */
export function containerFiles(
  manifests: readonly Manifest[],
  pod: string,
  root: string,
  secretOf: (secret: string, key: string) => string = () => 'a-secret-of-a-test'
): ContainerFiles {
  const spec = podSpecs(manifests).get(pod)
  if (spec === undefined) throw new Error(`nothing that runs is called ${pod}`)
  const [container] = spec.containers
  const moved = (text: string): string => text.replaceAll('/etc/why5xx/', `${join(root, '/etc/why5xx')}/`)
  for (const { name, mountPath, subPath } of container!.volumeMounts ?? []) {
    const volume = spec.volumes?.find(one => one.name === name)
    if (volume === undefined) throw new Error(`${pod}: volume ${name} is mounted, and there is none`)
    const { configMap, secret } = volume
    if (configMap !== undefined)
      write(join(root, mountPath), moved(named(manifests, 'ConfigMap', configMap.name).data![subPath!]!))
    for (const { key } of secret?.items ?? []) write(join(root, mountPath, key), secretOf(secret!.secretName, key))
  }
  const env = Object.fromEntries((container!.env ?? []).map(({ name, value }) => [name, value ?? '']))
  return { args: container!.args.map(moved), env: { ...OF_THE_IMAGE, ...env }, root }
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o400 })
}
