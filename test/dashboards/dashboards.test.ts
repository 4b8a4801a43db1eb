/** What every dashboard keeps to, whoever shows it. */
import { expect, test } from 'vitest'
import type { Panel } from '../../src/dashboards/dashboard.ts'
import { DASHBOARDS } from '../../src/dashboards/dashboards.ts'
import type { Condition, TableQuery } from '../../src/store/table.ts'
import { columnsOf } from '../../src/store/tableCheck.ts'
import { tableField } from '../../src/store/tableFields.ts'

const COLUMNS = 48

const panels = DASHBOARDS.flatMap(dashboard => dashboard.panels.map(panel => ({ dashboard, panel })))

function conditionsOf(query: TableQuery): Condition[] {
  if ('columns' in query) return [...query.where]
  return [...query.where, ...query.measures.flatMap(measure => ('count' in measure ? (measure.where ?? []) : []))]
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
    // Throws for a field that documents of this kind have not, or that cannot be asked so.
    const columns = columnsOf(query).map(({ as }) => as)
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
    const declared = dashboard.params.map(({ name }) => name)
    const used = conditionsOf(query).flatMap(condition => ('isParam' in condition ? [condition.isParam] : []))
    for (const name of used) expect(declared).toContain(name)
    expect(panel.description).toMatch(/[.]$/)
  }
)

test('what can be chosen is a text of the documents that it is chosen from', () => {
  for (const { params } of DASHBOARDS)
    for (const { field, from } of params) expect(tableField(from, field)).toMatchObject({ type: 'text', isExact: true })
})

test('what can be chosen is used', () => {
  for (const { name, params, panels } of DASHBOARDS) {
    const used = panels
      .flatMap(({ query }) => conditionsOf(query))
      .flatMap(condition => ('isParam' in condition ? [condition.isParam] : []))
    for (const param of params) expect(used, name).toContain(param.name)
  }
})
