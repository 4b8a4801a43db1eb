/** Puts data views, saved queries, dashboards and rules into a space of Kibana: creates, updates what is ours, leaves the rest. */

import { Why5xxError } from '../errors.ts'
import { type OurMark, type Outcome, outcomeOf, type Place, refuseOthers } from '../ownership.ts'
import { clip, safeText } from '../text.ts'
import { type Kibana, refusal } from './client.ts'
import { type KibanaVersion, kibanaObjects } from './contents.ts'
import { DEFAULT_SPACE, type KibanaKind, type KibanaObject, markIn } from './object.ts'
import { updateBody } from './ruleBody.ts'

export interface KibanaStep {
  type: KibanaKind
  name: string
  outcome: Outcome
}

/** What would be done; nothing is written before `apply`. */
export interface KibanaPlan {
  version: string
  steps: KibanaStep[]
  /** What else there is to know, in sentences. */
  notes: string[]
  apply: () => Promise<void>
}

const OLDEST_MAJOR = 9
const NO_DASHBOARDS =
  'dashboards need Kibana 9.5: this one got data views, saved queries (Discover, Open) and rules; run setup again after an upgrade'
const NO_ACTIONS =
  'the rules tell nobody yet: add connectors to them in Kibana (Stack Management, Rules); later runs of setup keep them'

interface Looked extends Place {
  object: KibanaObject
  /** As Kibana gave it; null: it is not there. */
  found: { mark: OurMark | null; body: Record<string, unknown> } | null
}

/**
 * Looks at everything that would be written. Throws Why5xxError `WHY5XX_KIBANA`: this is no Kibana, too old, has no such space,
 * refuses us, or holds what is not ours.
 */
export async function planKibana(kibana: Kibana): Promise<KibanaPlan> {
  const version = await versionOf(kibana)
  await checkSpace(kibana)
  if (version.hasDashboards) await checkDashboards(kibana)
  const objects = kibanaObjects(kibana.space, version)
  const found = await savedObjects(kibana, objects)
  const looked: Looked[] = []
  for (const object of objects) looked.push(await look(kibana, object, found))
  refuseOthers(looked, 'WHY5XX_KIBANA')
  const steps = looked.map(
    (place): KibanaStep => ({ type: place.object.kind, name: place.object.title, outcome: outcomeOf(place) })
  )
  const notes = version.hasDashboards ? [] : [NO_DASHBOARDS]
  if (looked.some(({ object, found }) => object.kind === 'rule' && !hasActions(found?.body))) notes.push(NO_ACTIONS)
  const changed = looked.filter(place => outcomeOf(place) !== 'unchanged')
  return { version: version.number, steps, notes, apply: () => write(kibana, changed) }
}

async function versionOf(kibana: Kibana): Promise<KibanaVersion> {
  const answer = await kibana.ask({ method: 'GET', path: '/api/status', isGlobal: true })
  const { status, body } = answer
  if (status === 401 || status === 403) throw refusal(answer, 'a question for its version', kibana.space)
  const { version, status: health } = (typeof body === 'object' && body !== null ? body : {}) as {
    version?: { number?: unknown }
    status?: unknown
  }
  const number = version?.number
  const parts = typeof number === 'string' ? /^(\d{1,4})\.(\d{1,4})\./.exec(number) : null
  if (parts === null) {
    if (status === 200 && health !== undefined)
      throw new Why5xxError(
        'WHY5XX_KIBANA',
        'Kibana tells its version only to who is logged in: give kibana.apiKeyFile, or kibana.username and passwordFile'
      )
    if (status >= 300 && status < 400)
      throw new Why5xxError(
        'WHY5XX_KIBANA',
        `kibana.url leads elsewhere (${status}), such as to a page where people log in: give the address of Kibana itself`
      )
    throw new Why5xxError(
      'WHY5XX_KIBANA',
      `kibana.url is no Kibana: /api/status answers ${status} without a version; where Kibana has a base path, it belongs into the URL`
    )
  }
  const [major, minor] = [Number(parts[1]), Number(parts[2])]
  if (major < OLDEST_MAJOR)
    throw new Why5xxError(
      'WHY5XX_KIBANA',
      `Kibana ${safeText(number as string)} is too old: why5xx needs ${OLDEST_MAJOR}.0 or later`
    )
  if (status !== 200)
    throw new Why5xxError('WHY5XX_KIBANA', `Kibana is not available (${status}): see its page Status, and try again`)
  const isAtLeast = (wanted: number): boolean => major > OLDEST_MAJOR || minor >= wanted
  return { number: number as string, hasDashboards: isAtLeast(5), hasRows: isAtLeast(1) }
}

