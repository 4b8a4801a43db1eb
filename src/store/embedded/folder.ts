/** What tells that a folder is a store, and that this program may use it: `store.json`. Nothing is touched before. */

import { constants, existsSync } from 'node:fs'
import { access, mkdir, open, readdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { systemErrorText, Why5xxError } from '../../errors.ts'

/** Raised on any change that this program would misread. */
export const FORMAT = 1
const MARK = 'store.json'

/** Looks whether the folder may be written; makes nothing yet. Throws Why5xxError `WHY5XX_STORE`. */
export async function checkWritable(path: string): Promise<void> {
  const kind = await inspect(path)
  const existing = kind === 'missing' ? await nearestFolder(path) : path
  try {
    await access(existing, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw refused(path, 'cannot be written', error)
  }
}

/** Throws Why5xxError `WHY5XX_STORE` when there is no store to read. */
export async function checkReadable(path: string): Promise<void> {
  const kind = await inspect(path)
  if (kind === 'store') return
  const what = kind === 'missing' ? 'does not exist' : 'is empty'
  throw new Why5xxError(
    'WHY5XX_STORE',
    `${path} ${what}: there is no store. \`why5xx run\` makes one; sink.embedded.path says where.`
  )
}

export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdirs(resolve(path))
  } catch (error) {
    throw refused(path, 'cannot be made', error)
  }
}

/** Node's own recursive mkdir never ends where a file system knows no new folders, such as /proc. */
async function mkdirs(path: string): Promise<void> {
  const parent = dirname(path)
  if (!existsSync(path) && !existsSync(parent)) await mkdirs(parent)
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Marks an empty folder as a store. The caller holds the lock. */
export async function markAsStore(path: string, nowMs: number): Promise<void> {
  if ((await inspect(path)) === 'store') return
  const draft = join(path, `tmp-${MARK}`)
  const file = await open(draft, 'w')
  try {
    await file.writeFile(`${JSON.stringify({ format: FORMAT, createdAt: new Date(nowMs).toISOString() })}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, join(path, MARK))
}

async function inspect(path: string): Promise<'empty' | 'missing' | 'store'> {
  let names: string[]
  try {
    if (!(await stat(path)).isDirectory())
      throw new Why5xxError(
        'WHY5XX_STORE',
        `${path} is a file: a store is a folder. Name another path (sink.embedded.path).`
      )
    names = await readdir(path)
  } catch (error) {
    if (error instanceof Why5xxError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    throw refused(path, 'cannot be read', error)
  }
  if (names.includes(MARK)) {
    await checkFormat(path)
    return 'store'
  }
  // What a start leaves that was killed before it could make the mark; and `cluster`, where a watch may have begun first.
  const others = names.filter(name => !/^(?:lock(?:\..*)?|tmp-store\.json|lost\+found|cluster)$/.test(name))
  if (others.length === 0) return 'empty'
  throw new Why5xxError(
    'WHY5XX_STORE',
    `${path} is not a store of why5xx: it holds files, but no ${MARK}. Nothing was touched. ` +
      'Name an empty or a new folder (sink.embedded.path).'
  )
}

async function checkFormat(path: string): Promise<void> {
  let format: unknown
  try {
    format = (JSON.parse(await readFile(join(path, MARK), 'utf8')) as { format?: unknown }).format
  } catch (error) {
    throw refused(join(path, MARK), 'cannot be read', error)
  }
  if (typeof format !== 'number' || format < 1)
    throw new Why5xxError(
      'WHY5XX_STORE',
      `${join(path, MARK)} does not say which format the store has. Nothing was touched. Restore the file: {"format":${FORMAT}}.`
    )
  if (format > FORMAT)
    throw new Why5xxError(
      'WHY5XX_STORE',
      `${path} was written by a newer why5xx: format ${format}, this one knows ${FORMAT}. Nothing was touched. ` +
        'Update why5xx, or name another folder (sink.embedded.path).'
    )
}

async function nearestFolder(path: string): Promise<string> {
  let at = resolve(path)
  while ((await stat(at).catch(() => null)) === null) {
    const above = resolve(at, '..')
    if (above === at) break
    at = above
  }
  return at
}

/** Permission, read-only disk and friends, in one sentence with what to do. */
export function refused(path: string, what: string, error: unknown): Why5xxError {
  const code = (error as NodeJS.ErrnoException).code
  const advice =
    code === 'EROFS'
      ? ' The disk is read-only: name a folder on another one (sink.embedded.path).'
      : code === 'EACCES' || code === 'EPERM'
        ? ' Give the user that runs why5xx the right to it, or name another folder (sink.embedded.path).'
        : ''
  return new Why5xxError('WHY5XX_STORE', `${path} ${what}: ${systemErrorText(error)}.${advice}`, { cause: error })
}
