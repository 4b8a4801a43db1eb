/**
 * Jars of servers and all they need, fetched with Maven: of all package registries its is the one that has whole servers, and
 * its client checks and keeps what it fetches.
 */
import { execFile, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const FETCH_MS = 15 * 60_000
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies'

export interface Dependency {
  /** `group:artifact:version`. */
  jar: string
  /** Of what it needs, `group:artifact`, `*` for all. */
  without?: string[]
}

/** Jars that lie in one folder and are resolved together. */
export interface JarSet {
  name: string
  dependencies: Dependency[]
}

export function hasMaven(): boolean {
  return spawnSync('mvn', ['-v']).status === 0
}

// Two Mavens that meet in an empty local repository can leave broken files there.
let queue: Promise<unknown> = Promise.resolve()

/** Puts the jars of every set into `folder/NAME/`. */
export function fetchJars(folder: string, javaHome: string, sets: JarSet[]): Promise<void> {
  const fetched = queue.then(() => fetchNow(folder, javaHome, sets))
  queue = fetched.catch(() => {})
  return fetched
}

async function fetchNow(folder: string, javaHome: string, sets: JarSet[]): Promise<void> {
  writeFileSync(join(folder, 'pom.xml'), parentPom(sets))
  for (const set of sets) writeFileSync(join(folder, `${set.name}.xml`), pom(set))
  const args = ['-q', '-B', '-Dstyle.color=never', COPY, '-DincludeScope=runtime', `-Djars.folder=${folder}`]
  try {
    await promisify(execFile)('mvn', args, {
      cwd: folder,
      env: { ...process.env, JAVA_HOME: javaHome },
      timeout: FETCH_MS,
      maxBuffer: 64 * 1024 * 1024
    })
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    const names = sets.map(set => set.name).join(', ')
    throw new Error(`mvn could not fetch ${names}:
${`${stdout}${stderr}`.slice(-2000)}`)
  }
}

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0">'
const IDENTITY = '<groupId>why5xx.test</groupId><artifactId>all-jars</artifactId><version>1</version>'

function parentPom(sets: JarSet[]): string {
  return `${HEAD}
  <modelVersion>4.0.0</modelVersion>
  ${IDENTITY}
  <packaging>pom</packaging>
  <modules>${sets.map(set => `<module>${set.name}.xml</module>`).join('')}</modules>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId>
    <artifactId>maven-dependency-plugin</artifactId>
    <configuration><outputDirectory>\${jars.folder}/\${project.artifactId}</outputDirectory></configuration>
  </plugin></plugins></build>
</project>
`
}

function pom({ name, dependencies }: JarSet): string {
  return `${HEAD}
  <modelVersion>4.0.0</modelVersion>
  <parent>${IDENTITY}<relativePath>pom.xml</relativePath></parent>
  <artifactId>${name}</artifactId>
  <packaging>pom</packaging>
  <dependencies>${dependencies.map(dependencyXml).join('')}</dependencies>
</project>
`
}

function dependencyXml({ jar, without = [] }: Dependency): string {
  const [group, artifact, version] = jar.split(':')
  const exclusions = without.map(name => {
    const [groupLeft, artifactLeft] = name.split(':')
    return `<exclusion><groupId>${groupLeft}</groupId><artifactId>${artifactLeft}</artifactId></exclusion>`
  })
  return `
    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
      <exclusions>${exclusions.join('')}</exclusions></dependency>`
}
