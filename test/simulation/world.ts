/** A cluster's log files made from a seed: what two controllers write in a few minutes, rotated, torn and dirty as real ones. */
import fc from 'fast-check'
import { Random } from '../../bench/random.ts'
import { logOf, requests } from '../join/traffic.ts'
import { cri, DAY_MS } from '../support/lines.ts'

/** One file of one container, whole; those of one name follow each other. */
export interface SimulatedFile {
  id: string
  name: string
  bytes: Buffer
}

export const PODS = ['ingress-nginx-controller-6c9f8d4b7-q4wnd', 'ingress-nginx-controller-6c9f8d4b7-7mlxz']

export function filesOf(seed: number): SimulatedFile[] {
  const random = new Random(seed)
  const files: SimulatedFile[] = []
  for (const [i, pod] of PODS.entries()) {
    const text = containerLog(seed * 7 + i, random)
    const name = `/var/log/containers/${pod}_ingress-nginx_controller-${'0123456789abcdef'.repeat(4)}.log`
    files.push(...rotated(`pod${i}`, name, text, random))
  }
  // A controller outside of Kubernetes: plain lines in one file, rotated by logrotate.
  const plain = containerLog(seed * 7 + 5, random, false)
  files.push(...rotated('plain', '/var/log/nginx/all.log', plain, random))
  return files
}

/** What one controller writes, each line behind the other. */
export function containerLog(seed: number, random: Random, isCri = true): string {
  const paths = random.below(3)
  const [list] = fc.sample(requests(paths), { seed, numRuns: 1 })
  const lines = logOf(list!, { isLate: isCri, isPrecise: isCri }).map(line => line.text)
  const out: string[] = []
  let ms = isCri ? Number.NEGATIVE_INFINITY : DAY_MS + 250_000
  for (const line of lines) {
    const stamp = isCri ? Date.parse(`${line.slice(0, 23)}Z`) : ms
    ms = Math.max(ms, stamp)
    const extra = isCri ? extraLines(random, ms, seed % 7) : random.share() < 0.04 ? ['no log line of anybody'] : []
    out.push(...extra)
    // containerd cuts long lines in two.
    if (isCri && random.share() < 0.1) out.push(...pieces(line, random))
    else out.push(line)
  }
  return `${out.join('\n')}\n`
}

/** What one controller says of a service must not explain what another one's requests met: files are read in any order. */
function extraLines(random: Random, ms: number, pod: number): string[] {
  const lines: string[] = []
  const klog = (text: string): string => cri(ms, 'stderr', text)
  if (random.share() < 0.04) lines.push(cri(ms, 'stdout', 'no log line of anybody'))
  if (random.share() < 0.06)
    lines.push(
      klog(
        `W1121 00:05:10.101010       7 controller.go:1225] Service "shop/cart${pod}" does not have any active Endpoint.`
      )
    )
  if (random.share() < 0.04)
    lines.push(klog('I1121 00:05:11.101010       7 controller.go:231] "Backend successfully reloaded"'))
  if (random.share() < 0.06) {
    lines.push(
      klog('2026/11/21 00:05:12 [error] 31#31: *9 lua entry thread aborted: runtime error: balancer.lua:90: boom'),
      klog('stack traceback:'),
      klog('coroutine 0:'),
      klog(
        '\tbalancer.lua:90: in function \'balance\', client: 203.0.113.1, server: shop.example.com, request: "GET /0 HTTP/1.1", host: "shop.example.com"'
      )
    )
  }
  if (random.share() < 0.1) {
    const access = `203.0.113.7 - - [21/Nov/2026:00:05:13 +0000] "GET /empty HTTP/1.1" 503 190 "-" "curl/8.7.1" 120 0.000 [shop-cart${pod}-80] [] - - - - 77770000777700007777000077770000`
    lines.push(cri(ms, 'stdout', access))
  }
  return lines
}

function pieces(line: string, random: Random): string[] {
  const at = line.indexOf(' F ') + 3
  const cut = at + 1 + random.below(Math.max(1, line.length - at - 1))
  const head = line.slice(0, at - 3)
  return [`${head} P ${line.slice(at, cut)}`, `${head} F ${line.slice(cut)}`]
}

/** Cut into one to three files at line ends. */
function rotated(id: string, name: string, text: string, random: Random): SimulatedFile[] {
  const count = 1 + random.below(3)
  const lines = text.split('\n').slice(0, -1)
  const files: SimulatedFile[] = []
  let from = 0
  for (let i = 0; i < count; i++) {
    const to = i === count - 1 ? lines.length : Math.min(lines.length, from + 1 + random.below(lines.length))
    if (from === to) break
    const bytes = Buffer.from(`${lines.slice(from, to).join('\n')}\n`, 'latin1')
    files.push({ id: `${id}.${i}`, name, bytes })
    from = to
  }
  return files
}
