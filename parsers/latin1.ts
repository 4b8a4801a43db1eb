/** Bytes as text, one character a byte: a flat copy, so that a short value never keeps a whole block alive. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.prototype.latin1Slice.call(bytes, start, end)
}
