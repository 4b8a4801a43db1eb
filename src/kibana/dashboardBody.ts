/** A dashboard as `PUT /api/dashboards/{id}` of Kibana 9.5 takes it: panels of ES|QL, controls for its parameters. Pure but for a hash. */

import type { Dashboard, DashboardParam, Panel } from '../dashboards/dashboard.ts'
import { besideTotals, esqlText } from '../store/esql.ts'
import { columnsOf } from '../store/tableCheck.ts'
import { EVERY_VALUE } from '../store/tableParam.ts'
import { idIn, type KibanaObject, markOf, markText } from './object.ts'

type Json = Record<string, unknown>

const CHOICES_MAX = 1_000
const TIME_AXIS = { scale: 'temporal', domain: { type: 'fit', rounding: false }, title: { visible: false } }
const PERCENT = { type: 'number', decimals: 2, suffix: '%' }

export function dashboardObject(dashboard: Dashboard, space: string): KibanaObject {
  const content: Json = {
    title: dashboard.title,
    description: dashboard.description,
    time_range: { from: 'now-3h', to: 'now' },
    ...(dashboard.params.length > 0 && { pinned_panels: dashboard.params.map(control) }),
    panels: dashboard.panels.map(({ id, grid, ...panel }) => ({ type: 'vis', id, grid, config: config(panel) }))
  }
  const mark = markOf(content)
  return {
    kind: 'dashboard',
    id: idIn(space, dashboard.name),
    title: dashboard.title,
    mark,
    body: { ...content, description: `${dashboard.description} ${markText(mark)}` }
  }
}

function config({ title, description, shape, query }: Omit<Panel, 'id' | 'grid'>): Json {
  const data_source = { type: 'esql', query: esqlText(query, besideTotals(query.from)) }
  const names = columnsOf(query).map(({ as }) => as)
  const column = (as: string): Json => ({ column: as, ...(isPercent(query, as) && { format: PERCENT }) })
  const shown = { title, description }
  if (shape.type === 'metric') {
    const beside = names.find(as => as !== shape.value)
    return {
      type: 'metric',
      ...shown,
      data_source,
      metrics: [
        { type: 'primary', ...column(shape.value) },
        ...(beside === undefined ? [] : [{ type: 'secondary', ...column(beside) }])
      ]
    }
  }
  if (shape.type === 'table') {
    // Groups come first in both; a list has none, and one column of numbers at least is expected of older schemas.
    const groups = 'columns' in query ? [] : query.by.map(({ as }) => as)
    return {
      type: 'data_table',
      ...shown,
      data_source,
      ...(groups.length > 0 && { rows: groups.map(column) }),
      metrics: names.filter(as => !groups.includes(as)).map(column)
    }
  }
  const hasSeries = shape.breakdown !== undefined || shape.y.length > 1
  return {
    type: 'xy',
    ...shown,
    axis: { x: TIME_AXIS, y: { title: { visible: false } } },
    legend: { position: 'bottom', visibility: hasSeries ? 'visible' : 'hidden', layout: { type: 'list' } },
    layers: [
      {
        type: shape.type === 'bars' ? 'bar_stacked' : 'line',
        data_source,
        x: column(shape.x),
        y: shape.y.map(column),
        ...(shape.breakdown !== undefined && { breakdown_by: column(shape.breakdown) })
      }
    ]
  }
}

function isPercent(query: Panel['query'], as: string): boolean {
  return 'measures' in query && query.measures.some(measure => measure.as === as && 'percent' in measure)
}

/** A choice of one value or of all: `*`, which stands first and is chosen. */
function control({ name, title, field, from }: DashboardParam): Json {
  const { pattern, only } = besideTotals(from)
  const where = ['@timestamp >= ?_tstart', '@timestamp < ?_tend', ...only, `${field} IS NOT NULL`]
  return {
    type: 'esql_control',
    width: 'medium',
    grow: true,
    config: {
      title,
      variable_name: name,
      variable_type: 'values',
      control_type: 'VALUES_FROM_QUERY',
      esql_query: [
        `FROM ${pattern}`,
        `WHERE ${where.join(' AND ')}`,
        `STATS BY choice = ${field}`,
        `EVAL choice = MV_APPEND("${EVERY_VALUE}", choice)`,
        'MV_EXPAND choice',
        'STATS BY choice',
        'SORT choice',
        `LIMIT ${CHOICES_MAX}`
      ].join('\n| '),
      selected_options: [EVERY_VALUE],
      single_select: true
    }
  }
}
