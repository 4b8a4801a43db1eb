/** A first look at the logs: which failures there are, so that only their part of the cluster is asked for. */

import type { Cause } from '../../parsers/causes.ts'
import { Engine, type EngineOptions } from '../engine.ts'
import { readLogs } from '../explain/readLogs.ts'
import type { Failure } from '../model.ts'
import type { Input } from '../source/input.ts'

export interface Survey {
  /** Documents by upstream name; '' where none is known. */
  byName: Map<string, number>
  /** Namespaces that lines name themselves. */
  namespaces: Set<string>
  causes: Set<Cause>
}

export type SurveyOptions = Pick<EngineOptions, 'join' | 'timeZone' | 'logFormat' | 'fromMs' | 'toMs'>

/** More upstream names than a cluster has: clients write into damaged lines what they like. */
const NAMES_MAX = 10_000

/** Reads to the end. `isWanted` tells which failures are looked at at all. */
export async function survey(
  inputs: Input[],
  options: SurveyOptions,
  isWanted: (failure: Failure) => boolean
): Promise<Survey> {
  const found: Survey = { byName: new Map(), namespaces: new Set(), causes: new Set() }
  const ignore = () => {}
  const engine = new Engine(
    { ...options, isWantedName: null },
    {
      failure(failure: Failure) {
        if (!isWanted(failure)) return
        const known = failure.upstreamName ?? ''
        const name = found.byName.has(known) || found.byName.size < NAMES_MAX ? known : ''
        found.byName.set(name, (found.byName.get(name) ?? 0) + 1)
        const namespace = failure.access?.record.namespace ?? null
        if (namespace !== null && namespace !== '') found.namespaces.add(namespace)
        found.causes.add(failure.cause)
      },
      alone: ignore,
      controller: ignore,
      stream: ignore,
      reject: ignore
    }
  )
  // What cannot be read is said when it is read to be explained.
  await readLogs(engine, inputs, { arrived: ignore, progress: ignore, failed: ignore, opened: ignore })
  engine.finish()
  return found
}
