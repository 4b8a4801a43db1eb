/**
 * The program of one Elasticsearch node, laid out from jars of Maven's registry: the server, its HTTP, x-pack-core and
 * security are the real ones (Elastic License: fetched, never passed on); elasticsearch/*.java launch it and stand in for
 * the root answer, _data_stream and _ilm/policy, whose modules no registry has.
 *
 *   lib/        the server          modules/  its plugins, each with what the server lacks
 *   launcher/   our main class      plugins/  our stand-ins
 *   config/     logging
 */
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { findJava } from './java.ts'
import { type Dependency, fetchJars, hasMaven } from './maven.ts'
import { cached, entryOf, type Recipe } from './testCache.ts'

const VERSION = '9.5.3'
const JAVA_MIN = 21
const SOURCES = join(import.meta.dirname, 'elasticsearch')
const MODULES = ['transport-netty4', 'x-pack-core', 'x-pack-security'] as const
const STAND_INS = 'stand-ins'

/** Where Linux has the zstd that the server loads by itself; without it stored fields are compressed in another way. */
const ZSTD: Record<string, { platform: string; files: string[] }> = {
  x64: { platform: 'linux-x64', files: ['/usr/lib/x86_64-linux-gnu/libzstd.so.1', '/usr/lib64/libzstd.so.1'] },
  arm64: { platform: 'linux-aarch64', files: ['/usr/lib/aarch64-linux-gnu/libzstd.so.1', '/usr/lib64/libzstd.so.1'] }
}

const sourceFiles = readdirSync(SOURCES)
  .sort()
  .map(name => join(SOURCES, name))

const recipe: Recipe = {
  name: `elasticsearch-${VERSION}`,
  files: [import.meta.filename, ...sourceFiles],
  facts: [process.platform, process.arch],
  build
}

export interface ElasticsearchProgram {
  java: string
  /** With config/, which every node copies for itself. */
  home: string
  /** What stands before the settings. */
  args: string[]
}

/** Why no node can be started here, as a sentence; null when one can. */
export function missingForElasticsearch(): string | null {
  if (findJava(JAVA_MIN, 'javac') === null)
    return `a JDK ${JAVA_MIN} or newer is missing (ES_JDK, JAVA_HOME, /usr/lib/jvm, PATH)`
  if (!existsSync(entryOf(recipe)) && !hasMaven()) return 'Maven (mvn) is missing'
  return null
}

/** Fetches and lays out the node unless it is in the cache. */
export async function elasticsearchProgram(): Promise<ElasticsearchProgram> {
  const missing = missingForElasticsearch()
  if (missing !== null) throw new Error(missing)
  const home = await cached(recipe)
  return {
    java: join(findJava(JAVA_MIN, 'javac')!, 'bin/java'),
    home,
    args: [
      '-XX:+UseSerialGC',
      // The quick compiler alone takes half of the start's processor time.
      '-XX:TieredStopAtLevel=1',
      '--enable-native-access=ALL-UNNAMED',
      `-Des.path.home=${home}`,
      '-Des.distribution.type=tar',
      '-Dlog4j.shutdownHookEnabled=false',
      '-Dlog4j2.disable.jmx=true',
      '-Dio.netty.noUnsafe=true',
      // Its native library for vectors is in no registry.
      '-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false',
      '-cp',
      `${join(home, 'launcher/launcher.jar')}:${join(home, 'lib/*')}`,
      'why5xx.test.NodeLauncher'
    ]
  }
}

async function build(home: string): Promise<void> {
  const jdk = findJava(JAVA_MIN, 'javac')!
  const fetched = join(home, 'fetched')
  mkdirSync(fetched)
  await fetchJars(fetched, jdk, [
    { name: 'server', dependencies: [{ jar: `org.elasticsearch:elasticsearch:${VERSION}` }] },
    ...MODULES.map(name => ({
      name,
      dependencies: [
        { jar: `org.elasticsearch.plugin:${name}:${VERSION}`, without: LEFT_OUT[name] ?? [] },
        ...(name === 'x-pack-security' ? SAML : [])
      ]
    }))
  ])
  renameSync(join(fetched, 'server'), join(home, 'lib'))
  for (const module of MODULES) await layOutModule(home, join(fetched, module), jdk)
  rmSync(fetched, { recursive: true })
  copyZstd(home)
  await compile(home, jdk)
  mkdirSync(join(home, 'config'))
  writeFileSync(join(home, 'config/elasticsearch.yml'), '')
  writeFileSync(join(home, 'config/log4j2.properties'), LOGGING)
}

