/**
 * Takes out of log text what may be a secret, before it is printed or stored: query strings, referrers down to their
 * origin, header values that a message quotes; further parts of paths by the user's own expressions.
 * Ids are hashed from the unmasked bytes, so masking never changes what a line is.
 */

export interface MaskOptions {
  query: boolean
  referrer: boolean
  userAgent: boolean
  /** Whatever matches in a path becomes `***`. */
  path: RegExp[]
  client: 'none' | 'truncate'
}

export const MASK_ALL: MaskOptions = { query: true, referrer: true, userAgent: false, path: [], client: 'none' }
export const MASK_NOTHING: MaskOptions = { query: false, referrer: false, userAgent: false, path: [], client: 'none' }

/** Messages come again and again: what was worked out is kept, so many of this length at most. */
const MESSAGES_MAX = 1_000
const MESSAGE_LENGTH_MAX = 500

export class Masker {
  readonly #options: MaskOptions
  readonly #messages = new Map<string, string>()

  constructor(options: MaskOptions) {
    this.#options = options
  }

  /** A path without query. */
  path(path: string | null): string | null {
    if (path === null) return null
    const open = this.#options.query ? path.replace(/;([\w.-]{1,64})=[^/;?\s"]*/g, ';$1=***') : path
    return this.#options.path.reduce((text, pattern) => text.replace(pattern, '***'), open)
  }

  /** `a=1&b=2` → `***`. */
  query(query: string | null): string | null {
    return query === null || !this.#options.query ? query : '***'
  }

  /** `https://shop.example.com/cart?x` → `https://shop.example.com`. */
  referrer(referrer: string | null): string | null {
    if (referrer === null || !this.#options.referrer) return referrer
    const origin = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^/?#]*)/i.exec(referrer)
    return origin ? origin[1]! + origin[2]! : '***'
  }

  /** A client may send any X-Request-ID, also a URL. */
  requestId(id: string | null): string | null {
    // nginx's own are hexadecimal.
    return id === null || !this.#options.query || /^[\w.-]+$/.test(id) ? id : withoutSecrets(id)
  }

  userAgent(userAgent: string | null): string | null {
    return userAgent === null || !this.#options.userAgent ? userAgent : '***'
  }

  /** A Host header may be anything, also `user:password@shop.example.com`. */
  host(host: string | null): string | null {
    return host === null || !this.#options.query ? host : host.replace(/^.*@/, '***@')
  }

  /** `truncate` keeps the network: /24 of IPv4, /48 of IPv6. */
  client(client: string | null): string | null {
    if (client === null || this.#options.client === 'none' || client.startsWith('unix:')) return client
    if (/\d+\.\d+\.\d+\.\d+$/.test(client)) return client.replace(/\.\d+$/, '.0')
    if (!client.includes(':')) return client
    return `${client.split('::')[0]!.split(':').slice(0, 3).join(':')}::`
  }

  /** nginx's message: quoted headers lose their value, URIs their query and userinfo, users their name. */
  message(message: string): string {
    let masked = this.#messages.get(message)
    if (masked !== undefined) return masked
    masked = this.path(this.#options.query ? withoutSecrets(message) : message)!
    if (this.#messages.size >= MESSAGES_MAX) this.#messages.clear()
    if (message.length <= MESSAGE_LENGTH_MAX) this.#messages.set(message, masked)
    return masked
  }

  /** Bytes of a line nobody could read, at most `max` of them; quoted URLs are cut down to their origin. */
  rejected(raw: string, max = 200): string {
    const cut = raw.slice(0, max)
    if (!this.#options.query) return this.path(cut)!
    return this.path(
      withoutSecrets(
        cut
          .replace(/((?:set-)?cookie["']?\s*[:=]\s*["']?)[^"'\r\n]*/gi, '$1***')
          .replace(/("[a-z]+:\/\/[^/"\s]*)\/[^"]*/gi, '$1/***')
      )
    )!
  }
}

/** What texts of nginx, Lua and ModSecurity quote of a request or an answer, and programs of their settings. */
export function withoutSecrets(text: string): string {
  return text
    .replace(/"([\w!#$%&'*+.^`|~\\-]{1,64}): [^"]*("|$)/g, '"$1: ***$2')
    .replace(
      /((?:header|header line|trailer|value|method|path|args|"Content-Length" header|"Transfer-Encoding"):|\b(?:user|status)) "(?![\w!#$%&'*+.^`|~\\-]{1,64}: \*\*\*)[^"]*("|$)/g,
      '$1 "***$2'
    )
    .replace(/(\[(?:data|uri|msg) ")[^"]*("\])/g, '$1***$2')
    .replace(/(\(Value: `)[^']*/g, '$1***')
    .replace(/([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@"]*@/gi, '$1***@')
    .replace(/\?[^\s"]+/g, '?***')
    .replace(/\b([Bb]earer|[Bb]asic|Digest|Negotiate) (?!authentication\b)[^\s"',]+/g, '$1 ***')
    .replace(
      /(\b(?:[\w-]{0,40}(?:authorization|cookie|token|passw(?:or)?d|secret|api[-_]?key|session_?id)|sid)["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;]+/gi,
      '$1***'
    )
}
