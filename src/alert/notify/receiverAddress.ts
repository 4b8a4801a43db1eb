/** Addresses of receivers, and what is wrong with one in words that do not repeat it: whoever knows it may post there. */

import type { WebhookConfig } from '../../alertOptions.ts'

/** Where template `pagerduty` posts when no address is given. */
export const PAGERDUTY_URL = 'https://events.pagerduty.com/v2/enqueue'

/** The address, or a sentence. */
export function httpUrl(text: string): URL | string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) return 'expected an address such as https://host/path'
  if (url.username !== '' || url.password !== '')
    return `no user in the address of ${url.host}: give username and password, or a header`
  return url
}

/** For messages: `webhook 2 (slack)`. */
export function webhookTitle({ name, template }: Pick<WebhookConfig, 'name' | 'template'>, index: number): string {
  return `webhook ${index + 1} (${name ?? template})`
}
