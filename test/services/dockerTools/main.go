// Two of Docker's own checks that need no engine, in one program for the tests:
//
//	dockerTools compose -f compose.yaml config --format json    what `docker compose` makes of a file, or its error
//	dockerTools lint Dockerfile [NAME=VALUE…]                   what `docker build --check` says, as JSON; values are build arguments
//
// Base images are not asked for: their configuration is taken to be empty, which no rule of the linter reads.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/docker/cli/cli-plugins/plugin"
	"github.com/docker/cli/cli/command"
	"github.com/docker/compose/v2/cmd/compatibility"
	commands "github.com/docker/compose/v2/cmd/compose"
	"github.com/docker/compose/v2/pkg/compose"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/opencontainers/go-digest"
	"github.com/spf13/cobra"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "lint" {
		if err := lint(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) < 2 || os.Args[1] != "compose" {
		fmt.Fprintln(os.Stderr, "usage: dockerTools compose ARGUMENT… | dockerTools lint FILE [NAME=VALUE…]")
		os.Exit(2)
	}
	os.Args = append([]string{"docker"}, compatibility.Convert(os.Args[2:])...)
	plugin.Run(func(cli command.Cli) *cobra.Command {
		return commands.RootCommand(cli, compose.NewComposeService(cli))
	}, metadata.Metadata{SchemaVersion: "0.1.0", Vendor: "why5xx tests", Version: "v2.40.3"})
}

// noRegistry answers for every base image with an empty configuration.
type noRegistry struct{}

func (noRegistry) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config := []byte(`{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]}}`)
	return ref, digest.FromBytes(config), config, nil
}

func lint(file string, arguments []string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	values := map[string]string{}
	for _, argument := range arguments {
		name, value, _ := strings.Cut(argument, "=")
		values[name] = value
	}
	source := llb.NewSourceMap(nil, file, "Dockerfile", content)
	source.Definition = &llb.Definition{} // Asked for without being checked.
	results, err := dockerfile2llb.DockerfileLint(context.Background(), content, dockerfile2llb.ConvertOpt{
		Config:       dockerui.Config{BuildArgs: values},
		SourceMap:    source,
		MetaResolver: noRegistry{},
	})
	if err != nil {
		return err
	}
	// Where they come from is the file itself, in base64.
	results.Sources = nil
	return json.NewEncoder(os.Stdout).Encode(results)
}
