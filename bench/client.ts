import { escapeText, type Pools, type Text, type Upstream } from './pools.ts'
import type { Random } from './random.ts'

/** What a client sends. `referer` is null when it sends none; an empty one prints `""`. */
export type Client = {
  address: string
  user: string
  agent: Text
  referer: Text | null
  path: Text
  method: string
  version: string
}

const METHODS = [...Array(80).fill('GET'), ...Array(13).fill('POST'), 'PUT', 'PUT', 'PUT', 'HEAD', 'HEAD', 'DELETE']
const OWN_IDS = ['web 7f 12 a', 'trace="9c1" b3', 'retry-2, 10.0.0.7:80 200', 'batch-2026-03-12T10']
const HEX = Array.from({ length: 0x10000 }, (_, value) => value.toString(16).padStart(4, '0'))

/** `method` is null when the outcome does not ask for one. */
export function drawClient(random: Random, pools: Pools, upstream: Upstream, method: string | null): Client {
  return {
    address: random.pick(pools.clients),
    user: random.share() < 0.004 ? random.pick(['admin', 'jo ann', 'svc-report']) : '-',
    agent: random.pick(pools.agents),
    referer: random.share() < 0.57 ? null : random.pick(pools.referers),
    path: drawPath(random, pools, upstream),
    method: method ?? random.pick(METHODS),
    version: random.share() < 0.75 ? 'HTTP/2.0' : 'HTTP/1.1'
  }
}

function drawPath(random: Random, pools: Pools, upstream: Upstream): Text {
  const plain = `${random.pick(upstream.paths)}${random.below(10_000_000)}`
  const draw = random.share()
  if (draw < 0.6) return { raw: plain, logged: plain }
  if (draw < 0.99) {
    const suffix = random.pick(pools.suffixes)
    return { raw: plain + suffix.raw, logged: plain + suffix.logged }
  }
  const noise = pools.noise
  const from = random.below(900)
  const text = `${plain}?state=${noise.slice(from, from + 200 + Math.floor(1800 * random.share() ** 2))}`
  return { raw: text, logged: text }
}

/** 32 hex digits, or what the client called it. */
export function drawRequestId(random: Random): string {
  const first = random.uint32()
  if (first < 4_000_000) return escapeText(`${random.pick(OWN_IDS)}-${random.below(100_000)}`).logged // One in a thousand.
  const second = random.uint32()
  const third = random.uint32()
  const fourth = random.uint32()
  return (
    HEX[first >>> 16]! +
    HEX[first & 0xffff]! +
    HEX[second >>> 16]! +
    HEX[second & 0xffff]! +
    HEX[third >>> 16]! +
    HEX[third & 0xffff]! +
    HEX[fourth >>> 16]! +
    HEX[fourth & 0xffff]!
  )
}
