/** How echarts draws for a page, without a browser. Colours are variables of the page's style. */

import { CustomChart, LineChart } from 'echarts/charts'
import { GridComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import type { ClockText } from '../explain/clockText.ts'
import { axisLabel, type Tick, timeTicks } from './ticks.ts'

use([CustomChart, LineChart, GridComponent, SVGRenderer])

/** Room right of a plot, px. */
export const RIGHT = 14

/** Where a picture goes: a wide page or a phone. */
export interface Canvas {
  /** Part of the ids within the SVG. */
  name: string
  width: number
  clock: ClockText
  fromMs: number
  toMs: number
}

export function timeAxis(canvas: Canvas): object {
  const ticks = timeTicks(canvas.fromMs, canvas.toMs, Math.floor(canvas.width / 90), canvas.clock)
  const values = ticks.map(tick => tick.ms)
  return {
    type: 'value',
    min: canvas.fromMs,
    max: canvas.toMs,
    axisLine: { onZero: false, lineStyle: { color: 'var(--axis)' } },
    axisTick: { show: true, customValues: values, lineStyle: { color: 'var(--axis)' } },
    axisLabel: {
      customValues: values,
      color: 'var(--muted)',
      fontSize: 12,
      formatter: (ms: number) => labelOf(ticks, ms),
      showMinLabel: true,
      showMaxLabel: true
    },
    splitLine: { show: false }
  }
}

function labelOf(ticks: Tick[], ms: number): string {
  return ticks.find(tick => tick.ms === ms)?.label ?? ''
}

export function countAxis(most: number, unit: string): object {
  return {
    type: 'value',
    min: 0,
    max: most,
    interval: most / 2,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: 'var(--muted)', fontSize: 12, formatter: (value: number) => `${axisLabel(value)}${unit}` },
    splitLine: { lineStyle: { color: 'var(--line)' } }
  }
}

/** What stands above a grid, at these heights. */
export function headings(texts: [y: number, text: string][]): object {
  return {
    type: 'custom',
    silent: true,
    clip: false,
    coordinateSystem: 'none',
    data: texts.map(([y]) => [y]),
    renderItem: ({ dataIndex }: { dataIndex: number }) => {
      const [y, text] = texts[dataIndex]!
      return { type: 'text', style: { text, x: 0, y, fill: 'var(--text)', fontSize: 13, fontWeight: 600 } }
    }
  }
}

/** Options → SVG that scales with the page, reads aloud, and holds no script, no style sheet and no address. */
export function draw(
  option: EChartsCoreOption,
  { name, width }: Canvas,
  { height, title, about }: { height: number; title: string; about: string }
): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  try {
    chart.setOption({ animation: false, textStyle: { fontFamily: 'inherit' }, ...option })
    const drawn = chart.renderToSVGString({ useViewBox: true })
    const content = drawn
      .replace(/^<svg[^>]*>/, '')
      .replace(/<style[\s\S]*?<\/style>/g, '')
      .replace(/ (?:class="zr[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="[^"]*")/g, '')
      .replace(/font-family:[^;"]*;?/g, '')
      // The counter of charts in this process is nobody's business.
      .replace(/\bzr\d+-/g, `${name}-`)
    return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${name}-title ${name}-about"><title id="${name}-title">${title}</title><desc id="${name}-about">${about}</desc>${content}`
  } finally {
    chart.dispose()
  }
}
