#!/bin/sh
# Regenerates every generated file and fails when one differs from the tree.
set -eu
before=$(mktemp)
after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
sums() { git ls-files -z --cached --others --exclude-standard | xargs -0 -r sha256sum 2>/dev/null | sort -k2; }
sums >"$before"
go -C backend/cpu/_asm test ./...
go generate ./...
sums >"$after"
if ! diff "$before" "$after"; then
	echo "check-generated: files above are not what 'go generate ./...' makes" >&2
	exit 1
fi
echo "check-generated: up to date"
