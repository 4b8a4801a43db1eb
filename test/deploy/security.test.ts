/** What the page on security leans on is there: the files that it names as holding a statement, and the options. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { OPTIONS } from '../../src/optionTable.ts'
import { DOCUMENT_FIELDS } from '../../src/store/document.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'deploy/security.md'), 'utf8')

/** `test/a/b.test.ts`, and behind it `c.test.ts` of the same folder. */
function namedFiles(): string[] {
  let folder = ''
  return [...page.matchAll(/`((?:(?:src|test)\/)?[\w./]+\.ts)`/g)].map(([, name]) => {
    if (name!.includes('/')) folder = dirname(name!)
    return name!.includes('/') ? name! : join(folder, name!)
  })
}

test('every file that holds a statement is there', () => {
  const files = namedFiles()
  expect(files.length).toBeGreaterThan(30)
  expect(files.filter(file => !existsSync(join(ROOT, file)))).toEqual([])
})

test('every option that it names is one', () => {
  const fields = new Set(DOCUMENT_FIELDS.map(({ path }) => path))
  const known = OPTIONS.map(({ path }) => path)
  const words = page.matchAll(/`((?:masking|sink|source|web|alerts)\.[\w.]+)(?::[^`]*)?`/g)
  const named = [...words].map(([, path]) => path!).filter(path => !fields.has(path))
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter(path => !known.some(option => option === path || option.startsWith(`${path}.`)))).toEqual([])
})

test('whatever a client writes into a failure document stands in its table', () => {
  const written = ['url', 'user_agent', 'source', 'trace'].flatMap(group =>
    DOCUMENT_FIELDS.map(({ path }) => path).filter(path => path.startsWith(`${group}.`))
  )
  expect(written.length).toBeGreaterThan(8)
  expect(written.filter(path => !page.includes(`\`${path}\``))).toEqual([])
})
