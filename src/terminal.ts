import { styleText } from 'node:util'

export interface Style {
  bold: (text: string) => string
  dim: (text: string) => string
  red: (text: string) => string
  yellow: (text: string) => string
  green: (text: string) => string
  /** Columns a line may have. */
  width: number
}

const PIPE_WIDTH = 140
const WIDTH_MIN = 60
const WIDTH_MAX = 180

/** NO_COLOR (no-color.org) and --no-color win. */
export function isColored(stream: NodeJS.WriteStream, color = true): boolean {
  return color && stream.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
}

/** Colour and width that fit where the stream goes. */
export function styleFor(stream: NodeJS.WriteStream, color: boolean): Style {
  const isPainted = isColored(stream, color)
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isPainted ? styleText(format, text, { validateStream: false }) : text
  const columns = stream.isTTY ? stream.columns : PIPE_WIDTH
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    yellow: paint('yellow'),
    green: paint('green'),
    width: Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, columns || PIPE_WIDTH))
  }
}
