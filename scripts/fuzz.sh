#!/bin/sh
# Runs every fuzz target of the module, or of the given folder, for the given time each.
set -eu
time=${1:-20s}
grep -lE '^func Fuzz' -r --include='*_test.go' "${2:-.}" | while read -r file; do
	dir=$(dirname "$file")
	for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/p' "$file"); do
		echo "fuzz: $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$dir"
	done
done
