/** The jars of a Kafka broker, and how its tools and the broker are run from them. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findJava } from './java.ts'
import { fetchJars, hasMaven } from './maven.ts'
import { cached, entryOf, type Recipe } from './testCache.ts'

// 4.4.0 cannot be resolved: kafka-tools-api 4.4.0 was never published.
const VERSION = '4.3.1'
const JAVA_MIN = 17

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`

const recipe: Recipe = { name: `kafka-${VERSION}`, files: [import.meta.filename], build }

export interface KafkaProgram {
  java: string
  /** What stands before the main class. */
  args: string[]
}

/** Why no broker can be started here, as a sentence; null when one can. */
export function missingForKafka(): string | null {
  if (findJava(JAVA_MIN, 'java') === null) return `Java ${JAVA_MIN} or newer is missing (JAVA_HOME, /usr/lib/jvm, PATH)`
  if (!existsSync(entryOf(recipe)) && !hasMaven()) return 'Maven (mvn) is missing'
  return null
}

/** Fetches the broker unless it is in the cache. */
export async function kafkaProgram(): Promise<KafkaProgram> {
  const missing = missingForKafka()
  if (missing !== null) throw new Error(missing)
  const folder = await cached(recipe)
  const logging = `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`
  return {
    java: join(findJava(JAVA_MIN, 'java')!, 'bin/java'),
    // The quick compiler alone: a broker of a test lives too short for the other.
    args: [
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Djava.awt.headless=true',
      logging,
      '-cp',
      join(folder, 'jars/*')
    ]
  }
}

async function build(folder: string): Promise<void> {
  await fetchJars(folder, findJava(JAVA_MIN, 'java')!, [
    {
      name: 'jars',
      dependencies: [
        { jar: `org.apache.kafka:kafka_2.13:${VERSION}` },
        { jar: `org.apache.kafka:kafka-tools:${VERSION}` },
        // Without a binding for slf4j the broker logs nothing at all.
        { jar: 'org.apache.logging.log4j:log4j-slf4j-impl:2.25.4' }
      ]
    }
  ])
  writeFileSync(join(folder, 'log4j2.properties'), LOGGING)
}
