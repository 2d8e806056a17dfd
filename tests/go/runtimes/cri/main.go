// Cri is the kubelet's side of the container runtime interface, one call at a time.
//
//	cri run NAMESPACE NAME [PORT]      starts a sandbox, with a port of the host if it is to have one, prints its id
//	cri app SANDBOX IMAGE COMMAND ...  starts a container in it, prints its id
//	cri list                           prints each sandbox as ID STATE NAMESPACE NAME
//	cri pid ID                         prints the process id of a sandbox
//	cri app-pid ID                     prints the process id of a container
//	cri stop ID, cri remove ID         of a sandbox
//	cri ready                          whether the runtime says that its network is
//
// CRI_SOCKET says where the runtime listens.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func main() {
	connection, err := grpc.NewClient("unix://"+os.Getenv("CRI_SOCKET"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		// Only a hang lasts as long.
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		err = call(ctx, cri.NewRuntimeServiceClient(connection), os.Args[1], os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "cri:", err)
		os.Exit(1)
	}
}

func call(ctx context.Context, runtime cri.RuntimeServiceClient, verb string, args []string) error {
	switch verb {
	case "run":
		pod := sandbox(args[0], args[1])
		err := ports(pod, args[2:])
		if err != nil {
			return err
		}
		answer, err := runtime.RunPodSandbox(ctx, &cri.RunPodSandboxRequest{Config: pod})
		return print(answer.GetPodSandboxId(), err)
	case "app":
		return app(ctx, runtime, args[0], args[1], args[2:])
	case "list":
		return list(ctx, runtime)
	case "pid":
		answer, err := runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: args[0], Verbose: true})
		return pid(answer.GetInfo(), err)
	case "app-pid":
		answer, err := runtime.ContainerStatus(ctx, &cri.ContainerStatusRequest{ContainerId: args[0], Verbose: true})
		return pid(answer.GetInfo(), err)
	case "stop":
		_, err := runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: args[0]})
		return err
	case "remove":
		_, err := runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: args[0]})
		return err
	case "ready":
		return ready(ctx, runtime)
	}
	return fmt.Errorf("no verb %q", verb)
}

// sandbox describes a pod as a kubelet does.
func sandbox(namespace, name string) *cri.PodSandboxConfig {
	return &cri.PodSandboxConfig{
		Metadata:     &cri.PodSandboxMetadata{Name: name, Namespace: namespace, Uid: "uid-" + name},
		Hostname:     name,
		LogDirectory: "/run",
		Linux:        &cri.LinuxPodSandboxConfig{CgroupParent: "/kubepods"},
	}
}

// ports maps each to port 80 of the pod; port 81 is one that a container only mentions.
func ports(pod *cri.PodSandboxConfig, hosts []string) error {
	pod.PortMappings = []*cri.PortMapping{{ContainerPort: 81}}
	for _, text := range hosts {
		host, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return err
		}
		pod.PortMappings = append(pod.PortMappings, &cri.PortMapping{ContainerPort: 80, HostPort: int32(host)})
	}
	return nil
}

func app(ctx context.Context, runtime cri.RuntimeServiceClient, id, image string, command []string) error {
	status, err := runtime.PodSandboxStatus(ctx, &cri.PodSandboxStatusRequest{PodSandboxId: id})
	if err != nil {
		return err
	}
	pod := status.GetStatus().GetMetadata()
	made, err := runtime.CreateContainer(ctx, &cri.CreateContainerRequest{
		PodSandboxId:  id,
		SandboxConfig: sandbox(pod.GetNamespace(), pod.GetName()),
		Config: &cri.ContainerConfig{
			Metadata: &cri.ContainerMetadata{Name: "app"},
			Image:    &cri.ImageSpec{Image: image},
			Command:  command,
		},
	})
	if err != nil {
		return err
	}
	_, err = runtime.StartContainer(ctx, &cri.StartContainerRequest{ContainerId: made.GetContainerId()})
	return print(made.GetContainerId(), err)
}

func list(ctx context.Context, runtime cri.RuntimeServiceClient) error {
	answer, err := runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{})
	for _, one := range answer.GetItems() {
		fmt.Println(one.GetId(), one.GetState(), one.GetMetadata().GetNamespace(), one.GetMetadata().GetName())
	}
	return err
}

func ready(ctx context.Context, runtime cri.RuntimeServiceClient) error {
	answer, err := runtime.Status(ctx, &cri.StatusRequest{})
	for _, condition := range answer.GetStatus().GetConditions() {
		if condition.GetType() == cri.NetworkReady && !condition.GetStatus() {
			return errors.New(condition.GetMessage())
		}
	}
	return err
}

// pid is in what a runtime tells only those who ask for more.
func pid(info map[string]string, err error) error {
	var process struct {
		Pid int `json:"pid"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(info["info"]), &process)
	}
	return print(process.Pid, err)
}

func print(what any, err error) error {
	if err == nil {
		fmt.Println(what)
	}
	return err
}
