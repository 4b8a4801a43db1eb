/** Puts templates and lifecycle policies into a cluster: creates what is missing, updates what is ours, leaves what is not. */

import type { Client } from '@elastic/elasticsearch'
import { Why5xxError } from '../../errors.ts'
import { type OurMark, type Outcome, outcomeOf, type Place, refuseOthers } from '../../ownership.ts'
import { errorTypeOf, sentenceOf, statusOf } from './connection.ts'
import { PREFIX } from './names.ts'
import { type Lifecycle, metaOf, type Resource, resources } from './templates.ts'

export interface SetupOptions {
  /** null: the worker deletes old indices itself. */
  lifecycle: Lifecycle | null
  /** Only says what it would do. */
  isDryRun: boolean
  prefix?: string
}

export interface SetupStep {
  type: Resource['type']
  name: string
  outcome: Outcome
}

export interface SetupResult {
  steps: SetupStep[]
  /** What else there is to know, in sentences. */
  notes: string[]
}

/** Without `_meta` something is not ours. */
interface Found {
  mark: Partial<OurMark> | null
  body: Record<string, unknown>
}

const NO_LIFECYCLE =
  'this cluster has no index lifecycle management, so nothing deletes old indices: set sink.elasticsearch.lifecycle to own, and run deletes them'
const NEXT_DAY =
  'indices that are there already keep their mappings: what was updated holds from the next day’s indices on'

/**
 * Nothing is written when anything that is there is not ours. Throws Why5xxError `WHY5XX_STORE` that names it, or says why
 * the cluster cannot be asked.
 */
export async function setUp(client: Client, options: SetupOptions): Promise<SetupResult> {
  const { isDryRun, prefix = PREFIX } = options
  try {
    const hasLifecycle = await hasPolicies(client)
    const notes = options.lifecycle !== null && !hasLifecycle ? [NO_LIFECYCLE] : []
    const wanted = resources(hasLifecycle ? options.lifecycle : null, prefix)
    const found = await Promise.all(wanted.map(resource => read(client, resource)))
    const places = wanted.map(
      ({ type, name, body }, i): Place => ({ name: `${type} ${name}`, ours: metaOf(body), found: found[i]! })
    )
    refuseOthers(places, 'WHY5XX_STORE')
    const steps: SetupStep[] = []
    for (const [i, resource] of wanted.entries()) {
      const { type, name } = resource
      const outcome = outcomeOf(places[i]!)
      if (outcome !== 'unchanged' && !isDryRun) await put(client, resource, found[i]!)
      steps.push({ type, name, outcome })
    }
    if (steps.some(({ type, outcome }) => type !== 'lifecycle policy' && outcome === 'updated')) notes.push(NEXT_DAY)
    return { steps, notes }
  } catch (error) {
    if (error instanceof Why5xxError) throw error
    throw new Why5xxError('WHY5XX_STORE', `Elasticsearch ${sentenceOf(error)}`, { cause: error })
  }
}

/**
 * Are the templates there by which a writer's indices are made? Without them Elasticsearch guesses types, and guesses wrong.
 * Throws Why5xxError `WHY5XX_STORE`. Whoever may not ask is believed to know.
 */
export async function assertTemplates(client: Client): Promise<void> {
  const missing: string[] = []
  for (const resource of resources(null)) {
    if (resource.type === 'lifecycle policy') continue
    try {
      const found = await read(client, resource)
      if (found?.mark?.managed_by !== 'why5xx') missing.push(resource.name)
    } catch (error) {
      if (statusOf(error) === 403) return
      throw new Why5xxError('WHY5XX_STORE', `Elasticsearch ${sentenceOf(error)}`, { cause: error })
    }
  }
  if (missing.length === 0) return
  throw new Why5xxError(
    'WHY5XX_STORE',
    `Elasticsearch lacks our templates (${missing.join(', ')}): run why5xx setup once, with the rights to manage index templates`
  )
}

/** Serverless has no such thing, and says so in several ways. */
async function hasPolicies(client: Client): Promise<boolean> {
  try {
    await client.ilm.getLifecycle({ name: PREFIX })
    return true
  } catch (error) {
    if (errorTypeOf(error) === 'resource_not_found_exception') return true
    if ([400, 404, 405, 410].includes(statusOf(error) ?? 0)) return false
    throw error
  }
}

async function read(client: Client, { type, name }: Resource): Promise<Found | null> {
  try {
    if (type === 'lifecycle policy') {
      const policy = (await client.ilm.getLifecycle({ name }))[name]?.policy
      return policy === undefined ? null : foundOf(policy)
    }
    if (type === 'component template') {
      const { component_templates: found } = await client.cluster.getComponentTemplate({ name })
      return foundOf(found[0]!.component_template)
    }
    const { index_templates: found } = await client.indices.getIndexTemplate({ name })
    return foundOf(found[0]!.index_template)
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}

function foundOf(body: object): Found {
  const { _meta } = body as { _meta?: Partial<OurMark> }
  return { mark: _meta ?? null, body: body as Record<string, unknown> }
}

async function put(client: Client, { type, name, body }: Resource, found: Found | null): Promise<void> {
  const meta = metaOf(body)
  const querystring = { name, _meta: meta as unknown as Record<string, unknown> }
  if (type === 'component template') await client.cluster.putComponentTemplate({ ...body, ...querystring } as never)
  else if (type === 'index template') await client.indices.putIndexTemplate({ ...body, ...querystring } as never)
  else {
    // Tiers that the owner has added stay.
    const phases = { ...(found?.body.phases as object | undefined), ...(body.phases as object) }
    await client.ilm.putLifecycle({ name, policy: { phases, _meta: querystring._meta } as never })
  }
}
