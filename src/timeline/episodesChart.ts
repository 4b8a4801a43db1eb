import type { CustomSeriesOption } from 'echarts/charts'
import { clip, safeText } from '../text.ts'
import { colorOf, drawnCauses, letterOf } from './charts.ts'
import { type Canvas, draw, headings, RIGHT, timeAxis } from './drawing.ts'
import type { Timeline } from './model.ts'

const ROW_HEIGHT = 26
const ROWS_MAX = 14

/** One row a cause and upstream: when it was there. */
export function drawEpisodes(timeline: Timeline, canvas: Canvas, about: string): string {
  const { basis } = timeline.course
  const rows = timeline.causes.shown
    .filter(({ failed, masked }) => basis === 'other' || failed + masked > 0)
    .slice(0, ROWS_MAX)
  const causes = drawnCauses(timeline)
  const isNarrow = canvas.width < 500
  // On a phone a row's name stands above its bar.
  const rowHeight = isNarrow ? ROW_HEIGHT + 10 : ROW_HEIGHT
  const left = isNarrow ? 8 : 290
  const top = 26
  const height = rows.length * rowHeight
  const nameOf = (index: number): string => {
    const { cause, upstream } = rows[index]!
    const letter = causes.findIndex(entry => entry.cause === cause)
    const name = `${letter < 0 ? '' : `${letterOf(letter)}  `}${cause}, ${upstream === '' ? '(no upstream)' : safeText(upstream)}`
    return clip(name, isNarrow ? 44 : 38)
  }
  const bars = rows.flatMap((row, index) =>
    row.episodes.shown.map(({ from, to }) => [Date.parse(from), Date.parse(to), index])
  )
  const bar: CustomSeriesOption = {
    type: 'custom',
    silent: true,
    clip: true,
    data: bars,
    renderItem: (_, api) => {
      const index = api.value(2) as number
      const [x = 0, y = 0] = api.coord([api.value(0), index + 0.5])
      const [endX = 0] = api.coord([api.value(1), 0])
      const letter = causes.findIndex(entry => entry.cause === rows[index]!.cause)
      const shape = { x, y: y - 5 + (isNarrow ? 7 : 0), width: Math.max(3, endX - x), height: 10, r: 2 }
      return { type: 'rect', shape, style: { fill: letter < 0 ? 'var(--quiet)' : colorOf(letter) } } as never
    }
  }
  const names: CustomSeriesOption = {
    type: 'custom',
    silent: true,
    clip: false,
    data: rows.map((_, index) => [canvas.fromMs, index]),
    renderItem: (_, api) => {
      const index = api.value(1) as number
      const [x = 0, y = 0] = api.coord([api.value(0), index + 0.5])
      const place = isNarrow ? { x, y: y - 9, align: 'left' } : { x: left - 12, y, align: 'right' }
      const style = { text: nameOf(index), ...place, verticalAlign: 'middle', fill: 'var(--text)', fontSize: 12 }
      return { type: 'text', style } as never
    }
  }
  return draw(
    {
      grid: { left, right: RIGHT, top, height },
      xAxis: timeAxis(canvas),
      yAxis: {
        type: 'value',
        inverse: true,
        min: 0,
        max: rows.length,
        interval: 1,
        axisLabel: { show: false },
        axisTick: { show: false },
        axisLine: { show: false },
        splitLine: { lineStyle: { color: 'var(--line)' } }
      },
      series: [bar, names, headings([[2, 'When each cause was there']])]
    },
    canvas,
    { height: top + height + 28, title: 'When each cause was there', about }
  )
}
