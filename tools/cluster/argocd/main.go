// Argo CD as far as it applies and compares: its application controller, the controller that makes Applications of an
// ApplicationSet, its repository server, and a Redis in memory between them. The whole program holds a web page as well,
// which its module comes without.
package main

import (
	"fmt"
	"os"

	"github.com/alicebob/miniredis/v2"
	"github.com/spf13/cobra"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)

// redis keeps what the two tell each other for as long as the process runs.
func redis() *cobra.Command {
	var address string
	command := &cobra.Command{
		Use:  "redis",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := miniredis.NewMiniRedis().StartAddr(address); err != nil {
				return err
			}
			select {}
		},
	}
	command.Flags().StringVar(&address, "address", "127.0.0.1:6379", "where it listens")
	return command
}

func main() {
	root := &cobra.Command{Use: "argocd", SilenceUsage: true}
	root.AddCommand(controller.NewCommand(), applicationset.NewCommand(), reposerver.NewCommand(), redis())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "argocd:", err)
		os.Exit(1)
	}
}
