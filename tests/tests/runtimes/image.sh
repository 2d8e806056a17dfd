#!/bin/bash
# image.sh ROOTFS FILE NAME: an OCI archive of one layer, whose process sleeps.
set -e
layout=$(mktemp -d)
blob() { # blob FILE: keeps it under its digest; prints what refers to it
  local digest size
  digest=$(sha256sum "$1" | cut -d' ' -f1) size=$(stat -c %s "$1")
  mv "$1" "$layout/blobs/sha256/$digest"
  echo "\"digest\": \"sha256:$digest\", \"size\": $size"
}
type=application/vnd.oci.image
mkdir -p "$layout/blobs/sha256"
tar -C "$1" -cf "$layout/part" .
layer=$(blob "$layout/part")
id=${layer#*: } id=${id%%,*}
cat >"$layout/part" <<JSON
{"architecture": "$(dpkg --print-architecture)", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [$id]},
 "config": {"Entrypoint": ["/bin/sleep", "100000"]}}
JSON
config=$(blob "$layout/part")
cat >"$layout/part" <<JSON
{"schemaVersion": 2, "mediaType": "$type.manifest.v1+json",
 "config": {"mediaType": "$type.config.v1+json", $config}, "layers": [{"mediaType": "$type.layer.v1.tar", $layer}]}
JSON
manifest=$(blob "$layout/part")
echo '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"
cat >"$layout/index.json" <<JSON
{"schemaVersion": 2, "manifests": [{"mediaType": "$type.manifest.v1+json", $manifest,
 "annotations": {"io.containerd.image.name": "$3"}}]}
JSON
tar -C "$layout" -cf "$2" .
rm -r "$layout"
