/** Reads Prometheus' text format, strictly: what does not fit it is an error of the test. */

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export class Exposition {
  readonly families: { name: string; type: string; help: string }[] = []
  readonly samples: Sample[] = []

  value(name: string, labels: Record<string, string>): number | undefined {
    const key = keyOf(labels)
    return this.samples.find(sample => sample.name === name && keyOf(sample.labels) === key)?.value
  }

  type(name: string): string | undefined {
    return this.families.find(family => family.name === name)?.type
  }
}

export function readExposition(text: string): Exposition {
  const exposition = new Exposition()
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  let help = ''
  for (const line of text.split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line)
    if (comment?.[1] === 'HELP') help = comment[3]!
    else if (comment) exposition.families.push({ name: comment[2]!, type: comment[3]!, help })
    else exposition.samples.push(readSample(line))
  }
  return exposition
}

function readSample(line: string): Sample {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line)
  if (!match) throw new Error(`no sample: ${JSON.stringify(line)}`)
  const labels: Record<string, string> = {}
  for (const [, name, quoted] of (match[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"/g))
    labels[name!] = quoted!.replace(/\\(["\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char))
  return { name: match[1]!, labels, value: match[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[3]) }
}

function keyOf(labels: Record<string, string>): string {
  const names = Object.keys(labels).sort()
  return JSON.stringify(names.map(name => [name, labels[name]]))
}
