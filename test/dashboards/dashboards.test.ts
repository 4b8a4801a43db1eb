/** What every dashboard keeps to, whoever shows it. */
import { expect, test } from 'vitest'
import type { Panel } from '../../src/dashboards/dashboard.ts'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import { FIELDS } from '../../src/store/elasticsearch/fields.ts'
import type { Condition, TableQuery } from '../../src/store/table.ts'

const COLUMNS = 48

const panels = DASHBOARDS.flatMap(dashboard => dashboard.panels.map(panel => ({ dashboard, panel })))

function conditionsOf(query: TableQuery): Condition[] {
  if ('columns' in query) return [...query.where]
  return [...query.where, ...query.measures.flatMap(measure => ('count' in measure ? (measure.where ?? []) : []))]
}

/** In the order of the rows: groups first. */
function columnsOf(query: TableQuery): string[] {
  if ('columns' in query) return query.columns.map(({ as }) => as)
  return [...query.by, ...query.measures].map(({ as }) => as)
}

function doOverlap({ grid: a }: Panel, { grid: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

test('names are unique, and fit into an address', () => {
  const names = DASHBOARDS.map(({ name }) => name)
  expect(names).toEqual(['overview', 'service', 'incident', 'health'])
  for (const { name, panels, title, description } of DASHBOARDS) {
    const ids = panels.map(({ id }) => id)
    expect(new Set(ids).size, name).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9-]*$/)
    expect(title).toMatch(/^why5xx /)
    expect(description).toMatch(/\.$/)
  }
})

test('panels lie side by side on the grid, without holes between rows', () => {
  for (const { name, panels } of DASHBOARDS) {
    for (const [i, panel] of panels.entries()) {
      const { x, w, h } = panel.grid
      expect(x >= 0 && w > 0 && h > 0 && x + w <= COLUMNS, `${name}/${panel.id}`).toBe(true)
      const over = panels.slice(i + 1).filter(other => doOverlap(panel, other))
      expect(
        over.map(({ id }) => id),
        `${name}/${panel.id}`
      ).toEqual([])
    }
    const area = panels.reduce((sum, { grid }) => sum + grid.w * grid.h, 0)
    expect(area, name).toBe(COLUMNS * Math.max(...panels.map(({ grid }) => grid.y + grid.h)))
  }
})

test.each(panels.map(({ dashboard, panel }) => [`${dashboard.name}/${panel.id}`, dashboard, panel] as const))(
  '%s asks for what it shows',
  (_name, dashboard, panel) => {
    const { query, shape } = panel
    const columns = columnsOf(query)
    expect(new Set(columns).size).toBe(columns.length)
    if (shape.type === 'metric') {
      expect(columns).toContain(shape.value)
      expect(query).toMatchObject({ by: [], limit: 1 })
    } else if (shape.type !== 'table') {
      // A chart has one row for each place in it.
      const axes = [shape.x, ...(shape.breakdown === undefined ? [] : [shape.breakdown])]
      expect('by' in query && query.by.map(({ as }) => as)).toEqual(axes)
      for (const y of shape.y) expect(columns).toContain(y)
      if (shape.breakdown !== undefined) expect(shape.y).toHaveLength(1)
    }
    for (const { by } of query.sort) expect(columns).toContain(by)
    const declared = dashboard.params.map(({ name }) => name)
    const used = conditionsOf(query).flatMap(condition => ('isParam' in condition ? [condition.isParam] : []))
    for (const name of used) expect(declared).toContain(name)
    expect(panel.description).toMatch(/[.]$/)
  }
)

/** Every field that a question names. */
function fieldsOf(query: TableQuery): string[] {
  const named = conditionsOf(query).map(({ field }) => field)
  if ('columns' in query) return [...named, ...query.columns.map(({ field }) => field)]
  for (const group of query.by) named.push('field' in group ? group.field : group.bucketOf)
  for (const measure of query.measures)
    for (const key of ['sum', 'avg', 'min', 'max'] as const)
      if (key in measure) named.push((measure as unknown as Record<typeof key, string>)[key])
  return [...named, query.timeField]
}

test('every field is one that documents of its kind have', () => {
  const unknown: string[] = []
  for (const { dashboard, panel } of panels) {
    const mapped = new Set(FIELDS[panel.query.from].map(([path]) => path))
    for (const field of fieldsOf(panel.query))
      if (!mapped.has(field)) unknown.push(`${dashboard.name}/${panel.id}: ${field} of ${panel.query.from}`)
  }
  for (const { name, params } of DASHBOARDS)
    for (const { field, from } of params)
      if (!FIELDS[from].some(([path]) => path === field)) unknown.push(`${name}: ${field} of ${from}`)
  expect(unknown).toEqual([])
})

test('what can be chosen is used', () => {
  for (const { name, params, panels } of DASHBOARDS) {
    const used = panels
      .flatMap(({ query }) => conditionsOf(query))
      .flatMap(condition => ('isParam' in condition ? [condition.isParam] : []))
    for (const param of params) expect(used, name).toContain(param.name)
  }
})
