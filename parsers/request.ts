/** `$request` taken apart from its ends, because what a client sends in the middle is anything (log-formats: seen). */

export interface RequestParts {
  method: string | null
  /** Without the query; of an absolute-form target (`GET https://host/path`) the path alone. */
  path: string | null
  query: string | null
  /** Host of an absolute-form target. */
  targetHost: string | null
  httpVersion: string | null
}

const NOTHING: RequestParts = { method: null, path: null, query: null, targetHost: null, httpVersion: null }

export function parseRequest(request: string | null): RequestParts {
  if (request === null || request === '' || request === '-') return NOTHING
  const blank = request.indexOf(' ')
  if (blank <= 0) return NOTHING
  const version = /^[A-Z]+\/\d(?:\.\d)?$/.exec(request.slice(request.lastIndexOf(' ') + 1))?.[0] ?? null
  const method = request.slice(0, blank)
  if (!/^[A-Za-z_-]{1,32}$/.test(method)) return NOTHING
  const target = request.slice(blank + 1, version === null ? undefined : request.length - version.length - 1).trimEnd()
  const { path, query, targetHost } = parseTarget(target)
  return {
    // `-` stands for the method in formats that log none.
    method: method === '-' ? null : method,
    path,
    query,
    targetHost,
    httpVersion: version?.startsWith('HTTP/') ? version.slice(5) : null
  }
}

/** `$request_uri`, or the target of a request line. */
export function parseTarget(target: string): Pick<RequestParts, 'path' | 'query' | 'targetHost'> {
  if (target === '') return { path: null, query: null, targetHost: null }
  // Nearly every target is a path.
  const absolute = target[0] === '/' ? null : /^[a-z][a-z0-9+.-]*:\/\/([^/?]*)(.*)$/i.exec(target)
  const rest = absolute ? absolute[2]!.replace(/^(?!\/)/, '/') : target
  const mark = rest.indexOf('?')
  return {
    path: mark < 0 ? rest : rest.slice(0, mark),
    query: mark < 0 ? null : rest.slice(mark + 1),
    targetHost: absolute?.[1] || null
  }
}
