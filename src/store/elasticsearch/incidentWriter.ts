/**
 * Writes incidents into `why5xx-incident-{namespace}`. One attempt a call, with a time limit: whoever looks for incidents must
 * not wait, keeps them and tries again. The index is made by its template; no lifecycle deletes it, for there are few.
 */

import type { Client } from '@elastic/elasticsearch'
import type { Incident } from '../../alert/incident.ts'
import type { ElasticsearchConfig } from '../../clusterOptions.ts'
import { Why5xxError } from '../../errors.ts'
import { sizedParts } from '../../sizedParts.ts'
import { clip } from '../../text.ts'
import { incidentDocument } from '../incidentDocument.ts'
import type { IncidentWriter } from '../store.ts'
import { type BulkItem, type ItemAnswer, judgeItem, type Refusal } from './bulkAnswer.ts'
import { openClient } from './connection.ts'
import { versionedItem } from './items.ts'
import { IndexNames } from './names.ts'
import { judgeError } from './patience.ts'
import { sendBulk } from './requests.ts'
import { assertTemplates } from './setup.ts'

const REQUEST_TIMEOUT_MS = 10_000
const REQUEST_BYTES_MAX = 1 << 20
/** Refusals that are remembered, so that each is told once. */
const TOLD_MAX = 1_000

export interface IncidentWriterOptions {
  config: ElasticsearchConfig
  clusterName: string
  /** A sentence for the log. */
  notify: (text: string) => void
}

/** Asks nothing of the cluster yet: it may be away. Throws Why5xxError `WHY5XX_CONFIG` for settings that cannot be. */
export function openElasticsearchIncidents({ config, ...options }: IncidentWriterOptions): IncidentWriter {
  const names = new IndexNames(config.namespace)
  return new ElasticsearchIncidentWriter(openClient(config, REQUEST_TIMEOUT_MS), names.incident, options)
}

class ElasticsearchIncidentWriter implements IncidentWriter {
  readonly #client: Client
  readonly #index: string
  readonly #options: Omit<IncidentWriterOptions, 'config'>
  #hasTemplates = false
  readonly #told = new Set<string>()

  constructor(client: Client, index: string, options: Omit<IncidentWriterOptions, 'config'>) {
    this.#client = client
    this.#index = index
    this.#options = options
  }

  async put(incidents: readonly Incident[]): Promise<void> {
    if (incidents.length === 0) return
    // Without its template Elasticsearch would guess the types of the index, and guess wrong.
    if (!this.#hasTemplates) await assertTemplates(this.#client)
    this.#hasTemplates = true
    const items = incidents.map(incident => this.#itemOf(incident))
    const bytesOf = ({ document }: BulkItem): number => Buffer.byteLength(document)
    for (const part of sizedParts(items, bytesOf, REQUEST_BYTES_MAX)) await this.#send(part)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  #itemOf(incident: Incident): BulkItem {
    const version = Math.max(0, Math.floor(incident.updatedMs))
    const json = JSON.stringify(incidentDocument(incident, this.#options.clusterName))
    return versionedItem('incident', this.#index, incident.id, version, json, 'external_gte')
  }

  async #send(items: readonly BulkItem[]): Promise<void> {
    let answers: ItemAnswer[]
    try {
      answers = await sendBulk(
        this.#client,
        items.flatMap(({ action, document }) => [action, document])
      )
    } catch (error) {
      const { kind, because } = judgeError(error)
      if (kind !== 'too_large') throw new Why5xxError('WHY5XX_STORE', because, { cause: error })
      if (items.length === 1) return this.#refused(items[0]!, { status: 413, type: 'too_large', reason: because })
      const middle = items.length >> 1
      await this.#send(items.slice(0, middle))
      return this.#send(items.slice(middle))
    }
    if (answers.length !== items.length)
      throw new Why5xxError('WHY5XX_STORE', 'Elasticsearch gave an answer that does not fit what was sent')
    let because: string | null = null
    for (const [i, item] of items.entries()) {
      const verdict = judgeItem(answers[i]!, this.#index)
      if (verdict.kind === 'refused') this.#refused(item, verdict)
      else if (verdict.kind === 'retry' || verdict.kind === 'blocked' || verdict.kind === 'denied')
        because ??= verdict.because
    }
    // The others are there by now: sending them again does no harm.
    if (because !== null) throw new Why5xxError('WHY5XX_STORE', because)
  }

  /** It would be refused for ever: told once, and not asked for again until its next change. */
  #refused({ id }: BulkItem, { status, type, reason }: Refusal): void {
    const key = `${id}\n${type}`
    if (this.#told.has(key)) return
    if (this.#told.size >= TOLD_MAX) this.#told.clear()
    this.#told.add(key)
    this.#options.notify(
      `Elasticsearch refuses incident ${clip(id, 100)} (${status}, ${type}: ${clip(reason, 200)}); it is not kept there. why5xx setup puts the templates right`
    )
  }
}
