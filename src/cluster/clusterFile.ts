/** Reads one file with objects of a cluster: JSON in any layout or YAML, also gzipped or in UTF-16. */

import { systemErrorText, Why5xxError } from '../errors.ts'
import { openInput } from '../source/input.ts'
import { FileContent } from './fileContent.ts'
import { JsonSplitter } from './jsonSplitter.ts'
import type { KeepOptions } from './keptFields.ts'

/** YAML is parsed from one text; a cluster of that size prints JSON. */
const YAML_BYTES_MAX = 256 * 1024 * 1024
const EXPECTED =
  'expected what `kubectl get … -o json` (or yaml) or `kubectl get -w -o json` prints, a record of why5xx, or an audit log'

export interface ClusterFile {
  name: string
  /** File time, Unix ms; of a pipe the present; null: it cannot be opened. */
  modifiedMs: number | null
  content: FileContent
  /** What could not be read of it: unreadable, cut, no Kubernetes in it. */
  problem: Why5xxError | null
}

/** Never throws for what a file holds: `problem` says it, and what was read before it counts. `-` is stdin. */
export async function readClusterFile(path: string, options: KeepOptions): Promise<ClusterFile> {
  const content = new FileContent(options)
  const file: ClusterFile = { name: path, modifiedMs: null, content, problem: null }
  try {
    const input = openInput(path)
    file.name = input.name
    file.modifiedMs = input.modifiedMs ?? Date.now()
    await readContent(inUtf8(input.chunks()), content, input.name)
  } catch (error) {
    file.problem =
      error instanceof Why5xxError
        ? error
        : new Why5xxError('WHY5XX_INPUT_UNREADABLE', `cannot read ${path}: ${systemErrorText(error)}`, { cause: error })
  }
  content.end()
  if (file.problem === null) file.problem = judged(file)
  return file
}

function judged({ name, content: { counts } }: ClusterFile): Why5xxError | null {
  if (counts.recognised === 0)
    return new Why5xxError('WHY5XX_INPUT_UNREADABLE', `${name}: no Kubernetes objects in it; ${EXPECTED}`)
  if (counts.broken === 0) return null
  const many = counts.broken === 1 ? 'one value is' : `${counts.broken} values are`
  return new Why5xxError('WHY5XX_INPUT_TRUNCATED', `${name}: ${many} cut off or damaged; the rest was read`)
}

async function readContent(chunks: AsyncIterable<Uint8Array>, content: FileContent, name: string): Promise<void> {
  let splitter: JsonSplitter | null = null
  const held: Buffer[] = []
  let bytes = 0
  const { isYaml, readYaml } = await import('./yamlDocuments.ts')
  for await (const chunk of chunks) {
    if (splitter === null && (held.length > 0 || isYaml(Buffer.from(chunk).toString()))) {
      bytes += chunk.length
      if (bytes > YAML_BYTES_MAX)
        throw new Why5xxError(
          'WHY5XX_INPUT_UNREADABLE',
          `${name}: more than ${YAML_BYTES_MAX / 1024 / 1024} MB of YAML; JSON of any size is read: kubectl get … -o json`
        )
      held.push(Buffer.from(chunk))
      continue
    }
    splitter ??= new JsonSplitter({
      item: text => parsed(text, content, value => content.item(value)),
      value: (text, isList) => parsed(text, content, value => content.value(value, isList))
    })
    splitter.push(chunk)
  }
  if (splitter !== null) {
    splitter.end()
    content.counts.broken += splitter.cut + splitter.tooLong + splitter.strayLines
  }
  if (held.length === 0) return
  readYaml(Buffer.concat(held).toString(), {
    item: value => content.item(value),
    value: (value, isList) => content.value(value, isList),
    broken: () => {
      content.counts.broken += 1
    }
  })
}

function parsed(text: string, content: FileContent, to: (value: unknown) => void): void {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    content.counts.broken += 1
    return
  }
  to(value)
}

/** PowerShell's `>` writes UTF-16 with a byte order mark. */
async function* inUtf8(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let decoder: InstanceType<typeof TextDecoder> | null = null
  let isFirst = true
  for await (const chunk of chunks) {
    if (isFirst) {
      isFirst = false
      if (chunk[0] === 0xff && chunk[1] === 0xfe) decoder = new TextDecoder('utf-16le')
      if (chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) {
        yield chunk.subarray(3)
        continue
      }
    }
    yield decoder === null ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }))
  }
}

/** Enough to see what a file is: objects begin with their kind. */
const HEAD_BYTES = 65_536

/** It names Kubernetes objects in its first bytes. False when it cannot be opened: whoever reads it says so. */
export async function looksLikeCluster(path: string): Promise<boolean> {
  try {
    for await (const chunk of inUtf8(openInput(path).chunks()))
      return /"?(?:apiVersion|object)"?\s*:|"type"\s*:\s*"LIST_START"/.test(
        Buffer.from(chunk.subarray(0, HEAD_BYTES)).toString()
      )
  } catch {
    return false
  }
  return false
}
