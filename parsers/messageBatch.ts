/**
 * Messages of one Kafka partition as they came: bytes, and where each value lies in them. There is no object of a message,
 * so that a driver which decodes record batches in place can fill it as well.
 */
export interface MessageBatch {
  /** Values in the order of their offsets, behind each one byte that is a line feed: scanners stop at it. Between them may lie anything. */
  bytes: Buffer
  count: number
  /** Kafka offset of each; ascending, with holes. */
  offsets: Float64Array
  /** A value is `bytes[start, end)`. */
  starts: Int32Array
  /** -1: the message has no value (null). */
  ends: Int32Array
}
