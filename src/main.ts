#!/usr/bin/env node
import { runCli } from './cli/program.ts'

// Who closes the pipe has seen enough (`why5xx explain … | head`): silent, exit code 0.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv)
