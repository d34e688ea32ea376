#!/bin/sh
# build.sh OUT: tlogcheck from Debian's packages alone (golang-go, golang-golang-x-mod-dev), without network or module cache.
set -eu
cache=$(mktemp -d)
trap 'chmod -R u+w "$cache"; rm -rf "$cache"' EXIT
cd "$(dirname "$0")"
GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE=$cache GOMAXPROCS=2 go build -o "$1" ./*.go