/** Below a space that is not there, Kibana would show an empty one. */
async function checkSpace(kibana: Kibana): Promise<void> {
  const { space } = kibana
  if (space === DEFAULT_SPACE) return
  const answer = await kibana.ask({ method: 'GET', path: `/api/spaces/space/${space}`, isGlobal: true })
  if (answer.status === 404)
    throw new Why5xxError(
      'WHY5XX_KIBANA',
      `Kibana has no space ${space}, or none that we may see: make it (Stack Management, Spaces), or set kibana.space`
    )
  if (answer.status !== 200) throw refusal(answer, `space ${space}`, space)
}

async function checkDashboards(kibana: Kibana): Promise<void> {
  const answer = await kibana.ask({ method: 'GET', path: '/api/dashboards', query: { per_page: 1 } })
  if (answer.status === 404)
    throw new Why5xxError(
      'WHY5XX_KIBANA',
      'Kibana has no /api/dashboards (404), which 9.5 has: does something between take it away?'
    )
  if (answer.status !== 200) throw refusal(answer, 'dashboards', kibana.space)
}

/** Saved objects that are there, by `type/id`. An export of objects of which one is missing is refused and names it. */
async function savedObjects(
  kibana: Kibana,
  objects: readonly KibanaObject[]
): Promise<Map<string, Record<string, unknown>>> {
  let asked = objects.filter(isSavedObject).map(({ body }) => ({ type: body.type, id: body.id }))
  for (let round = 0; asked.length > 0; round++) {
    const answer = await kibana.ask({
      method: 'POST',
      path: '/api/saved_objects/_export',
      body: { objects: asked, excludeExportDetails: true, includeReferencesDeep: false }
    })
    if (answer.status === 200) return byKey(answer.body)
    const missing = missingIn(answer.body)
    if (answer.status !== 400 || missing === null || round > 0)
      throw refusal(answer, 'an export of data views', kibana.space)
    asked = asked.filter(object => !missing.has(keyOf(object)))
  }
  return new Map()
}

function byKey(body: unknown): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>()
  // One line of NDJSON is JSON, too.
  const lines = typeof body === 'string' ? body.split('\n').filter(line => line !== '') : [JSON.stringify(body)]
  for (const line of lines) {
    const object = parsed(line)
    if (object !== null) found.set(keyOf(object), object)
  }
  return found
}

function keyOf({ type, id }: { type?: unknown; id?: unknown }): string {
  return `${String(type)}/${String(id)}`
}

/** null: it was refused for something else. */
function missingIn(body: unknown): Set<string> | null {
  const { attributes } = (body ?? {}) as { attributes?: { objects?: unknown } }
  if (!Array.isArray(attributes?.objects) || attributes.objects.length === 0) return null
  const missing = new Set<string>()
  for (const object of attributes.objects as { type?: unknown; id?: unknown; error?: { statusCode?: unknown } }[]) {
    if (object.error?.statusCode !== 404) return null
    missing.add(keyOf(object))
  }
  return missing
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const object: unknown = JSON.parse(line)
    return typeof object === 'object' && object !== null ? (object as Record<string, unknown>) : null
  } catch {
    throw new Why5xxError('WHY5XX_KIBANA', 'Kibana gave an export that is no NDJSON')
  }
}

