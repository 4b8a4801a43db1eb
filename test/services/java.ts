/** The Java of this machine: what Kafka runs on, and what the Elasticsearch node is compiled with and runs on. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const INSTALLED = '/usr/lib/jvm'

/**
 * The home of a Java of at least this version: what ES_JDK and JAVA_HOME name goes first, then the newest that is installed.
 * `tool` must be in its bin/: `java`, or `javac` where something is to be compiled. null where there is none.
 */
export function findJava(versionMin: number, tool: 'java' | 'javac'): string | null {
  const named = [process.env.ES_JDK, process.env.JAVA_HOME].filter(
    home => home !== undefined && home !== ''
  ) as string[]
  const installed = [...installedHomes(), ...homesInPath()].sort((a, b) => versionOf(b) - versionOf(a))
  const fits = (home: string) => versionOf(home) >= versionMin && existsSync(join(home, 'bin', tool))
  return [...named, ...installed].find(fits) ?? null
}

function installedHomes(): string[] {
  return existsSync(INSTALLED) ? readdirSync(INSTALLED).map(name => join(INSTALLED, name)) : []
}

function homesInPath(): string[] {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map(folder => join(folder, 'java'))
    .filter(existsSync)
    .map(java => dirname(dirname(realpathSync(java))))
}

/** 21 of `JAVA_VERSION="21.0.4"` in the file that every Java home has; 0 where it is not one. */
function versionOf(home: string): number {
  const file = join(home, 'release')
  if (!existsSync(file)) return 0
  return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0)
}
