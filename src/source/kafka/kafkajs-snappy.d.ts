declare module 'kafkajs-snappy' {
  /** A codec as kafkajs registers it. */
  export default function createSnappy(): {
    compress(encoder: { buffer: Buffer }): Promise<Buffer>
    decompress(buffer: Buffer): Promise<Buffer>
  }
}
