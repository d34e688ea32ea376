#!/bin/sh
# bench-marks on a loop-mounted ext4 of its own: [ROUNDS]. Needs root.
set -eu
cd "$(dirname "$0")/.."
dir=$(mktemp -d /tmp/tyto-marks.XXXXXX)
trap 'umount "$dir/mnt" 2>/dev/null || :; rm -rf "$dir"' EXIT INT TERM
truncate -s 64M "$dir/img"
mkfs.ext4 -q "$dir/img"
mkdir "$dir/mnt"
mount -o loop,noatime "$dir/img" "$dir/mnt"
mkdir "$dir/mnt/folder"
build/bench/bench-marks "$dir/mnt/folder" "$@"
