// Gc issues the verb GC through libcni, as a runtime that knows its living containers would; cnitool names none.
//
//	gc NETWORK [CONTAINER/IFNAME ...]
//
// NETCONFPATH and CNI_PATH say where configurations and plugins are, as for cnitool.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "gc:", err)
		os.Exit(1)
	}
}

func run(network string, living []string) error {
	list, err := libcni.LoadNetworkConf(os.Getenv("NETCONFPATH"), network)
	if err != nil {
		return err
	}
	// An empty list says that nothing lives; nil would say the same in other words.
	valid := []types.GCAttachment{}
	for _, one := range living {
		container, ifname, _ := strings.Cut(one, "/")
		valid = append(valid, types.GCAttachment{ContainerID: container, IfName: ifname})
	}
	cni := libcni.NewCNIConfig(filepath.SplitList(os.Getenv("CNI_PATH")), nil)
	return cni.GCNetworkList(context.Background(), list, &libcni.GCArgs{ValidAttachments: valid})
}
