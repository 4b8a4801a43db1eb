/**
 * One spelling for bytes that are not plain text: nginx's default log escape (ngx_http_log_module.c,
 * ngx_http_log_escape). Error lines and JSON formats print bytes raw, access lines escape them; brought to one spelling
 * the same request compares equal, and nothing that is printed can move a cursor.
 */

const NOT_PRINTABLE = /[^\x20-\x7e]/
const NOT_PRINTABLE_ALL = /[^\x20-\x7e]/g
const ESCAPED_BY_NGINX = /[^\x20-\x7e]|["\\]/g

function hex(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** Latin-1 text → printable ASCII. Quotes and backslashes stay: for messages, and for text that nginx escaped already. */
export function printable(text: string): string {
  return NOT_PRINTABLE.test(text) ? text.replace(NOT_PRINTABLE_ALL, hex) : text
}

/** Raw client bytes (Latin-1 text) as nginx's access log would print them. */
export function escapeValue(text: string): string {
  return text.replace(ESCAPED_BY_NGINX, hex)
}

/** Text of Unicode characters (what JSON holds) → its UTF-8 bytes as Latin-1 text. */
export function utf8AsLatin1(text: string): string {
  if (/^[\x00-\x7f]*$/.test(text)) return text
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0)!
    if (code < 0x80) out += char
    else if (code < 0x800) out += String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 63))
    else if (code < 0x10000)
      out += String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63))
    else {
      out += String.fromCharCode(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63)
      )
    }
  }
  return out
}
