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

export class Masker {
  readonly #options: MaskOptions

  constructor(options: MaskOptions) {
    this.#options = options
  }

  /** A path without query. */
  path(path: string | null): string | null {
    return path === null ? null : this.#options.path.reduce((text, pattern) => text.replace(pattern, '***'), path)
  }

  /** `a=1&b=2` → `***`. */
  query(query: string | null): string | null {
    return query === null || !this.#options.query ? query : '***'
  }

  /** `GET /a?b HTTP/1.1` → `GET /a?*** HTTP/1.1`; also upstream and subrequest URLs, whose userinfo goes as well. */
  request(text: string | null): string | null {
    if (text === null) return null
    const blank = text.indexOf(' ')
    const version = / [A-Z]+\/\d(?:\.\d)?$/.exec(text)?.[0] ?? ''
    const method = blank < 0 || /^[a-z]+:\/\//.test(text) ? '' : text.slice(0, blank + 1)
    return method + (this.url(text.slice(method.length, text.length - version.length)) ?? '') + version
  }

  url(url: string | null): string | null {
    if (url === null) return null
    const mark = url.indexOf('?')
    const base = mark < 0 ? url : url.slice(0, mark)
    const query = mark < 0 ? '' : this.#options.query ? '?***' : url.slice(mark)
    const target = this.#options.query ? base.replace(/^([a-z]+:\/\/)[^/]*@/, '$1***@') : base
    return (this.path(target) ?? '') + query
  }

  /** `https://shop.example.com/cart?x` → `https://shop.example.com`. */
  referrer(referrer: string | null): string | null {
    if (referrer === null || !this.#options.referrer) return referrer
    const origin = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#]*@)?([^/?#]*)/i.exec(referrer)
    return origin ? origin[1]! + origin[2]! : '***'
  }

  userAgent(userAgent: string | null): string | null {
    return userAgent === null || !this.#options.userAgent ? userAgent : '***'
  }

  /** `truncate` keeps the network: /24 of IPv4, /48 of IPv6. */
  client(client: string | null): string | null {
    if (client === null || this.#options.client === 'none') return client
    if (/^\d+\.\d+\.\d+\.\d+$/.test(client)) return client.replace(/\.\d+$/, '.0')
    return client.includes(':') && !client.startsWith('unix:') ? `${client.split(':').slice(0, 3).join(':')}::` : client
  }

  /** nginx's message: quoted headers lose their value, quoted URIs their query. */
  message(message: string): string {
    if (!this.#options.query) return message
    return message
      .replace(/"([A-Za-z0-9_-]{1,64}): [^"]*("|$)/g, '"$1: ***$2')
      .replace(
        /((?:header|header line|trailer|value|method|path|"Content-Length" header|"Transfer-Encoding"): ")(?![A-Za-z0-9_-]{1,64}: \*\*\*)[^"]*("|$)/g,
        '$1***$2'
      )
      .replace(/(\[(?:data|uri|msg) ")[^"]*("\])/g, '$1***$2')
      .replace(/\?[^\s"',]+/g, '?***')
  }

  /** Bytes of a line nobody could read, at most `max` of them: everything behind a `?` up to a blank or quote goes. */
  rejected(raw: string, max = 200): string {
    const cut = raw.slice(0, max)
    return this.#options.query
      ? cut
          .replace(/\?[^\s"']+/g, '?***')
          .replace(/((?:authorization|cookie|token|password|secret)["']?\s*[:=]\s*["']?)[^\s"',]+/gi, '$1***')
      : cut
  }
}
