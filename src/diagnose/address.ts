/** Upstream addresses as nginx logs them. */

export interface Peer {
  /** Without brackets. */
  ip: string
  port: number | null
}

/** null: a socket, a name, or nothing. */
export function peerOf(address: string | null): Peer | null {
  if (address === null) return null
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([0-9.]+))(?::(\d{1,5}))?$/.exec(address)
  if (match !== null) return { ip: match[1] ?? match[2]!, port: match[3] === undefined ? null : Number(match[3]) }
  return /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(address) ? { ip: address, port: null } : null
}
