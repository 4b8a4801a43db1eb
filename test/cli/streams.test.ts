/** Pipes that stay open, break or are interrupted. Conditions are waited for, never a time. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, describe, expect, test } from 'vitest'
import { accessLine, at, cri, errorLine, MESSAGES as M } from '../support/lines.ts'
import { Folder, PROGRAM, start } from '../support/program.ts'

const T = at('10:00:00')
const folder = new Folder()
const children: ChildProcess[] = []
afterAll(() => {
  for (const child of children) child.kill('SIGKILL')
  folder.remove()
})

const REFUSED = cri(T, 'stderr', errorLine({ timeMs: T, message: M.refused, upstream: '10.0.0.7:80' }))
const FAILED = cri(T + 1, 'stdout', accessLine({ timeMs: T, status: 502, up: '10.0.0.7:80|0|0.001|502' }))

/** A program with an open stdin, and what it has printed so far. */
function open(...args: string[]) {
  const child = start(args)
  children.push(child)
  const out = { child, stdout: '', stderr: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    out.stdout += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    out.stderr += text
  })
  return out
}

/** Ends when the condition holds; the test's own limit is the bound. */
async function until(child: ChildProcess, condition: () => boolean): Promise<void> {
  while (!condition()) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before the condition held`)
    await once(child.stdout!, 'data')
  }
}

// Beside each other: what is waited for is the silence of a pipe.
describe.concurrent('an open pipe', () => {
  test('ndjson: a document comes while the pipe is silent', async ({ expect }) => {
    const out = open('explain', '--format', 'ndjson', '-')
    out.child.stdin!.write(`${REFUSED}\n${FAILED}\n`)
    await until(out.child, () => out.stdout.includes('\n'))
    expect(JSON.parse(out.stdout)).toMatchObject({ why5xx: { cause: 'connection_refused', join: { state: 'joined' } } })
    expect(out.child.exitCode).toBeNull()
    out.child.stdin!.end()
    expect(await once(out.child, 'close')).toEqual([0, null])
    expect(out.stdout.trimEnd().split('\n')).toHaveLength(1)
  })

  test('parse: a line comes while the pipe is silent, also one that another may continue', async ({ expect }) => {
    const out = open('parse', '-')
    out.child.stdin!.write(`${FAILED}\n`)
    await until(out.child, () => out.stdout.includes('"access"'))
    out.child.stdin!.write('2026/11/21 10:00:00 [error] 31#31: *1 lua entry thread aborted: runtime error: x\n')
    await until(out.child, () => out.stdout.includes('"error"'))
    out.child.stdin!.write('stack traceback:\n')
    await until(out.child, () => out.stdout.includes('"continuation"'))
    out.child.stdin!.end()
    expect(await once(out.child, 'close')).toEqual([0, null])
    expect(out.stdout.trimEnd().split('\n')).toHaveLength(3)
  })

  test('Ctrl-C: every format says what was read so far, exit code 130', async ({ expect }) => {
    const outs = ['text', 'json', 'markdown', 'ndjson'].map(format => open('explain', '--format', format, '-'))
    for (const { child } of outs) child.stdin!.write(`${REFUSED}\n${FAILED}\n`)
    // The document that comes while its pipe is silent shows that all have had the time to read; only ndjson prints before the end.
    const ndjson = outs.at(-1)!
    await until(ndjson.child, () => ndjson.stdout.includes('\n'))
    for (const { child } of outs) child.kill('SIGINT')
    const ends = await Promise.all(outs.map(async ({ child }) => once(child, 'close')))
    expect(ends).toEqual(outs.map(() => [130, null]))
    for (const { stdout, stderr } of outs) {
      expect(stdout).toContain('connection_refused')
      expect(stderr).toBe('')
    }
    expect(ndjson.stdout.trimEnd().split('\n')).toHaveLength(1)
  })
})

describe.concurrent('a reader that has seen enough', () => {
  const log = folder.write(
    'many.log',
    Array.from({ length: 30_000 }, (_, i) =>
      accessLine({ timeMs: T, status: 502, up: '10.0.0.7:80|0|0.001|502', request: `GET /${i} HTTP/1.1` })
    ).join('\n')
  )

  test.each([['explain', '--format', 'ndjson'], ['parse'], ['config'], ['causes']])(
    '%s | head -1: silent, exit code 0',
    async (...args) => {
      const files = args[0] === 'explain' || args[0] === 'parse' ? [log] : []
      const shell = spawn(
        'bash',
        [
          '-c',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own.
          '"$@" | head -1 >/dev/null; echo "${PIPESTATUS[0]}"',
          'bash',
          process.execPath,
          PROGRAM,
          ...args,
          ...files
        ],
        { cwd: folder.path, env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] }
      )
      let stdout = ''
      let stderr = ''
      shell.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text
      })
      shell.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      await once(shell, 'close')
      expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: '' })
    }
  )
})
