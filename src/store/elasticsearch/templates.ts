/** What `setup` puts into a cluster: component templates, index templates and lifecycle policies, from the tables of fields. */

import { createHash } from 'node:crypto'
import type { OurMark } from '../../ownership.ts'
import { FIELDS, type MappedField, propertiesOf } from './fields.ts'
import { KINDS, type Kind, PREFIX } from './names.ts'

/** Raised on every change of a template that an older program must not undo. */
export const TEMPLATE_VERSION = 3

export interface Lifecycle {
  /** How long failures, controller lines and rejects are kept. */
  retentionMs: number
  /** Totals per minute. */
  rollupRetentionMs: number
}

/** One thing in the cluster, and its body without `_meta`. */
export interface Resource {
  type: 'lifecycle policy' | 'component template' | 'index template'
  name: string
  body: Record<string, unknown>
}

/** Shipped templates take `logs-*-*` at 100 and a cluster's own often 200. */
const PRIORITY = 500
const DAY_MS = 86_400_000

/**
 * Everything, in the order in which it can be created. `lifecycle` null: the cluster has none, or the worker deletes itself.
 * `prefix` is other than `why5xx` only where a test must not touch what is there.
 */
export function resources(lifecycle: Lifecycle | null, prefix = PREFIX): Resource[] {
  const all = KINDS.filter(kind => kind !== 'state').flatMap(kind => FIELDS[kind])
  const isOurs = ([path]: MappedField): boolean => /^(?:why5xx|nginx_ingress_controller)\./.test(path)
  const component = (name: string, template: object): Resource => ({
    type: 'component template',
    name: `${prefix}-${name}`,
    body: { template }
  })
  const mappings = (fields: readonly MappedField[]): object => ({
    mappings: {
      dynamic: false,
      ...(fields.some(([, type]) => type === 'labels') && { dynamic_templates: [LABELS] }),
      properties: propertiesOf(fields)
    }
  })
  const policies: Resource[] =
    lifecycle === null
      ? []
      : [
          { type: 'lifecycle policy', name: prefix, body: policyBody(lifecycle.retentionMs) },
          { type: 'lifecycle policy', name: `${prefix}-rollup`, body: policyBody(lifecycle.rollupRetentionMs) }
        ]
  return [
    ...policies,
    component('ecs', mappings(all.filter(field => !isOurs(field)))),
    component('fields', mappings(all.filter(isOurs))),
    component('settings', { settings: SETTINGS }),
    ...KINDS.map(
      (kind): Resource => ({
        type: 'index template',
        name: `${prefix}-${kind}`,
        body: indexTemplate(kind, prefix, lifecycle !== null)
      })
    )
  ]
}

/**
 * Sorted by service, as it is asked for. The source is kept as it was written: what a reader gets must be what `explain`
 * prints, and a rebuilt one needs a paid licence.
 */
const SETTINGS = {
  'index.mode': 'logsdb',
  'index.sort.field': ['service.name', '@timestamp'],
  'index.sort.order': ['asc', 'desc'],
  'index.mapping.source.mode': 'stored',
  'index.number_of_shards': 1,
  'index.mapping.total_fields.limit': 400,
  'index.refresh_interval': '5s'
}

/** Labels are named by the options, at most 50 of them: no table knows them. */
const LABELS = { labels: { path_match: 'labels.*', mapping: { type: 'keyword', ignore_above: 1_024 } } }

function indexTemplate(kind: Kind, prefix: string, hasLifecycle: boolean): Record<string, unknown> {
  const isDaily = kind !== 'state' && kind !== 'incident'
  const template: Record<string, unknown> = {}
  if (isDaily && hasLifecycle)
    template.settings = {
      'index.lifecycle.name': kind === 'rollup' ? `${prefix}-rollup` : prefix,
      'index.lifecycle.parse_origination_date': true
    }
  if (kind === 'state') {
    // A few documents that are overwritten once a second: nothing is sorted, one shard on whatever nodes there are.
    template.settings = { 'index.number_of_shards': 1, 'index.auto_expand_replicas': '0-1' }
    template.mappings = { dynamic: false, properties: propertiesOf(FIELDS.state) }
  }
  const ours = kind === 'state' ? [] : [`${prefix}-ecs`, `${prefix}-fields`, `${prefix}-settings`]
  return {
    index_patterns: [`${prefix}-${kind}-*`],
    priority: PRIORITY,
    composed_of: kind === 'state' ? [] : [...ours, `${prefix}@custom`],
    ...(kind !== 'state' && { ignore_missing_component_templates: [`${prefix}@custom`] }),
    template
  }
}

/** Deletes; tiers are the owner's to add. */
function policyBody(retentionMs: number): Record<string, unknown> {
  // Whole days as such; Elasticsearch knows no weeks and no `1h30m`.
  const age = retentionMs % DAY_MS === 0 ? `${retentionMs / DAY_MS}d` : `${Math.ceil(retentionMs / 60_000)}m`
  return { phases: { delete: { min_age: age, actions: { delete: {} } } } }
}

export function metaOf(body: Record<string, unknown>, version = TEMPLATE_VERSION): OurMark {
  const content = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16)
  return { managed_by: 'why5xx', version, content }
}