async function look(
  kibana: Kibana,
  object: KibanaObject,
  saved: ReadonlyMap<string, Record<string, unknown>>
): Promise<Looked> {
  const { kind, id, title, mark, body } = object
  const place = { name: `${kind} ${title} (${id})`, ours: mark, object }
  if (isSavedObject(object)) {
    const known = saved.get(keyOf(body))
    if (known === undefined) return { ...place, found: null }
    const { fieldAttrs, description } = (known.attributes ?? {}) as Record<string, unknown>
    return { ...place, found: { mark: markIn(kind === 'data view' ? fieldAttrs : description), body: known } }
  }
  const answer = await kibana.ask({ method: 'GET', path: pathOf(object) })
  if (answer.status === 404) return { ...place, found: null }
  const known = answer.body as Record<string, unknown> | null
  if (answer.status !== 200 || typeof known !== 'object' || known === null)
    throw refusal(answer, place.name, kibana.space)
  const { description } = (known.data ?? {}) as Record<string, unknown>
  const text = kind === 'dashboard' ? description : Array.isArray(known.tags) ? known.tags.join('\n') : null
  return { ...place, found: { mark: markIn(text), body: known } }
}

function isSavedObject({ kind }: KibanaObject): boolean {
  return kind === 'data view' || kind === 'saved query'
}

function pathOf({ kind, id }: KibanaObject): string {
  return kind === 'dashboard' ? `/api/dashboards/${id}` : `/api/alerting/rule/${id}`
}

function hasActions(rule: Record<string, unknown> | undefined): boolean {
  return Array.isArray(rule?.actions) && rule.actions.length > 0
}

async function write(kibana: Kibana, changed: readonly Looked[]): Promise<void> {
  const lines = changed.filter(({ object }) => isSavedObject(object)).map(({ object }) => object.body)
  if (lines.length > 0) await importLines(kibana, lines)
  for (const place of changed) {
    const { object, found, name } = place
    if (object.kind === 'dashboard') {
      const answer = await kibana.ask({ method: 'PUT', path: pathOf(object), body: object.body })
      if (answer.status !== 200 && answer.status !== 201) throw refusal(answer, name, kibana.space)
    } else if (object.kind === 'rule') {
      const answer = found === null ? await createRule(kibana, object) : await updateRule(kibana, object, found.body)
      if (answer.status !== 200) throw refusal(answer, name, kibana.space)
    }
  }
}

async function importLines(kibana: Kibana, lines: readonly Record<string, unknown>[]): Promise<void> {
  const what = 'data views and saved queries'
  const query = { overwrite: true }
  const answer = await kibana.ask({ method: 'POST', path: '/api/saved_objects/_import', query, lines })
  const { success, errors } = (answer.body ?? {}) as { success?: unknown; errors?: unknown }
  if (answer.status !== 200) throw refusal(answer, what, kibana.space)
  if (success === true) return
  const problems = (Array.isArray(errors) ? (errors as { id?: unknown; error?: { type?: unknown } }[]) : []).map(
    ({ id, error }) => `${String(id)} (${String(error?.type)})`
  )
  throw new Why5xxError('WHY5XX_KIBANA', `Kibana did not import ${what}: ${clip(safeText(problems.join(', ')), 400)}`)
}

type RuleAnswer = Awaited<ReturnType<Kibana['ask']>>

async function createRule(kibana: Kibana, object: KibanaObject): Promise<RuleAnswer> {
  const path = pathOf(object)
  const answer = await kibana.ask({ method: 'POST', path, body: object.body })
  if (answer.status !== 409) return answer
  // Another setup was faster; or it lies where we do not see it.
  const place = await look(kibana, object, new Map())
  if (place.found === null) return answer
  refuseOthers([place], 'WHY5XX_KIBANA')
  return updateRule(kibana, object, place.found.body)
}

function updateRule(kibana: Kibana, object: KibanaObject, found: Record<string, unknown>): Promise<RuleAnswer> {
  return kibana.ask({ method: 'PUT', path: pathOf(object), body: updateBody(object.body, found) })
}
