#!/bin/bash
# init.sh DIRECTORY: the first process of a node. Prints its process id as others see it when all is there.
set -e
read -r pid _ </proc/self/stat
mount -t proc proc /proc
mount --bind "$1/boot_id" /proc/sys/kernel/random/boot_id
mount -t tmpfs tmpfs /run
mkdir -p "$1"/{lib,etc,etc.work,opt,opt.work} /run/netns
mount --bind "$1/lib" /var/lib
for over in etc opt; do
  mount -t overlay overlay -o "lowerdir=/$over,upperdir=$1/$over,workdir=$1/$over.work" /$over
done
# Mounted anew, each hierarchy begins at the node's own cgroup.
while read -r _ at kind options _; do
  case $kind in cgroup | cgroup2) umount "$at" && mount -t "$kind" -o "${options##*relatime,}" "$kind" "$at" ;; esac
done < <(grep cgroup /proc/mounts)
# In the second version a cgroup with children has no processes of its own.
[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || { mkdir /sys/fs/cgroup/init && echo 1 >/sys/fs/cgroup/init/cgroup.procs; }
ip link set lo up
ip link add up0 type bridge
ip address add 192.0.2.1/24 dev up0
ip link set up0 up
ip route add default via 192.0.2.254
echo "$pid"
# Whoever loses its parent becomes a child of this process, which has to wait for it.
while :; do sleep 1000 & wait $!; done
