/** What was made against what is stored: a row a fault. */
import type { LabRequest } from '../../services/labRequest.ts'
import type { StoredHit } from './bed.ts'
import type { Story } from './wayStories.ts'

/** The part of a failure document that is compared. */
export interface WayDocument {
  id: string
  '@timestamp': string
  url?: { path?: string }
  source?: { address?: string }
  http?: { request?: { id?: string }; response?: { status_code?: number } }
  service?: { name?: string }
  kubernetes?: { pod?: { name?: string } }
  why5xx: {
    cause: string
    masked: boolean
    upstream?: { name?: string; ip?: string }
    root_cause?: { kind: string; ref?: string }
    cluster?: { known?: boolean }
  }
}

export interface WayRow {
  kind: string
  made: number
  /** Requests with exactly one document, with a right cause. */
  found: number
  causes: string
  pods: string
  rootCauses: string
}

export interface WayVerdict {
  rows: WayRow[]
  /** In words: request, what is wrong with it, the document. */
  wrong: string[]
}

interface Wanted {
  stories: readonly Story[]
  /** Names of pods by address. */
  pods: ReadonlyMap<string, string>
  /** All that the controllers have logged: what is said of a request that is missing. */
  lines: readonly string[]
}

export function wayDocument({ _id, _source }: StoredHit): WayDocument {
  return { ..._source, id: _id } as unknown as WayDocument
}

export function judgeWay(
  requests: readonly LabRequest[],
  documents: readonly WayDocument[],
  wanted: Wanted
): WayVerdict {
  const wrong: string[] = []
  const found = new Map<LabRequest, WayDocument[]>()
  const finder = finderOf(requests)
  for (const document of documents) {
    const request = finder(document)
    if (request === undefined) wrong.push(`nobody made this: ${shown(document)}`)
    else found.set(request, [...(found.get(request) ?? []), document])
  }
  const stories = new Map(wanted.stories.map(story => [story.kind, story]))
  const rows = new Map<string, { made: number; found: number; causes: Tally; pods: Tally; rootCauses: Tally }>()
  for (const request of requests) {
    const own = found.get(request) ?? []
    const name = `${request.kind} ${request.id ?? request.path} (${request.client})`
    if (request.causes.length === 0) {
      for (const document of own) wrong.push(`${name} was no failure: ${shown(document)}`)
      continue
    }
    const row = rows.get(request.kind) ?? {
      made: 0,
      found: 0,
      causes: new Tally(),
      pods: new Tally(),
      rootCauses: new Tally()
    }
    rows.set(request.kind, row)
    row.made++
    const [document] = own
    if (document === undefined || own.length > 1) {
      const logged = own.length > 0 ? own.map(shown) : wanted.lines.filter(line => isAbout(line, request))
      wrong.push(`${name}: ${own.length} documents: ${logged.join(' | ')}`)
      continue
    }
    const pod = document.kubernetes?.pod?.name ?? null
    row.causes.add(document.why5xx.cause)
    row.pods.add(pod ?? '-')
    row.rootCauses.add(document.why5xx.root_cause?.kind ?? '-')
    const problems = problemsOf(request, document, stories.get(request.kind), wanted.pods)
    if (problems.length === 0) row.found++
    else wrong.push(`${name}: ${problems.join(', ')}: ${shown(document)}`)
  }
  return {
    rows: [...rows].map(([kind, { made, found, causes, pods, rootCauses }]) => ({
      kind,
      made,
      found,
      causes: causes.text,
      pods: pods.text,
      rootCauses: rootCauses.text
    })),
    wrong
  }
}

function problemsOf(
  { causes }: LabRequest,
  document: WayDocument,
  story: Story | undefined,
  pods: ReadonlyMap<string, string>
): string[] {
  const problems: string[] = []
  const { cause, upstream, root_cause: rootCause, cluster } = document.why5xx
  const same = (what: string, is: unknown, wanted: unknown): void => {
    if (is !== wanted) problems.push(`${what} is ${String(is)}, not ${String(wanted)}`)
  }
  if (!(causes as readonly string[]).includes(cause)) problems.push(`cause is ${cause}, not ${causes.join(' or ')}`)
  const pod = document.kubernetes?.pod?.name ?? null
  same('state of the cluster', cluster?.known, true)
  const address = upstream?.ip
  if (story === undefined) {
    // Nobody was asked: the service has no other pods than these.
    const isOwn = address === undefined && [...pods.values()].includes(pod ?? '')
    if (!isOwn) same('pod', pod, pods.get(address ?? '') ?? null)
  } else {
    same('pod', pod, story.pod)
    same('service', document.service?.name, story.service)
    same('root cause', rootCause?.kind, story.rootCause)
    same('reference', rootCause?.ref, story.ref)
  }
  return problems
}

/** By what only one request has in its lines. */
function finderOf(requests: readonly LabRequest[]): (document: WayDocument) => LabRequest | undefined {
  const byId = new Map<string, LabRequest>()
  const byPath = new Map<string, LabRequest>()
  const byClient = new Map<string, LabRequest>()
  for (const request of requests) {
    if (request.isPathless) byClient.set(request.client, request)
    else if (request.id !== null) byId.set(request.id, request)
    else byPath.set(request.path, request)
  }
  return ({ url, source, http }) =>
    byId.get(http?.request?.id ?? '') ?? byPath.get(url?.path ?? '') ?? byClient.get(source?.address ?? '')
}

function isAbout(line: string, { isPathless, id, path, client }: LabRequest): boolean {
  return isPathless ? line.includes(` ${client}`) : line.includes(id ?? `${path}?`)
}

function shown({ id, url, source, http, service, why5xx: ours }: WayDocument): string {
  return `${id} ${JSON.stringify({ path: url?.path, client: source?.address, status: http?.response?.status_code, service: service?.name, cause: ours.cause, rootCause: ours.root_cause, upstream: ours.upstream?.ip })}`
}

class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  get text(): string {
    return [...this.#counts].map(([name, count]) => `${count} ${name}`).join(', ')
  }
}

export function tableText(rows: readonly WayRow[]): string {
  const lines = rows.map(({ kind, made, found, causes, rootCauses, pods }) =>
    [
      kind.padEnd(26),
      String(made).padStart(4),
      String(found).padStart(5),
      ` ${causes.padEnd(28)}`,
      rootCauses.padEnd(40),
      pods
    ].join(' ')
  )
  return [`${'fault'.padEnd(26)} made found  ${'causes'.padEnd(28)} ${'root causes'.padEnd(40)} pods`, ...lines].join(
    '\n'
  )
}
