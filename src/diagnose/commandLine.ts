/** What a container is told on its command line and in its environment. */

import type { Container } from '../cluster/objects.ts'
import { listOf } from './conditions.ts'
import { type Fact, field } from './fact.ts'
import type { PodView } from './podView.ts'

/** A setting that a program is given: `--bind 127.0.0.1:80`, `--bind=…`, `HOST=…`. */
export interface Given {
  /** Of the flag or variable, as written; '' for a bare word. */
  name: string
  value: string
  from: 'command' | 'args' | 'env'
}

/** Texts of hostile objects may be long: more words are not looked at. */
const WORDS_MAX = 500

/** Every flag with its value, bare words, and environment variables with literal values. */
export function givenTo(container: Container): Given[] {
  const given: Given[] = []
  for (const from of ['command', 'args'] as const) {
    const words = listOf(container[from])
      .filter(word => typeof word === 'string')
      .flatMap(word => word.split(/\s+/))
      .filter(word => word !== '')
      .slice(0, WORDS_MAX)
    for (const [index, word] of words.entries()) {
      const equals = word.indexOf('=')
      if (word.startsWith('-') && equals > 0)
        given.push({ name: word.slice(0, equals), value: word.slice(equals + 1), from })
      else if (word.startsWith('-')) {
        const next = words[index + 1]
        if (next !== undefined && !next.startsWith('-')) given.push({ name: word, value: next, from })
      } else if (equals > 0) given.push({ name: word.slice(0, equals), value: word.slice(equals + 1), from })
      else given.push({ name: '', value: word, from })
    }
  }
  for (const { name, value } of listOf(container.env)) {
    if (typeof value === 'string') given.push({ name, value, from: 'env' })
  }
  return given
}

/** The whole list for command and args, whose members have no name; the variable by its name. No credentials. */
export function givenFact(
  { history }: PodView,
  container: Container,
  { name, from, value }: Given,
  text: string
): Fact {
  const path = `spec.containers[${container.name}]`
  if (from === 'env') return field(history, `${path}.env[${name}].value`, masked(value), text)
  return field(history, `${path}.${from}`, masked(listOf(container[from]).join(' ')), text)
}

/** Up to the last `@`: a password may hold one. Without a scheme: `user:password@tcp(host)`. */
const USER_INFO = /(:\/\/|(?:^|[\s=,])(?=[^\s/@:]+:))[^/\s]*@/g
const SECRET = /((?:password|passwd|secret|token|api[-_]?key)\S*?[= ])\S+/gi

/** Without what looks like a credential. */
export function masked(text: string): string {
  return text.replace(USER_INFO, '$1***@').replace(SECRET, '$1***')
}
