/**
 * Sizes of the pages that nginx makes itself, to tell its answers from an application's.
 * Source: status-semantics.md §6; nginx src/http/ngx_http_special_response.c.
 *
 *   <html>…<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>…     150 bytes
 */

/** Bytes of the HTML page by status, `server_tokens off` (the controller's default), without padding. */
const PAGE_BYTES: ReadonlyMap<number, number> = new Map([
  [301, 162],
  [302, 138],
  [303, 146],
  [307, 164],
  [308, 164],
  [400, 150],
  [401, 172],
  [402, 160],
  [403, 146],
  [404, 146],
  [405, 150],
  [406, 156],
  [408, 160],
  [409, 144],
  [410, 136],
  [411, 158],
  [412, 166],
  [413, 176],
  [414, 170],
  [415, 172],
  [416, 190],
  [421, 166],
  [429, 162],
  [500, 170],
  [501, 158],
  [502, 150],
  [503, 190],
  [504, 160],
  [505, 180],
  [507, 168]
])

/** Kinds of page behind a logged 400: nginx rewrites 494 to 497 to 400 before it logs. */
export type BadRequestPage = 'plain' | 'header_too_large' | 'bad_certificate' | 'no_certificate' | 'http_on_tls_port'

const BAD_REQUEST_PAGES: readonly (readonly [BadRequestPage, number])[] = [
  ['plain', 150],
  ['header_too_large', 226],
  ['bad_certificate', 208],
  ['no_certificate', 230],
  ['http_on_tls_port', 248]
]

/** Comments that nginx adds for MSIE and `Chrome/` user agents to pages of statuses from 400 on. */
const PADDING_BYTES = 402

/** `HTTP/1.1 100 Continue` and its blank line are counted in `$body_bytes_sent`. */
const CONTINUE_BYTES = 25

/**
 * What the name at the foot of the page adds to `nginx`: nothing; `nginx/1.27.1`, `nginx/1.9.9`, `nginx/1.19.10`;
 * `openresty`, `openresty/1.15.8.2` (controllers of 2019). The likeliest first, for sizes that two pages share.
 */
const NAME_BYTES = [0, 7, 6, 8, 13, 4]

/** True when so few bytes can be no page: nothing, or only the interim `100 Continue`. */
export function isNoBody(bodyBytes: number | null): boolean {
  return bodyBytes === 0 || bodyBytes === CONTINUE_BYTES
}

/**
 * True when `bodyBytes` is the size of nginx's page for `status`. The padding is not checked against the user agent:
 * posted lines often have theirs shortened or replaced. A page to HEAD has no body, so it is never found here.
 */
export function isOwnPage(status: number, bodyBytes: number | null): boolean {
  const page = PAGE_BYTES.get(status)
  if (page === undefined || bodyBytes === null) return false
  if (status === 400) return badRequestPage(bodyBytes) !== null
  return sizes(status).some(extra => bodyBytes === page + extra)
}

/** Which of the five pages a 400 without upstream carried, or null. */
export function badRequestPage(bodyBytes: number | null): BadRequestPage | null {
  if (bodyBytes === null) return null
  // Sizes outside, pages inside: 230 is "no certificate" without a version before it is anything else.
  for (const extra of sizes(400)) {
    for (const [kind, bytes] of BAD_REQUEST_PAGES) if (bodyBytes === bytes + extra) return kind
  }
  return null
}

const SIZES = [0, CONTINUE_BYTES].flatMap(more => NAME_BYTES.map(name => name + more))
const PADDED_SIZES = [0, CONTINUE_BYTES].flatMap(more =>
  NAME_BYTES.flatMap(name => [name + more, name + more + PADDING_BYTES])
)

function sizes(status: number): readonly number[] {
  return status >= 400 ? PADDED_SIZES : SIZES
}
