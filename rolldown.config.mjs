// One file a command instead of eighty modules: half of the start-up time was the module loader's.
export default {
  logLevel: 'silent',
  input: { main: 'src/main.ts', storeWorker: 'src/store/storeWorker.ts' },
  platform: 'node',
  // A native library per platform: it cannot be bundled.
  external: [/^@duckdb\//],
  output: { dir: 'dist', format: 'esm', chunkFileNames: 'chunks/[name].js' }
}
