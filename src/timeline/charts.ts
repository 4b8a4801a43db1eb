/** Requests and failures over time as pictures. */

import type { CustomSeriesOption } from 'echarts/charts'
import { grouped } from '../text.ts'
import { isTold } from './chronicle.ts'
import { type Canvas, countAxis, draw, headings, RIGHT, timeAxis } from './drawing.ts'
import type { Timeline } from './model.ts'
import { niceTop } from './ticks.ts'

/** As many causes get a colour and a letter; the rest is one. */
const CAUSES_DRAWN = 6
const LEFT = 52

/** A cause's letter in pictures and legend. */
export function letterOf(index: number): string {
  return String.fromCharCode(65 + index)
}

/** Causes of the pictures, most first; those without a colour are summed up as `null`. */
export function drawnCauses({ series: { byCause } }: Timeline): { cause: string | null; counts: number[] }[] {
  if (byCause.length <= CAUSES_DRAWN) return byCause
  const rest = byCause.slice(CAUSES_DRAWN - 1)
  const counts = rest[0]!.counts.map((_, i) => rest.reduce((sum, entry) => sum + entry.counts[i]!, 0))
  return [...byCause.slice(0, CAUSES_DRAWN - 1), { cause: null, counts }]
}

/** Requests per bucket, and below it which share of them failed or was saved. */
export function drawRequests(timeline: Timeline, canvas: Canvas, about: string): string {
  const { series } = timeline
  const left = LEFT
  const [top, height, gap] = [26, 84, 58]
  const startMs = Date.parse(series.from)
  const stepMs = series.stepMinutes * 60_000
  const steps = (values: (number | null)[]): [number, number | null][] =>
    values.flatMap((value, i): [number, number | null][] => [
      [startMs + i * stepMs, value],
      [startMs + (i + 1) * stepMs, value]
    ])
  const share = (counts: number[]): (number | null)[] =>
    counts.map((count, i) => (series.requests[i] === 0 ? null : (count / series.requests[i]!) * 100))
  const [failed, masked] = [share(series.failed), share(series.masked)]
  const requestsTop = niceTop(Math.max(...series.requests, 1))
  const shareTop = Math.min(100, niceTop(Math.max(...[...failed, ...masked].map(value => value ?? 0), 1)))
  const axes = (index: number, most: number, unit: string) => ({
    x: { ...timeAxis(canvas), gridIndex: index },
    y: {
      ...countAxis(most, unit),
      gridIndex: index
    }
  })
  const [upper, lower] = [axes(0, requestsTop, ''), axes(1, shareTop, ' %')]
  const line = (values: (number | null)[], grid: number, color: string, more: object): object => ({
    type: 'line',
    xAxisIndex: grid,
    yAxisIndex: grid,
    data: steps(values),
    showSymbol: false,
    silent: true,
    lineStyle: { color, width: 1.5 },
    ...more
  })
  return draw(
    {
      grid: [
        { left, right: RIGHT, top, height },
        { left, right: RIGHT, top: top + height + gap, height }
      ],
      xAxis: [upper.x, lower.x],
      yAxis: [upper.y, lower.y],
      series: [
        line(series.requests, 0, 'var(--quiet)', { areaStyle: { color: 'var(--quiet)', opacity: 0.18 } }),
        ...(timeline.masked > 0
          ? [line(masked, 1, 'var(--saved)', { lineStyle: { color: 'var(--saved)', width: 1.5, type: [4, 3] } })]
          : []),
        line(failed, 1, 'var(--failed)', { areaStyle: { color: 'var(--failed)', opacity: 0.22 } }),
        headings([
          [2, `Requests per ${bucketText(series.stepMinutes)}`],
          [
            top + height + gap - 26,
            timeline.masked > 0 ? 'Share failed (line), saved by a retry (dashed)' : 'Share failed'
          ]
        ])
      ]
    },
    canvas,
    { height: top + 2 * height + gap + 28, title: 'Requests and share of failures over time', about }
  )
}