/** A module has its own jars, without those of the server and of the module it extends, and its descriptor beside them. */
async function layOutModule(home: string, fetched: string, jdk: string): Promise<void> {
  const module = basename(fetched)
  const folder = join(home, 'modules', module)
  mkdirSync(folder, { recursive: true })
  const above = [join(home, 'lib'), ...(module === 'x-pack-security' ? [join(home, 'modules/x-pack-core')] : [])]
  for (const jar of readdirSync(fetched)) {
    if (!above.some(parent => existsSync(join(parent, jar)))) renameSync(join(fetched, jar), join(folder, jar))
  }
  await run(join(jdk, 'bin/jar'), ['xf', `${module}-${VERSION}.jar`, 'META-INF/es-plugins'], folder)
  const metadata = join(folder, 'META-INF/es-plugins', module)
  for (const name of readdirSync(metadata)) renameSync(join(metadata, name), join(folder, name))
  rmSync(join(folder, 'META-INF'), { recursive: true })
  // The launcher has the server on the class path, where a plugin cannot be a named module.
  const descriptor = join(folder, 'plugin-descriptor.properties')
  writeFileSync(descriptor, readFileSync(descriptor, 'utf8').replace(/^modulename=.*\n?/m, ''))
}

function copyZstd(home: string): void {
  const { platform, files } = ZSTD[process.arch] ?? { platform: '', files: [] }
  const file = files.find(existsSync)
  if (file === undefined) return
  mkdirSync(join(home, 'lib/platform', platform), { recursive: true })
  copyFileSync(file, join(home, 'lib/platform', platform, 'libzstd.so'))
}

async function compile(home: string, jdk: string): Promise<void> {
  const classes = join(home, 'classes')
  const plugin = join(home, 'plugins', STAND_INS)
  for (const folder of [classes, plugin, join(home, 'launcher')]) mkdirSync(folder, { recursive: true })
  const classPath = `${join(home, 'lib/*')}:${join(home, 'modules/x-pack-core/*')}`
  const sources = sourceFiles.filter(file => file.endsWith('.java'))
  await run(
    join(jdk, 'bin/javac'),
    ['-nowarn', '--release', `${JAVA_MIN}`, '-cp', classPath, '-d', classes, ...sources],
    home
  )
  const launcher = 'why5xx/test/NodeLauncher.class'
  await run(join(jdk, 'bin/jar'), ['cf', join(home, 'launcher/launcher.jar'), launcher], classes)
  rmSync(join(classes, launcher))
  await run(join(jdk, 'bin/jar'), ['cf', join(plugin, `${STAND_INS}.jar`), 'why5xx'], classes)
  rmSync(classes, { recursive: true })
  writeFileSync(join(plugin, 'plugin-descriptor.properties'), DESCRIPTOR)
}

async function run(program: string, args: string[], folder: string): Promise<void> {
  await promisify(execFile)(program, args, { cwd: folder })
}

const DESCRIPTOR = `description=Stand-ins for what no package registry has of the distribution
version=1
name=${STAND_INS}
classname=why5xx.test.StandIns
java.version=${JAVA_MIN}
elasticsearch.version=${VERSION}
extended.plugins=x-pack-core
`

const LOGGING = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`

/** What their poms want and no registry has, or what clashes with the server's own. */
const LEFT_OUT: Record<string, string[]> = {
  'x-pack-core': ['org.elasticsearch.plugin:x-pack-template-resources'],
  'x-pack-security': [
    'org.opensaml:*',
    'net.shibboleth.utilities:*',
    'org.elasticsearch.plugin:es-opensaml-security-api',
    'com.github.stephenc.jcip:jcip-annotations',
    'com.google.errorprone:error_prone_annotations',
    'com.google.j2objc:j2objc-annotations',
    'org.checkerframework:checker-qual',
    'com.google.guava:listenablefuture',
    'org.slf4j:*',
    'com.sun.activation:*',
    'jakarta.activation:*',
    'jakarta.xml.bind:*',
    'org.codehaus.woodstox:*',
    'com.fasterxml.woodstox:*'
  ]
}

/** Security names classes of SAML when it starts, whether it is used or not. */
const SAML: Dependency[] = [
  ...['core', 'saml-api', 'xmlsec-api', 'security-api'].map(part => `org.opensaml:opensaml-${part}:4.0.1`),
  'net.shibboleth.utilities:java-support:8.0.0'
].map(jar => ({ jar, without: ['*:*'] }))
