/** What no output may hold, whoever wrote the texts in it. */

/** Control characters but the line feed, marks that turn writing or are not seen, separators that end a line. */
export const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

/** Lines of Markdown with a link, a picture, an address, a mention or a tag outside code, whose text nothing reads. */
export function activeLines(markdown: string): string[] {
  return markdown
    .split('\n')
    .filter(line => !line.startsWith('    '))
    .filter(line => {
      // Table pipes in code stay pipes.
      const outside = line.replace(/(`+)(?!`)(.*?[^`])\1(?!`)/g, (_, _fence, code: string) =>
        code.replace(/[^|\\]/g, 'c')
      )
      return /\]\(|\]\[|!\[|<|@|:\/\/|www\.|`|~~/.test(outside.replace(/\\[\\`*_{}[\]()#+!|<>~$&]/g, ''))
    })
}

const KNOWN_TAGS =
  '!doctype html head meta title body main header h1 h2 h3 p dl dt dd figure div svg desc rect path g text tspan defs clipPath ul li span ol time table thead tbody tr th td pre code strong footer'.split(
    ' '
  )

/** Tags and attributes of a page that are not ours, and what is left of brackets outside tags. */
export function foreignMarkup(page: string): string[] {
  const content = page.replace(/<style>[\s\S]*?<\/style>/, '')
  const tags = [...content.matchAll(/<\/?([a-zA-Z!]\w*)([^<>]*)>/g)]
  const names = new Set(tags.map(tag => tag[1]!))
  const attributes = new Set(tags.flatMap(tag => [...tag[2]!.matchAll(/([\w:-]+)=/g)].map(match => match[1]!)))
  const rest = content.replace(/<\/?[a-zA-Z!]\w*(?:\s+[\w:-]+(?:="[^"<>]*")?)*\s*\/?>/g, '')
  return [
    ...[...names].filter(tag => !KNOWN_TAGS.includes(tag)),
    ...[...attributes].filter(attribute => /^on|src|href/i.test(attribute)),
    ...(rest.match(/.{0,20}[<>].{0,20}/g) ?? [])
  ]
}
