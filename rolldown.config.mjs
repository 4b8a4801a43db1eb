// One file a command instead of eighty modules: half of the start-up time was the module loader's.
export default {
  logLevel: 'silent',
  input: { main: 'src/main.ts', kubectl: 'src/kubectl.ts', storeWorker: 'src/store/storeWorker.ts' },
  platform: 'node',
  // Native libraries and WebAssembly cannot be bundled; clients of servers are loaded by the commands that talk to them.
  external: [/^@duckdb\//, /^@elastic\//, /^kafkajs/, 'lz4-napi', '@bokuweb/zstd-wasm', 'node-rdkafka'],
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name].js' }
}
