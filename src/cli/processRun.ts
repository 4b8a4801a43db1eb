import { setFlagsFromString } from 'node:v8'

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
}
