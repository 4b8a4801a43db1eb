#!/usr/bin/env node
// kubectl runs programs called `kubectl-NAME` as `kubectl NAME`; a file of its own works as well where names of links are lost.
import { runKubectlCli } from './cli/kubectlProgram.ts'
import { runProcess } from './cli/processRun.ts'

await runProcess(runKubectlCli)
