/** A controller log as its pods' containers would have written it, and as Fluent Bit sends that. */

export interface ShippedLine {
  /** kubelet's name of the container's log. */
  path: string
  /** The line in that file, with its CRI frame, without its line feed. */
  framed: string
  /** The record that Fluent Bit makes of it. */
  record: {
    '@timestamp': string
    time: string
    stream: 'stdout' | 'stderr'
    _p: 'F'
    log: string
    log_path: string
    log_offset: number
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Deals the lines of a log in the default format out to `pods`: those of one client stay together. */
export function* shippedLines(log: string, pods: number): Generator<ShippedLine> {
  const offsets = Array.from({ length: pods }, () => 0)
  let second = ''
  let inSecond = 0
  for (let from = 0; from < log.length; ) {
    const end = log.indexOf('\n', from)
    const line = log.slice(from, end)
    from = end + 1
    const own = secondOf(line)
    inSecond = own === second ? inSecond + 1 : 0
    second = own
    const pod = podOf(line, pods)
    const time = `${second}.${String(inSecond * 1_000 + pod).padStart(9, '0')}Z`
    const stream = line.startsWith('2') && line[4] === '/' ? 'stderr' : 'stdout'
    const framed = `${time} ${stream} F ${line}`
    const path = containerLogPath(pod)
    const record = {
      '@timestamp': time,
      time,
      stream,
      _p: 'F',
      // The file's bytes are text to a shipper.
      log: Buffer.from(line, 'latin1').toString(),
      log_path: path,
      log_offset: offsets[pod]!
    } as const
    offsets[pod]! += framed.length + 1
    yield { path, framed, record }
  }
}

export function containerLogPath(pod: number): string {
  const digit = pod.toString(16)
  return `/var/log/containers/ingress-nginx-controller-6c9f8d4b7-q4wn${digit}_ingress-nginx_controller-${digit.repeat(64)}.log`
}

/** `2026-03-12T10:00:00` of an access line (`12/Mar/2026:10:00:00 +0000`) or an error line. */
function secondOf(line: string): string {
  if (line[4] === '/') return `${line.slice(0, 10).replaceAll('/', '-')}T${line.slice(11, 19)}`
  const at = line.indexOf('[')
  const month = String(MONTHS.indexOf(line.slice(at + 4, at + 7)) + 1).padStart(2, '0')
  return `${line.slice(at + 8, at + 12)}-${month}-${line.slice(at + 1, at + 3)}T${line.slice(at + 13, at + 21)}`
}

function podOf(line: string, pods: number): number {
  const client = /client: (\S+),/.exec(line)?.[1] ?? line.slice(0, line.indexOf(' '))
  let hash = 0
  for (let i = 0; i < client.length; i++) hash = (hash * 31 + client.charCodeAt(i)) >>> 0
  return hash % pods
}
