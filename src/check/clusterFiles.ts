/** `check --cluster FILE…`: what files tell of a cluster, of which time, and what cannot be told from them. */

import { statSync } from 'node:fs'
import { openClusterState } from '../cluster/clusterIndex.ts'
import type { ClusterEvent } from '../cluster/event.ts'
import type { Kind } from '../cluster/objects.ts'
import { DEFAULT_KINDS } from '../cluster/resources.ts'
import { resourceName } from '../cluster/rights.ts'
import { readSnapshots } from '../cluster/snapshot.ts'
import { KIND_NEEDS } from '../diagnose/kindNeeds.ts'
import { costOf } from '../kubectl/refusals.ts'
import { sizeText } from '../sizeOption.ts'
import { grouped, plural } from '../text.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const OBJECTS = 'objects'
const TIME = 'time'
const KIND = 'kind'

export async function checkClusterFiles(paths: readonly string[]): Promise<Finding[]> {
  const { events, problems, objects, unknownKinds, leftOut } = await readSnapshots(paths)
  const findings = problems.map(({ message }) => problem('file', message, 'take it again, or leave it out'))
  if (events.length === 0)
    return findings.length > 0
      ? findings
      : [problem(OBJECTS, 'there is nothing in it that diagnosis reads', `kubectl get ${resources()} -A -o json`)]
  const size = paths.reduce(
    (sum, path) => sum + (path === '-' ? 0 : (statSync(path, { throwIfNoEntry: false })?.size ?? 0)),
    0
  )
  findings.push(
    ok(OBJECTS, `${grouped(objects)} in ${plural(paths.length, 'file')}, ${sizeText(size)}: ${countsText(events)}`)
  )
  if (leftOut > 0)
    findings.push(
      hint(OBJECTS, `${grouped(leftOut)} could not be read in parts, and are left out`, 'take them again with -o json')
    )
  if (unknownKinds.size > 0) {
    const names = [...unknownKinds.keys()].slice(0, 10).join(', ')
    findings.push(ok(OBJECTS, `not read, because diagnosis does not ask for them: ${names}`))
  }
  return [...findings, ...timeFindings(events), ...kindFindings(events)]
}

/** `Pod 12, Service 3`, most first. */
function countsText(events: readonly ClusterEvent[]): string {
  const seen = new Map<Kind, Set<string>>()
  for (const event of events) {
    if (!('object' in event)) continue
    const { kind, metadata } = event.object
    const name = JSON.stringify([metadata.namespace, metadata.name, metadata.uid])
    seen.set(kind, (seen.get(kind) ?? new Set()).add(name))
  }
  return [...seen]
    .sort(([, a], [, b]) => b.size - a.size)
    .map(([kind, names]) => `${kind} ${grouped(names.size)}`)
    .join(', ')
}

function timeFindings(events: readonly ClusterEvent[]): Finding[] {
  const state = openClusterState({ keepMs: Number.POSITIVE_INFINITY })
  for (const event of events) state.apply(event)
  const [from, to] = [state.knownFromMs, state.knownToMs].map(ms => new Date(ms).toISOString()) as [string, string]
  // One list tells the past by the times in its objects alone, and its events are an hour old at most.
  if (state.knownFromMs === state.knownToMs)
    return [
      ok(
        TIME,
        `taken at ${to}: it answers for failures before it, best within the hour whose events it holds, and for none after it`
      )
    ]
  return [ok(TIME, `from ${from} to ${to}: it answers best for failures between them, and for none after it`)]
}

function kindFindings(events: readonly ClusterEvent[]): Finding[] {
  const state = openClusterState({ keepMs: Number.POSITIVE_INFINITY })
  const namespaces = new Set<string>([''])
  for (const event of events) {
    state.apply(event)
    if ('object' in event) namespaces.add(event.object.metadata.namespace ?? '')
  }
  const missing = DEFAULT_KINDS.filter(kind => ![...namespaces].some(namespace => state.isObservable(kind, namespace)))
  return missing
    .filter(kind => KIND_NEEDS[kind].causes.length > 0)
    .map(kind => {
      const why = state.unreadableBecause(kind)
      const name = resourceName(kind)
      // A list of several kinds does not tell which of them are empty.
      const text = why === null ? `no ${name} are in it` : `${name} could not be read (${why})`
      const make = KIND_NEEDS[kind].causes === 'all' ? problem : hint
      return make(KIND, `${text}${costOf([kind])}`, `kubectl get ${name} -A -o json`)
    })
}

function resources(): string {
  return DEFAULT_KINDS.filter(kind => KIND_NEEDS[kind].isEssential)
    .map(resourceName)
    .join(',')
}
