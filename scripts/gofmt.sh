#!/bin/sh
# Fails when a Go file is not formatted by gofmt.
set -eu
bad=$(git ls-files -z --cached --others --exclude-standard '*.go' | xargs -0 -r gofmt -l)
if [ -n "$bad" ]; then
	echo "gofmt: not formatted:" >&2
	echo "$bad" >&2
	exit 1
fi
