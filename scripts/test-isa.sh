#!/bin/sh
# Runs the tests of all that computes on the CPU with each instruction set below the
# best one that the machine has; the plain run of the tests has that.
set -eu
sets=$(CGO_ENABLED=0 go run ./cmd/cnnbench env | sed -n 's/^ *variants: //p' | tr -d ,)
best=${sets##* }
echo "test-isa: the machine has $sets"
for set in $sets; do
	[ "$set" != "$best" ] || continue
	echo "test-isa: $set"
	CONVGL_CPU=$set go test -count=1 -short -timeout 10m ./backend/cpu ./graph ./cnn/...
done
