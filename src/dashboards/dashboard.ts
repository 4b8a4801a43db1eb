/** What a dashboard is, before Kibana: panels, each a question to the store. Pure. */

import type { TableQuery } from '../store/table.ts'

/**
 * `metric`: one row, its numbers large. `bars` and `lines`: `x` to `y`, split by `breakdown`; bars are stacked. `table`: all columns,
 * in the order of the query.
 */
export type PanelShape =
  | { type: 'metric'; value: string }
  | { type: 'bars' | 'lines'; x: string; y: readonly string[]; breakdown?: string }
  | { type: 'table' }

export interface Panel {
  /** Unique in its dashboard: letters, digits, `-`. */
  id: string
  title: string
  /** A sentence: what it counts, and what to do with it. */
  description: string
  shape: PanelShape
  query: TableQuery
  /** Of a grid of 48 columns. */
  grid: { x: number; y: number; w: number; h: number }
}

/** What the reader chooses at the top; a `Condition` with `isParam` uses it. */
export interface DashboardParam {
  name: string
  title: string
  /** Whose values can be chosen, of documents of which kind. */
  field: string
  from: TableQuery['from']
}

export interface Dashboard {
  /** `overview`, …; in Kibana `why5xx-overview`. */
  name: string
  title: string
  description: string
  params: readonly DashboardParam[]
  panels: readonly Panel[]
}
