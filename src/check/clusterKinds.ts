/** What of a cluster may be listed and watched, by trying; and what cannot be told without the rest. */

import { ApiError, type Connection, get } from '../cluster/apiRequest.ts'
import { listableNamespaces } from '../cluster/list.ts'
import type { Kind } from '../cluster/objects.ts'
import { DEFAULT_KINDS, pathOf } from '../cluster/resources.ts'
import { howToAllow, type Right, resourceName, rightOf } from '../cluster/rights.ts'
import { type Unit, unitsOf } from '../cluster/units.ts'
import { KIND_NEEDS } from '../diagnose/kindNeeds.ts'
import { costOf } from '../kubectl/refusals.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const ABOUT = 'kubernetes'
const SILENT_MS = 10_000
const AT_ONCE = 4
/** Its API has no watch. */
const POLLED: ReadonlySet<Kind> = new Set(['PodMetrics'])

interface Tried {
  unit: Unit
  /** What was refused. */
  refused: Right[]
  isServed: boolean
  /** Another error, in the words of the API. */
  said: string | null
}

/** `namespaces`: where pods may be listed when they may not be listed everywhere. Throws ApiError when nobody answers. */
export async function checkKinds(connection: Connection, namespaces: readonly string[]): Promise<Finding[]> {
  const only = await listableNamespaces(connection, { namespaces })
  const waiting = unitsOf({}, only)
  const tried: Tried[] = []
  const work = async () => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift())
      tried.push(await tryUnit(connection, unit))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return findingsOf(tried)
}

async function tryUnit(connection: Connection, unit: Unit): Promise<Tried> {
  const { kind, namespace } = unit
  const tried: Tried = { unit, refused: [], isServed: true, said: null }
  for (const verb of POLLED.has(kind) ? (['list'] as const) : (['list', 'watch'] as const)) {
    const parameters = verb === 'list' ? { limit: 1 } : { watch: 'true', timeoutSeconds: 1 }
    try {
      const response = await get(connection, pathOf(kind, namespace), parameters, { silentMs: SILENT_MS })
      response.destroy()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401 || error.status === null) throw error
      if (error.status === 403) tried.refused.push(rightOf(verb, kind, namespace))
      else if (error.status === 404 || error.status === 405) tried.isServed = false
      else tried.said ??= error.said
    }
  }
  return tried
}

function findingsOf(tried: readonly Tried[]): Finding[] {
  const findings: Finding[] = []
  const fine: string[] = []
  const missing: string[] = []
  for (const kind of DEFAULT_KINDS) {
    const ofKind = tried.filter(({ unit }) => unit.kind === kind)
    const plural = resourceName(kind)
    const refused = ofKind.flatMap(one => one.refused)
    const said = ofKind.find(one => one.said !== null)?.said ?? null
    const make = KIND_NEEDS[kind].isEssential ? problem : hint
    if (refused.length > 0) {
      const verbs = [...new Set(refused.map(({ verb }) => (verb === 'list' ? 'listed' : 'watched')))].join(' and ')
      const places = [...new Set(refused.map(({ namespace }) => namespace).filter(place => place !== null))]
      const where = places.length === 0 ? '' : ` in ${places.join(', ')}`
      const mend = howToAllow(...(sameNamespace(refused) as [Right, ...Right[]]))
      findings.push(make(ABOUT, `${plural} may not be ${verbs}${where}${costOf([kind])}`, mend))
    } else if (said !== null) findings.push(make(ABOUT, `${plural} cannot be read: ${said}`, 'look at the API server'))
    else if (ofKind.some(one => !one.isServed)) missing.push(plural)
    else fine.push(plural)
  }
  if (fine.length > 0) findings.unshift(ok(ABOUT, `${fine.join(', ')} can be listed and watched`))
  if (missing.length > 0)
    findings.push(ok(ABOUT, `${missing.join(', ')}: this cluster does not have them, which costs little`))
  return findings
}

/** A rule is for one role. */
function sameNamespace(rights: readonly Right[]): Right[] {
  return rights.filter(({ namespace }) => namespace === rights[0]!.namespace)
}
