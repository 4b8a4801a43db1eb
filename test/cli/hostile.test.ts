/**
 * Log text is data (design §3.7) and nobody's secret leaves (§3.6): one hostile corpus through every command and format.
 * Secrets of the corpus contain `s3cr3t`, addresses to click `evil.example`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { activeLines, UNSAFE } from '../support/hostileText.ts'
import { Folder, type Run, why5xxHere } from '../support/program.ts'

const SAMPLES = join(import.meta.dirname, '../../samples/hostile')
const FILES = ['access.log', 'error.log', 'json.log', 'controller.log']
const COMMANDS: [string, string[]][] = [
  ['explain text', ['explain', '--format', 'text']],
  ['explain json', ['explain', '--format', 'json']],
  ['explain ndjson', ['explain', '--format', 'ndjson']],
  ['explain markdown', ['explain', '--format', 'markdown']],
  ['explain html', ['explain', '--format', 'html']],
  ['parse', ['parse']],
  ['check', ['check']],
  ['check json', ['check', '--format', 'json']]
]
const MASK_PATH = ['--set', 'masking.path=tok_[^/ ?"\']+']

const folder = new Folder()
afterAll(() => folder.remove())

/** All of the corpus under names that are hostile too. */
const NAMES = [
  '\u001b[31mred\u0007.log',
  '\u202Egol.exe\u200B.log',
  '[x](http://evil.example)|@everyone <script>`a`.log',
  '$(touch owned);\'"&& rm -rf \n# www.evil.example.log'
]

describe.each(COMMANDS)('%s', (name, args) => {
  let run: Run
  beforeAll(async () => {
    const files = NAMES.map((fileName, i) => {
      const content = readFileSync(join(SAMPLES, FILES[i]!))
      try {
        return folder.write(fileName.replaceAll('/', '\u2215'), content)
      } catch {
        // A file system that has no such names.
        return folder.write(`plain-${i}.log`, content)
      }
    })
    run = await why5xxHere([...args, ...MASK_PATH, ...files])
  })

  test('works', () => {
    expect(run.stderr).not.toMatch(/\n\s+at |Error:/)
    expect(run.stdout.length).toBeGreaterThan(100)
    expect(run.code).toBe(name.startsWith('check') ? 1 : 0)
  })

  test('prints no secret', () => {
    expect(`${run.stdout}${run.stderr}`.split('\n').filter(line => line.includes('s3cr3t'))).toEqual([])
  })

  test('prints nothing that moves a cursor or turns the writing', () => {
    const bad = `${run.stdout}${run.stderr}`.split('\n').filter(line => UNSAFE.test(line))
    expect(bad.map(line => JSON.stringify(line))).toEqual([])
  })

  test.runIf(/json|parse/.test(name))('is JSON, and says what the log said', () => {
    const texts = /ndjson|parse/.test(name) ? run.stdout.trimEnd().split('\n') : [run.stdout]
    for (const text of texts) expect(() => JSON.parse(text) as unknown).not.toThrow()
  })
})

test.each(FILES)('with --no-mask %s is shown as it is, and still moves no cursor', async file => {
  for (const args of [['parse'], ['explain', '--format', 'ndjson'], ['check', '--format', 'json']]) {
    const { stdout } = await why5xxHere([...args, '--no-mask', join(SAMPLES, file)])
    expect(UNSAFE.test(stdout)).toBe(false)
    if (args[0] === 'parse') expect(stdout).toContain('s3cr3t')
  }
})

test('names that nobody can open are shown, and move no cursor', async () => {
  for (const command of ['explain', 'parse', 'check']) {
    const { stderr, code } = await why5xxHere([
      command,
      '/nowhere/\u001b[31m\u202E\u0007.log',
      '--config',
      '/nowhere/\u009b.yaml'
    ])
    expect(stderr).toContain('/nowhere/')
    expect(UNSAFE.test(stderr)).toBe(false)
    expect(code).toBe(2)
    const missing = await why5xxHere([command, '/nowhere/\u001b[31m\u202E\u0007.log'])
    expect(missing.stderr).toContain('/nowhere/\\x1B[31m')
    expect(UNSAFE.test(missing.stderr)).toBe(false)
    expect(missing.code).toBe(1)
  }
})

describe('Markdown', () => {
  let markdown: string
  beforeAll(async () => {
    const files = FILES.map(file => join(SAMPLES, file))
    markdown = (await why5xxHere(['explain', '--format', 'markdown', ...files])).stdout
  })

  test('holds the hostile names', () => {
    expect(markdown).toContain('evil.example')
    expect(markdown).toContain('everyone')
  })

  test('no link, picture, address, mention or tag outside code', () => {
    expect(activeLines(markdown)).toEqual([])
  })

  test('no heading of its own', () => {
    const headings = markdown.split('\n').filter(line => /^ {0,3}#/.test(line))
    for (const heading of headings)
      expect(heading).toMatch(/^(?:# Failed requests$|## (?:By|Saved|Not|What)|### [a-z_]+, )/)
  })

  test('tables keep their columns', () => {
    const rows = markdown.split('\n').filter(line => line.startsWith('|'))
    expect(rows.length).toBeGreaterThan(5)
    for (const row of rows) expect(row.replace(/\\\\|\\\|/g, '').split('|'), row).toHaveLength(9)
  })
})

test('suggested commands quote file names for a shell', async () => {
  const file = folder.write("it's $(touch owned) & co.log", 'nothing that is a log line\n')
  const { stdout, stderr } = await why5xxHere(['explain', file])
  expect(stdout + stderr).toContain("'\\''s $(touch owned) & co.log'")
  const parsed = await why5xxHere(['parse', file])
  expect(parsed.stderr).toContain(`why5xx check '${file.replace("'", "'\\''")}'`)
})
