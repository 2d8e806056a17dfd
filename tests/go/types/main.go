// Types tells what the reference's own packages make of documents: one question as JSON on stdin, one answer as
// JSON on stdout, until stdin ends.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/utils"
	"github.com/containernetworking/cni/pkg/version"
)

// question is one document.
type question struct {
	// Kind says what the document is: a key of kinds.
	Kind string `json:"kind"`
	// Version is that of the configuration, for a result.
	Version string `json:"version"`
	// To holds the versions that a result is wanted in, and one of any name for the other kinds.
	To []string `json:"to"`
	// Text is the document.
	Text string `json:"text"`
}

// answer is what became of a document: either or.
type answer struct {
	JSON    any     `json:"json,omitempty"`
	Refused *string `json:"refused,omitempty"`
}

// kinds decode a document and encode it again; only results heed "to".
var kinds = map[string]func(q question, to string) (any, error){
	"args":      args,
	"conf":      conf,
	"container": name(utils.ValidateContainerID),
	"error":     wireError,
	"ifname":    name(utils.ValidateInterfaceName),
	"list":      list,
	"network":   name(utils.ValidateNetworkName),
	"prev":      prev,
	"result":    result,
}

func main() {
	questions, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var q question
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			panic(err)
		}
		all := map[string]answer{}
		for _, to := range q.To {
			all[to] = ask(q, to)
		}
		if err := answers.Encode(all); err != nil {
			panic(err)
		}
	}
}

// ask takes a panic of the reference for a refusal: a program that used it would have ended.
func ask(q question, to string) (a answer) {
	refuse := func(why any) {
		text := fmt.Sprint(why)
		a = answer{Refused: &text}
	}
	defer func() {
		if why := recover(); why != nil {
			refuse(why)
		}
	}()
	decoded, err := kinds[q.Kind](q, to)
	if err != nil {
		refuse(err)
		return a
	}
	return answer{JSON: decoded}
}

// plugin stands for one that has answered its text.
type plugin struct{ version.PluginDecoder }

var output string

func (*plugin) ExecPlugin(context.Context, string, []byte, []string) ([]byte, error) {
	return []byte(output), nil
}
func (*plugin) FindInPath(name string, _ []string) (string, error) { return name, nil }

// result is read as a runtime reads a plugin's output.
func result(q question, to string) (any, error) {
	output = q.Text
	config, err := json.Marshal(map[string]string{"cniVersion": q.Version})
	if err != nil {
		return nil, err
	}
	decoded, err := invoke.ExecPluginWithResult(context.Background(), "plugin", config, &invoke.Args{}, &plugin{})
	if err != nil {
		return nil, err
	}
	return encode(decoded, to)
}

// prev reads prevResult of a configuration as a plugin does, and prints it as its own result.
func prev(q question, _ string) (any, error) {
	var config types.PluginConf
	if err := json.Unmarshal([]byte(q.Text), &config); err != nil {
		return nil, err
	}
	if err := version.ParsePrevResult(&config); err != nil {
		return nil, err
	}
	if config.PrevResult == nil {
		return "absent", nil
	}
	return encode(config.PrevResult, config.CNIVersion)
}

func encode(decoded types.Result, to string) (any, error) {
	converted, err := decoded.GetAsVersion(to)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := converted.PrintTo(&text); err != nil {
		return nil, err
	}
	return json.RawMessage(text.Bytes()), nil
}

// wireError is read as a runtime reads the output of a plugin that failed.
func wireError(q question, _ string) (any, error) {
	var decoded types.Error
	if err := json.Unmarshal([]byte(q.Text), &decoded); err != nil {
		return nil, err
	}
	return map[string]any{"object": &decoded, "text": decoded.Error()}, nil
}

func list(q question, _ string) (any, error) {
	decoded, err := libcni.NetworkConfFromBytes([]byte(q.Text))
	if err != nil {
		return nil, err
	}
	return usable(decoded)
}

func conf(q question, _ string) (any, error) {
	decoded, err := libcni.NetworkPluginConfFromBytes([]byte(q.Text))
	if err != nil {
		return nil, err
	}
	wrapped, err := libcni.ConfListFromConf(decoded)
	if err != nil {
		return nil, err
	}
	return usable(wrapped)
}

// usable applies what libcni checks only when a list is used: no plugin at all, its names.
func usable(l *libcni.NetworkConfigList) (any, error) {
	if len(l.Plugins) == 0 {
		return nil, errors.New("no plugin configs found")
	}
	if err := utils.ValidateNetworkName(l.Name); err != nil {
		return nil, err
	}
	plugins := []any{}
	for _, p := range l.Plugins {
		if _, err := invoke.FindInPath(p.Network.Type, []string{"/dev/null"}); strings.HasPrefix(err.Error(), "invalid plugin name") {
			return nil, err
		}
		capabilities := []string{}
		for capability, on := range p.Network.Capabilities {
			if on {
				capabilities = append(capabilities, capability)
			}
		}
		slices.Sort(capabilities)
		plugins = append(plugins, map[string]any{
			"type": p.Network.Type, "capabilities": capabilities, "object": json.RawMessage(p.Bytes),
		})
	}
	// No version is 0.1.0 for whoever reads it.
	if l.CNIVersion == "" {
		l.CNIVersion = "0.1.0"
	}
	return map[string]any{
		"name": l.Name, "cniVersion": l.CNIVersion, "disableCheck": l.DisableCheck, "disableGC": l.DisableGC,
		"loadOnlyInlinedPlugins": l.LoadOnlyInlinedPlugins, "plugins": plugins,
	}, nil
}

// args are read with the fields that the reference's plugins know.
func args(q question, _ string) (any, error) {
	var decoded struct {
		types.CommonArgs
		IP, MAC, GATEWAY types.UnmarshallableString
	}
	if err := types.LoadArgs(q.Text, &decoded); err != nil {
		return nil, err
	}
	return map[string]any{"IP": decoded.IP, "MAC": decoded.MAC, "GATEWAY": decoded.GATEWAY}, nil
}

func name(validate func(string) *types.Error) func(question, string) (any, error) {
	return func(q question, _ string) (any, error) {
		if err := validate(q.Text); err != nil {
			return nil, err
		}
		return q.Text, nil
	}
}
