/** YAML as kubectl prints it → values, a document at a time and the items of a list one by one. */

import { parseDocument } from 'yaml'
import { ownField } from './fieldShape.ts'

export interface YamlReceiver {
  item(value: unknown): void
  value(value: unknown, isList: boolean): void
  /** A document that is no YAML: what the parser says, and the line where the document begins. */
  broken(reason: string, line: number): void
}

/** JSON never has a key without quotes at the beginning of a line. */
export function isYaml(beginning: string): boolean {
  return !/^\s*[{[]/.test(beginning) && /^(?:- )?(?:apiVersion|kind|items|type|object):(?:\s|$)/m.test(beginning)
}

/**
 * Nothing but an item begins with `- ` in the column of the first one below `items:`: texts in it are indented further. So a
 * large list is never parsed at once.
 */
export function readYaml(text: string, receiver: YamlReceiver): void {
  let outer: string[] = []
  let item: string[] | null = null
  let isInItems = false
  /** White space and `- ` before an item; null: none came yet. */
  let dash: string | null = null
  let isList = false
  let firstLine = 1
  let itemLine = 1
  const endItem = () => {
    if (item !== null) parse(item, itemLine, value => receiver.item(Array.isArray(value) ? value[0] : value), receiver)
    item = null
  }
  const endDocument = (nextLine: number) => {
    endItem()
    const hadItems = isList
    if (outer.some(line => line.trim() !== '' && !line.startsWith('#')))
      parse(outer, firstLine, value => whole(value, hadItems, receiver), receiver)
    outer = []
    isInItems = false
    dash = null
    isList = false
    firstLine = nextLine
  }
  const beginsItem = (line: string) => {
    dash ??= /^ *- /.exec(line)?.[0] ?? null
    return dash !== null && line.startsWith(dash)
  }
  let number = 0
  for (const line of text.split('\n')) {
    number += 1
    if (/^(?:---|\.\.\.)(?:\s|$)/.test(line)) {
      endDocument(number + 1)
      const rest = line.slice(3).trim()
      if (rest !== '' && !rest.startsWith('#')) outer.push(line.slice(3))
    } else if (isInItems && beginsItem(line)) {
      endItem()
      item = [line]
      itemLine = number
    } else if (isInItems && (line === '' || /^[\s#]/.test(line))) item?.push(line)
    else {
      endItem()
      isInItems = /^items:\s*$/.test(line)
      dash = null
      isList ||= isInItems
      if (!isInItems) outer.push(line)
    }
  }
  endDocument(number + 1)
}

/** A list in flow style, or indented: its items come with it. */
function whole(value: unknown, hadItems: boolean, receiver: YamlReceiver): void {
  const items = Array.isArray(value) ? value : ownField(value, 'items')
  if (Array.isArray(items)) for (const one of items) receiver.item(one)
  receiver.value(value, hadItems || Array.isArray(items))
}

function parse(lines: string[], line: number, to: (value: unknown) => void, receiver: YamlReceiver): void {
  let value: unknown
  try {
    const document = parseDocument(lines.join('\n'), { logLevel: 'silent', uniqueKeys: false })
    if (document.errors.length > 0) throw document.errors[0]!
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    // Also what nests so deep that the parser has no stack left.
    receiver.broken(error instanceof Error ? error.message.split('\n')[0]! : String(error), line)
    return
  }
  to(value)
}
