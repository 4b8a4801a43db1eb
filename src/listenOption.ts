import { isIPv4, isIPv6 } from 'node:net'
import { Why5xxError } from './errors.ts'

export interface ListenAddress {
  /** An address or a name, IPv6 without brackets; null: every address of the machine. */
  host: string | null
  /** 0: any that is free. */
  port: number
}

/** `127.0.0.1:8055`, `localhost:8055`, `[::1]:8055`, `:8055`. Throws Why5xxError `WHY5XX_USAGE` that shows the forms. */
export function parseListen(name: string, text: string): ListenAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const [, bracketed, plain] = match ?? []
  const isHost =
    bracketed !== undefined ? isIPv6(bracketed) : plain === '' || !/^[\d.]+$/.test(plain ?? '.') || isIPv4(plain!)
  if (!match || port > 65_535 || !isHost)
    throw new Why5xxError(
      'WHY5XX_USAGE',
      `${name} ${text}: expected ADDRESS:PORT, such as 127.0.0.1:8055, [::1]:8055, or :8055 for every address`
    )
  return { host: bracketed ?? (plain === '' ? null : plain!), port }
}

/** Only programs on this machine can reach it. A name other than localhost may mean anything. */
export function isLoopback({ host }: ListenAddress): boolean {
  if (host === null) return false
  return /^(?:localhost|127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/i.test(host)
}

export function listenText({ host, port }: ListenAddress): string {
  return `${host === null ? '' : host.includes(':') ? `[${host}]` : host}:${port}`
}
