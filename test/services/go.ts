/** Whether Go is here, for what tests compile or fetch by it. */
import { spawnSync } from 'node:child_process'

/** The first Go that fetches a newer one by itself when a module wants it. */
const GO_MIN = [1, 21] as const

/** A sentence; null: it is here. */
export function missingForGo(): string | null {
  const version = /go(\d+)\.(\d+)/.exec(spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).stdout ?? '')
  const [major, minor] = [Number(version?.[1] ?? 0), Number(version?.[2] ?? 0)]
  const isEnough = major > GO_MIN[0] || (major === GO_MIN[0] && minor >= GO_MIN[1])
  return isEnough ? null : `Go ${GO_MIN.join('.')} or newer is missing (PATH)`
}
