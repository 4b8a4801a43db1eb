/** What the panels of the dashboards say of a window, asked of the store as their twins. */
import { DASHBOARDS } from '../../../src/dashboards/dashboards.ts'
import type { StoreReader } from '../../../src/store/store.ts'
import type { TableRow, TableWindow } from '../../../src/store/table.ts'

export interface PanelWindow {
  fromMs: number
  toMs: number
}

/** More rows than a panel shows: of each fault of the lab there is a group. */
const ROWS_MAX = 10_000

export class WayPanels {
  readonly #reader: StoreReader
  readonly #window: TableWindow

  constructor(reader: StoreReader, { fromMs, toMs }: PanelWindow) {
    this.#reader = reader
    this.#window = { fromMs, toMs, stepMs: 60_000, params: {} }
  }

  /** `overview/causes`; all of its rows, also those that nobody would see. `params`: what the reader has chosen. */
  async rows(path: string, params: Record<string, string> = {}): Promise<TableRow[]> {
    const [name, id] = path.split('/')
    const panel = DASHBOARDS.find(one => one.name === name)?.panels.find(one => one.id === id)
    if (panel === undefined) throw new Error(`there is no panel ${path}`)
    return this.#reader.table({ ...panel.query, limit: ROWS_MAX }, { ...this.#window, params })
  }

  /** The only row of a panel. */
  async row(path: string, params: Record<string, string> = {}): Promise<TableRow> {
    const [row] = await this.rows(path, params)
    return row!
  }
}

export function sumOf(rows: readonly TableRow[], column: string): number {
  return rows.reduce((sum, row) => sum + Number(row[column]), 0)
}
