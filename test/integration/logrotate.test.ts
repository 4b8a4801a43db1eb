/**
 * The real logrotate rotates under a writer that goes on; why5xx must read every line once.
 *
 * copytruncate itself loses what is written between its copy and its truncation: no reader can know of it. So there the
 * writer holds its pen while logrotate works, and only then. With `create` it never stops: it reopens when it is signalled.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { FileSource } from '../../src/source/files.ts'
import type { StreamState } from '../../src/source/source.ts'
import { ReadingRun } from '../source/reading.ts'
import { Folder } from '../support/program.ts'

const LOGROTATE = ['/usr/sbin/logrotate', '/usr/bin/logrotate'].find(
  path => spawnSync(path, ['--version']).status === 0
)
if (LOGROTATE === undefined) {
  const missing = 'logrotate is not there (Debian: apt-get install logrotate)'
  if (process.env.CI === 'true') throw new Error(missing)
  console.warn(`SKIPPED, nothing of it was tested: ${missing}`)
}

const ROTATIONS = 9
const LINES_BETWEEN = 1_000

/**
 * Appends numbered lines, about ten a millisecond. SIGUSR1: opens the path anew, as nginx does. On stdin: `hold` and `go`
 * are answered by a line; at the end of stdin it prints how many lines it wrote.
 */
const WRITER = `
const fs = require('node:fs')
let file = fs.openSync(process.argv[1], 'a'), count = 0, holds = false
process.on('SIGUSR1', () => { fs.closeSync(file); file = fs.openSync(process.argv[1], 'a') })
const timer = setInterval(() => {
  if (holds) return
  let text = ''
  for (let i = 0; i < 10; i++) text += 'line ' + count++ + ' ' + 'x'.repeat(80) + '\\n'
  fs.writeSync(file, text)
}, 1)
process.stdin.on('data', data => { holds = String(data).includes('hold'); console.log('ok') })
process.stdin.on('end', () => { clearInterval(timer); console.log(count) })
console.log('ready')
`

const run = promisify(execFile)

describe.skipIf(LOGROTATE === undefined)('the real logrotate', () => {
  test.each([
    ['create, the writer is signalled', 'create', 'nocompress', false],
    ['create, compressed later', 'create', 'compress\n  delaycompress', true],
    ['copytruncate', 'copytruncate', 'nocompress', false],
    ['copytruncate, compressed at once', 'copytruncate', 'compress', true]
  ])('%s', async (_name, way, compression, matchesAll) => {
    const folder = new Folder()
    const log = join(folder.path, 'access.log')
    writeFileSync(log, '')
    const writer = spawn(process.execPath, ['-e', WRITER, log], { stdio: ['pipe', 'pipe', 'inherit'] })
    writer.stdout.setEncoding('utf8')
    const answer = async () => String((await once(writer.stdout, 'data'))[0])
    await answer()
    const signal = way === 'create' ? `postrotate\n    kill -USR1 ${writer.pid}\n  endscript` : ''
    const configuration = folder.write(
      'logrotate.conf',
      `${log} {\n  su root root\n  rotate 50\n  ${way}\n  ${compression}\n  missingok\n  ${signal}\n}\n`
    )
    const rotate = async () => {
      if (way === 'copytruncate') {
        writer.stdin.write('hold\n')
        await answer()
      }
      await run(LOGROTATE!, ['--force', '--state', join(folder.path, 'state'), configuration])
      if (way === 'copytruncate') {
        writer.stdin.write('go\n')
        await answer()
      }
    }

    const paths = [matchesAll ? `${log}*` : log]
    const options = { paths, follow: true, pollMs: 20, scanMs: 100, quietMs: 500 }
    let known: StreamState[] = []
    const lines: string[] = []
    const gaps: string[] = []
    let reading = new ReadingRun(new FileSource(options, known), known)
    const keep = async () => {
      known = reading.states()
      lines.push(...reading.lines)
      gaps.push(...reading.gaps.map(gap => gap.text))
      await reading.crash()
    }
    try {
      let rotation: Promise<void> | null = null
      for (let rotated = 0, from = 0; rotated < ROTATIONS || rotation !== null; ) {
        await reading.next()
        if (lines.length + reading.lines.length - from < LINES_BETWEEN || rotation !== null) continue
        from = lines.length + reading.lines.length
        rotated++
        rotation = rotate().finally(() => {
          rotation = null
        })
        // Every third time the reader is away while it happens, and comes back with what the store knows.
        if (rotated % 3 !== 0) continue
        await keep()
        await rotation
        reading = new ReadingRun(new FileSource(options, known), known)
      }
      writer.stdin.end()
      const written = Number(await answer())
      await reading.settle(2_000)
      await keep()
      expect(written).toBeGreaterThan(5_000)
      const numbers = lines.map(line => Number(line.split(' ')[1]))
      const seen = new Set(numbers)
      const missing = Array.from({ length: written }, (_, i) => i).filter(i => !seen.has(i)).length
      expect({ gaps, missing, read: numbers.length }, readdirSync(folder.path).join(' ')).toEqual({
        gaps: [],
        missing: 0,
        read: written
      })
    } finally {
      writer.kill()
      folder.remove()
    }
  })
})
