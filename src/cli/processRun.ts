import { setFlagsFromString } from 'node:v8'

/** How long what still lives may end by itself. */
const LEFT_MS = 1_000

/** What every program of the package does around its command line; the exit code is what `run` returns. */
export async function runProcess(run: (argv: string[]) => Promise<number>): Promise<void> {
  // Memory is bounded by what is held, which is small: the collector's defaults would let garbage grow to many times of it
  // before it looks (117 MiB instead of 80 where a third of the lines fail, for a third more time there).
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--no-parallel-scavenge')
  setFlagsFromString('--heap-growing-percent=30')

  // Who closes the pipe has seen enough (`why5xx explain … | head`): silent, exit code 0.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })

  process.exitCode = await run(process.argv)
  // Whoever was stopped while it asked a store or a broker does not wait for the answer.
  setTimeout(() => process.exit(), LEFT_MS).unref()
}
