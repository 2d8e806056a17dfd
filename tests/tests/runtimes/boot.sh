#!/bin/bash
# boot.sh NAME DIRECTORY: a node as a set of namespaces. Its cgroups are below NAME in each hierarchy, its
# /etc, /opt and /var/lib are kept in DIRECTORY; all else ends with it.
set -e
for hierarchy in $(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/mounts); do
  mkdir "$hierarchy/$1"
  for file in cpuset.cpus cpuset.mems; do
    [ ! -e "$hierarchy/$file" ] || cat "$hierarchy/$file" >"$hierarchy/$1/$file"
  done
  echo $$ >"$hierarchy/$1/cgroup.procs"
done
exec unshare --mount --net --pid --ipc --uts --cgroup --fork --kill-child -- bash "${0%/*}/init.sh" "$2"
