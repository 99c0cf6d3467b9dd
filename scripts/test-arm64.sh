#!/bin/sh
# Runs the tests of all that computes on the CPU for arm64, under qemu's user mode.
set -eu
if [ "$(go env GOHOSTARCH)" = arm64 ]; then
	echo "test-arm64: the plain tests run on arm64 already"
	exit 0
fi
qemu=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
if [ -z "$qemu" ]; then
	echo "test-arm64: SKIPPED, as there is no qemu-aarch64; on Debian: apt-get install qemu-user"
	exit 0
fi
# Emulation is slow: what is the same plain Go on every processor, and tested there, is left out.
same='^(TestRunAllocatesNothing|TestPad|TestStreamedConvolutions|TestSoftmax|TestStridedBits|TestPoolAny|TestResizeLines|TestJudged|TestActivationULP)$'
GOARCH=arm64 CGO_ENABLED=0 go test -count=1 -short -timeout 15m -exec "$qemu" -skip "$same" \
	./tensor ./backend ./backend/ref ./backend/cpu ./graph ./cnn
