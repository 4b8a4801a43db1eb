/**
 * The log of one container as a node keeps it: the runtime writes it, kubelet rotates it, shippers look for its link.
 *
 *   /var/log/pods/ingress-nginx_POD_UID/controller/0.log                        written now
 *   /var/log/pods/ingress-nginx_POD_UID/controller/0.log.20261121-101500        rotated last
 *   /var/log/pods/ingress-nginx_POD_UID/controller/0.log.20261121-100300.gz     before that
 *   /var/log/containers/POD_ingress-nginx_controller-ID.log → 0.log
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'

export type OutputStream = 'stdout' | 'stderr'

/** What takes the lines of a container, without their line feeds, in the order of their coming. */
export interface LineTaker {
  write(stream: OutputStream, line: Buffer): void
  close(): void
}

/** containerd's limit of one CRI line, without its frame. */
const PIECE_BYTES_MAX = 16_384
/** kubelet's `containerLogMaxFiles`, the current one with them. */
const FILES_MAX = 5

/** Unix ns, never the same twice and never going back: stamps of two lines tell them apart. */
let lastNs = 0n
const startNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
function nowNs(): bigint {
  const now = startNs + process.hrtime.bigint()
  lastNs = now > lastNs ? now : lastNs + 1n
  return lastNs
}

/**
 * `line` as containerd writes it, with line feeds:
 *
 *   2026-11-21T11:40:02.12345678Z stdout F 127.0.0.1 - - [21/Nov/2026:11:40:02 +0000] "GET / HTTP/1.1" 200 ...
 *
 * A line above 16 KiB comes in pieces tagged P and a last one tagged F. Zeros at the end of a stamp are left out, as Go's
 * RFC3339Nano does it.
 */
export function criLines(timeNs: bigint, stream: OutputStream, line: Buffer): Buffer {
  const seconds = new Date(Number(timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  const fraction = `.${String(timeNs % 1_000_000_000n).padStart(9, '0')}`.replace(/\.?0*$/, '')
  const parts: Buffer[] = []
  for (let from = 0; from === 0 || from < line.length; from += PIECE_BYTES_MAX) {
    const tag = from + PIECE_BYTES_MAX < line.length ? 'P' : 'F'
    parts.push(Buffer.from(`${seconds}${fraction}Z ${stream} ${tag} `), line.subarray(from, from + PIECE_BYTES_MAX))
    parts.push(Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}

/** One file that is never rotated. */
export class CriFile implements LineTaker {
  readonly #output: number

  constructor(file: string) {
    this.#output = openSync(file, 'w')
  }

  write(stream: OutputStream, line: Buffer): void {
    writeSync(this.#output, criLines(nowNs(), stream, line))
  }

  close(): void {
    closeSync(this.#output)
  }
}

export interface ContainerName {
  namespace: string
  pod: string
  container: string
  /** Of the pod. */
  uid: string
  /** Of the container, 64 hexadecimal digits. */
  id: string
}

export const CONTROLLER: ContainerName = {
  namespace: 'ingress-nginx',
  pod: 'ingress-nginx-controller-6b8f7d5c9-x2x7k',
  container: 'controller',
  uid: '6f1c0a3e-5d7e-4a51-9c1b-0d2f43a1b7e9',
  id: '0f'.repeat(32)
}

export class ContainerLog implements LineTaker {
  /** What shippers look for: the link below `containers/`. */
  readonly path: string
  /** What is written now. */
  readonly file: string
  #output: number

  /** `root` stands for `/var/log`. */
  constructor(root: string, name: ContainerName = CONTROLLER) {
    const { namespace, pod, container, uid, id } = name
    const folder = join(root, 'pods', `${namespace}_${pod}_${uid}`, container)
    mkdirSync(folder, { recursive: true })
    mkdirSync(join(root, 'containers'), { recursive: true })
    this.file = join(folder, '0.log')
    this.path = join(root, 'containers', `${pod}_${namespace}_${container}-${id}.log`)
    this.#output = openSync(this.file, 'a')
    symlinkSync(this.file, this.path)
  }

  /** `timeNs`: its stamp, Unix ns; left out: now. */
  write(stream: OutputStream, line: Buffer | string, timeNs = nowNs()): void {
    writeSync(this.#output, criLines(timeNs, stream, Buffer.from(line)))
  }

  /** As kubelet does it: what was rotated before is packed, the file gets another name, and the runtime opens a new one. */
  rotate(): void {
    const rotated = this.#rotated()
    for (const file of rotated.slice(0, Math.max(0, rotated.length - (FILES_MAX - 2)))) rmSync(file)
    for (const file of rotated.filter(name => existsSync(name) && !name.endsWith('.gz'))) {
      writeFileSync(`${file}.tmp`, gzipSync(readFileSync(file)))
      renameSync(`${file}.tmp`, `${file}.gz`)
      rmSync(file)
    }
    renameSync(this.file, this.#nameForRotation())
    closeSync(this.#output)
    this.#output = openSync(this.file, 'a')
  }

  /** What can still be read, oldest first and the current one last. */
  generations(): Buffer[] {
    return [...this.#rotated(), this.file].map(file => {
      const bytes = readFileSync(file)
      return file.endsWith('.gz') ? gunzipSync(bytes) : bytes
    })
  }

  close(): void {
    closeSync(this.#output)
  }

  /** Their names are in the order of their times. */
  #rotated(): string[] {
    const folder = dirname(this.file)
    const prefix = `${basename(this.file)}.`
    const names = readdirSync(folder).filter(name => name.startsWith(prefix))
    return names.sort().map(name => join(folder, name))
  }

  /** Whole seconds in UTC; kubelet never rotates one file twice in a second, a test may. */
  #nameForRotation(): string {
    for (let ms = Date.now(); ; ms += 1000) {
      const time = new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
      const name = `${this.file}.${time}`
      if (!existsSync(name) && !existsSync(`${name}.gz`)) return name
    }
  }
}