/** Stacked per bucket; letters stand where a cause is largest, controller events above as dotted lines. */
export function drawCauses(timeline: Timeline, canvas: Canvas, about: string): string {
  const { series } = timeline
  const causes = drawnCauses(timeline)
  const startMs = Date.parse(series.from)
  const stepMs = series.stepMinutes * 60_000
  const sums = series.requests.map((_, i) => causes.reduce((sum, entry) => sum + entry.counts[i]!, 0))
  const most = niceTop(Math.max(...sums, 1))
  const marks = controllerMarks(timeline)
  const [left, top, height] = [LEFT, marks.length > 0 ? 44 : 26, 168]
  const boxes: number[][] = []
  const below = sums.map(() => 0)
  const largest = causes.map(({ counts }) => counts.indexOf(Math.max(...counts)))
  for (const [index, { counts }] of causes.entries()) {
    for (const [i, count] of counts.entries()) {
      if (count === 0) continue
      boxes.push([
        startMs + i * stepMs,
        startMs + (i + 1) * stepMs,
        below[i]!,
        below[i]! + count,
        index,
        largest[index] === i ? 1 : 0
      ])
      below[i]! += count
    }
  }
  const box: CustomSeriesOption = {
    type: 'custom',
    silent: true,
    clip: true,
    data: boxes,
    renderItem: (_, api) => {
      const [x = 0, y = 0] = api.coord([api.value(0), api.value(3)])
      const [endX = 0, endY = 0] = api.coord([api.value(1), api.value(2)])
      const width = Math.max(1, endX - x - (endX - x > 4 ? 1 : 0))
      const index = api.value(4) as number
      const shape = { x, y, width, height: Math.max(0.5, endY - y) }
      const children: object[] = [{ type: 'rect', shape, style: { fill: colorOf(index) } }]
      if (api.value(5) === 1 && endY - y >= 13 && width >= 9) {
        const style = {
          text: letterOf(index),
          x: x + width / 2,
          y: (y + endY) / 2,
          align: 'center',
          verticalAlign: 'middle',
          fill: 'var(--on-color)',
          fontSize: 11,
          fontWeight: 600
        }
        children.push({ type: 'text', style })
      }
      return { type: 'group', children } as never
    }
  }
  return draw(
    {
      grid: { left, right: RIGHT, top, height },
      xAxis: timeAxis(canvas),
      yAxis: countAxis(most, ''),
      series: [
        box,
        markSeries(marks, canvas),
        ...incidentSeries(timeline, canvas),
        headings([[2, `${basisText(timeline)} per ${bucketText(series.stepMinutes)}, by cause`]])
      ]
    },
    canvas,
    { height: top + height + 28, title: 'Failures by cause over time, with controller events', about }
  )
}

function basisText({ course: { basis } }: Timeline): string {
  return basis === 'masked' ? 'Requests saved by a retry' : basis === 'other' ? 'Requests' : 'Failures'
}

function bucketText(minutes: number): string {
  if (minutes === 1) return 'minute'
  return minutes < 60
    ? `${minutes} minutes`
    : minutes === 60
      ? 'hour'
      : minutes === 1_440
        ? 'day'
        : minutes < 1_440
          ? `${minutes / 60} hours`
          : `${grouped(minutes / 1_440)} days`
}

/** What controllers did, as words above the plot. */
function controllerMarks({ controller }: Timeline): { ms: number; word: string }[] {
  return controller.shown
    .filter(isTold)
    .map(event => ({ ms: Date.parse(event.from), word: event.kind.replaceAll('_', ' ') }))
}

const CHAR_WIDTH = 6.2

/** Dotted lines; a word where there is room for it. */
function markSeries(marks: { ms: number; word: string }[], canvas: Canvas): object {
  const plot = canvas.width - LEFT - RIGHT
  const xOf = (ms: number): number => ((ms - canvas.fromMs) / (canvas.toMs - canvas.fromMs)) * plot
  let freeFrom = Number.NEGATIVE_INFINITY
  const words = marks.map(({ ms, word }) => {
    const x = xOf(ms)
    const width = word.length * CHAR_WIDTH
    const isRight = x + width > plot
    const start = isRight ? x - width : x
    if (start < freeFrom) return ''
    freeFrom = start + width + 8
    return word
  })
  return {
    type: 'custom',
    silent: true,
    clip: false,
    data: marks.map(({ ms }) => [ms]),
    renderItem: (
      params: { dataIndex: number; coordSys: { y: number; height: number } },
      api: { value(i: number): number; coord(at: number[]): number[] }
    ) => {
      const [x = 0] = api.coord([api.value(0), 0])
      const { y, height } = params.coordSys
      const word = words[params.dataIndex]!
      const isRight = xOf(api.value(0)) + word.length * CHAR_WIDTH > plot
      const children: object[] = [
        {
          type: 'line',
          shape: { x1: x, y1: y - 6, x2: x, y2: y + height },
          style: { stroke: 'var(--muted)', lineDash: [2, 3], lineWidth: 1 }
        }
      ]
      if (word !== '')
        children.push({
          type: 'text',
          style: { text: word, x, y: y - 18, align: isRight ? 'right' : 'left', fill: 'var(--muted)', fontSize: 11 }
        })
      return { type: 'group', children }
    }
  }
}

/** A bar each on the plot's upper edge, as long as the incident. */
function incidentSeries({ incidents }: Timeline, canvas: Canvas): object[] {
  const inside = (ms: number): number => Math.min(canvas.toMs, Math.max(canvas.fromMs, ms))
  const bars = incidents.shown.map(({ start, end }) => [
    inside(Date.parse(start)),
    end === null ? canvas.toMs : inside(Date.parse(end))
  ])
  if (bars.length === 0) return []
  const bar: CustomSeriesOption = {
    type: 'custom',
    silent: true,
    clip: false,
    data: bars,
    renderItem: (params, api) => {
      const [x = 0] = api.coord([api.value(0), 0])
      const [endX = 0] = api.coord([api.value(1), 0])
      const { y } = params.coordSys as unknown as { y: number }
      const shape = { x, y: y - 5, width: Math.max(2, endX - x), height: 4, r: 2 }
      return { type: 'rect', shape, style: { fill: 'var(--failed)' } } as never
    }
  }
  return [bar]
}

export function colorOf(index: number): string {
  return `var(--cause-${index + 1})`
}
