/** Text of other people's in messages: cut to what a receiver takes, and without mentions that would call a whole channel. */

/** Cuts to `max` UTF-16 units with an ellipsis, never through a character. */
export function limitText(text: string, max: number): string {
  if (text.length <= max) return text
  let cut = ''
  for (const character of text) {
    if (cut.length + character.length > max - 1) break
    cut += character
  }
  return `${cut}…`
}

const ENTITIES = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;']
])
/** Joins words without being seen: `@here` with one inside is a word like any other. */
const APART = '\u2060'

/**
 * For Slack's mrkdwn: `&`, `<` and `>` as it wants them, so that `<!channel>` and `<@U024BE7LH>` are read and call nobody, and
 * every @ apart from its word for workspaces that find names by themselves. At most `max` UTF-16 units, no entity cut.
 */
export function slackText(text: string, max = Number.POSITIVE_INFINITY): string {
  const pieces = Array.from(text, character => ENTITIES.get(character) ?? (character === '@' ? `@${APART}` : character))
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (length <= max) return pieces.join('')
  let cut = ''
  for (const piece of pieces) {
    if (cut.length + piece.length > max - 1) break
    cut += piece
  }
  return `${cut}…`
}

/** `<https://…|label>`; a command instead of an address is shown as code. */
export function slackLink(target: string, label: string): string {
  if (!isHttpUrl(target)) return `\`${slackText(target.replaceAll('`', "'"))}\``
  const address = target.replace(/[\s<>|"`]/g, character => encodeURIComponent(character)).replaceAll('&', '&amp;')
  return `<${address}|${slackText(label.replaceAll('|', '/'))}>`
}

export function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
