/**
 * Data views and saved queries (Discover sessions with ES|QL), as lines of the NDJSON that every Kibana since 8.8 imports. They
 * are written in the oldest form that Kibana 9.0 knows, and a newer one brings it up to date by itself. Pure but for a hash.
 */

import { DASHBOARDS } from '../dashboards/dashboards.ts'
import { besideTotals, esqlText, indexPattern } from '../store/esql.ts'
import { TABLE_KINDS, type TableKind } from '../store/table.ts'
import { idIn, type KibanaObject, markOf, markText } from './object.ts'

/** Types of saved objects. */
export const DATA_VIEW_TYPE = 'index-pattern'
export const SESSION_TYPE = 'search'

const CORE_VERSION = '8.8.0'
const DATA_VIEW_VERSION = '8.0.0'
/** The fifth model of Discover sessions: the newest one without tabs. */
const SESSION_VERSION = '10.5.0'

const NAMES: Readonly<Record<TableKind, string>> = {
  failure: 'why5xx failures',
  controller: 'why5xx controller lines and gaps',
  reject: 'why5xx rejects',
  rollup: 'why5xx totals per minute',
  incident: 'why5xx incidents'
}

/** A field that all our documents have, and nobody describes: its description holds our mark. */
const MARKED_FIELD = 'why5xx.schema'

export function dataViews(space: string): KibanaObject[] {
  return TABLE_KINDS.map(kind => {
    const attributes = {
      title: indexPattern(kind),
      name: NAMES[kind],
      timeFieldName: '@timestamp',
      sourceFilters: '[]',
      fields: '[]',
      fieldFormatMap: '{}',
      typeMeta: '{}',
      runtimeFieldMap: '{}',
      // The indices come with the first documents.
      allowNoIndex: true
    }
    const mark = markOf(attributes)
    const fieldAttrs = JSON.stringify({ [MARKED_FIELD]: { customDescription: markText(mark) } })
    const id = idIn(space, kind)
    return {
      kind: 'data view',
      id,
      title: NAMES[kind],
      mark,
      body: line(DATA_VIEW_TYPE, id, { ...attributes, fieldAttrs }, DATA_VIEW_VERSION)
    }
  })
}

/** Tables and charts of the dashboards for which nothing has to be chosen first. */
export function savedQueries(space: string): KibanaObject[] {
  return DASHBOARDS.filter(({ params }) => params.length === 0).flatMap(dashboard =>
    dashboard.panels
      .filter(({ shape }) => shape.type !== 'metric')
      .map((panel): KibanaObject => {
        const title = `${dashboard.title}: ${panel.title}`
        const query = { esql: esqlText(panel.query, besideTotals(panel.query.from)) }
        const attributes = {
          title,
          columns: [],
          sort: [],
          grid: {},
          hideChart: panel.shape.type === 'table',
          isTextBasedQuery: true,
          kibanaSavedObjectMeta: { searchSourceJSON: JSON.stringify({ query, filter: [] }) }
        }
        const mark = markOf({ ...attributes, description: panel.description })
        const id = idIn(space, `${dashboard.name}-${panel.id}`)
        const description = `${panel.description} ${markText(mark)}`
        return {
          kind: 'saved query',
          id,
          title,
          mark,
          body: line(SESSION_TYPE, id, { ...attributes, description }, SESSION_VERSION)
        }
      })
  )
}

function line(
  type: string,
  id: string,
  attributes: Record<string, unknown>,
  typeMigrationVersion: string
): Record<string, unknown> {
  return { type, id, attributes, references: [], coreMigrationVersion: CORE_VERSION, typeMigrationVersion }
}
