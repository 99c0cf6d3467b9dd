#!/bin/sh
# Runs the tests of all that computes on the CPU with each instruction set below the
# best one that the machine has; the plain run of the tests has that.
set -eu
sets=$(CGO_ENABLED=0 go run ./cmd/cnnbench env | sed -n 's/^ *variants: //p' | tr -d ,)
echo "test-isa: the machine has $sets"
for set in generic avx2; do
	case " $sets " in
	*" $set ") echo "test-isa: $set is what the plain tests run" ;;
	*" $set "*) CONVGL_CPU=$set go test -count=1 -short -timeout 10m ./backend/cpu ./graph ./cnn/... ;;
	*) echo "test-isa: skipped $set: the machine lacks it" ;;
	esac
done
