/**
 * Stands in for the container runtime and kubelet of a node: stamps what nginx writes into two named pipes, as containerd stamps a
 * container's stdout and stderr, into the files that kubelet lays out, and rotates them.
 *
 *   node kubelet.mjs PIPES LOGS [MINUTES REQUESTS-PER-SECOND]
 *
 * A log that is new begins with so many minutes of a past (past.mjs).
 *
 *   LOGS/pods/ingress-nginx_ingress-nginx-controller-0_UID/controller/0.log
 *   LOGS/containers/ingress-nginx-controller-0_ingress-nginx_controller-ID.log     a link to it, which shippers follow
 *
 *   2026-11-21T11:40:02.123456789Z stdout F 10.42.55.3 - - [21/Nov/2026:11:40:02 +0000] "GET /web/1 HTTP/1.1" 200 …
 */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync
} from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { pastLines } from './past.mjs'

const POD = 'ingress-nginx-controller-0'
const UID = '5d1f6a52-6d0e-4c57-9d8c-0c3b5a1e7f10'
const CONTAINER_ID = '7e3a'.repeat(16)
/** A longer line is written in pieces, all but the last tagged P. */
const PIECE_BYTES_MAX = 16_384
/** kubelet's own defaults. */
const FILE_BYTES_MAX = 10 * 1024 * 1024
const ROTATED_MAX = 4

const [pipes, logs, minutes = '0', perSecond = '5'] = process.argv.slice(2)
if (pipes === undefined || logs === undefined || !(Number(minutes) >= 0) || !(Number(perSecond) > 0)) {
  console.error('usage: node kubelet.mjs PIPES LOGS [MINUTES REQUESTS-PER-SECOND]')
  process.exit(2)
}

const relative = join('pods', `ingress-nginx_${POD}_${UID}`, 'controller')
const folder = join(logs, relative)
mkdirSync(folder, { recursive: true })
mkdirSync(join(logs, 'containers'), { recursive: true })
mkdirSync(pipes, { recursive: true })
const link = join(logs, 'containers', `${POD}_ingress-nginx_controller-${CONTAINER_ID}.log`)
rmSync(link, { force: true })
symlinkSync(join('..', relative, '0.log'), link)

const startNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint()
const isNew = readdirSync(folder).length === 0
let file = openSync(join(folder, '0.log'), 'a', 0o644)

function write(stream, line, timeNs = startNs + process.hrtime.bigint()) {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 19)
  const time = `${seconds}.${String(timeNs % 1_000_000_000n).padStart(9, '0')}Z`
  let from = 0
  do {
    const tag = from + PIECE_BYTES_MAX < line.length ? 'P' : 'F'
    const piece = line.subarray(from, from + PIECE_BYTES_MAX)
    writeSync(file, Buffer.concat([Buffer.from(`${time} ${stream} ${tag} `), piece, Buffer.from('\n')]))
    from += PIECE_BYTES_MAX
  } while (from < line.length)
  if (fstatSync(file).size >= FILE_BYTES_MAX) rotate()
}

function rotate() {
  closeSync(file)
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  renameSync(join(folder, '0.log'), join(folder, `0.log.${stamp}`))
  file = openSync(join(folder, '0.log'), 'a', 0o644)
  const rotated = readdirSync(folder)
    .filter(name => name !== '0.log')
    .sort()
  for (const name of rotated.slice(0, -ROTATED_MAX)) rmSync(join(folder, name))
}

// Before the pipes are there, whose sight starts all others.
if (isNew)
  for (const { timeMs, stream, line } of pastLines(Date.now(), Number(minutes), Number(perSecond)))
    write(stream, Buffer.from(line), BigInt(timeMs) * 1_000_000n)

const sockets = []
for (const stream of ['stdout', 'stderr']) {
  const pipe = join(pipes, stream)
  // Everybody may write: nginx is no root.
  if (!existsSync(pipe)) execFileSync('mkfifo', ['-m', '666', pipe])
  // Held open for writing, too: else the reader would see an end whenever nginx is not there.
  const held = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK)
  const socket = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false })
  let pending = Buffer.alloc(0)
  socket.on('data', data => {
    pending = Buffer.concat([pending, data])
    let from = 0
    for (let end = pending.indexOf(10, from); end >= 0; end = pending.indexOf(10, from)) {
      write(stream, pending.subarray(from, end))
      from = end + 1
    }
    pending = pending.subarray(from)
  })
  sockets.push({ socket, held })
}
console.log(`stamping the lines of ${pipes} into ${link}`)

for (const signal of ['SIGTERM', 'SIGINT']) {
  // What is still in the pipes is read before the end.
  process.once(signal, () => {
    for (const { held } of sockets) closeSync(held)
  })
}
