#!/bin/sh
# Installs the Debian packages that convgl needs and that are missing, and says
# which: what the commands take to build and run ("deps.sh run"), or that and what
# the tests take. Uses sudo where one is not root.
set -eu

# What Go needs to download modules.
net="ca-certificates"
# cgo and the OpenGL headers.
build="gcc libc6-dev pkg-config libgl-dev"
# EGL and Mesa's software OpenGL, so that every shader runs without a GPU.
run="libegl1 libgl1 libgl1-mesa-dri"
# Windows: GLFW is compiled from its Go module, and tested on a display without a
# screen. The shader validator. Tests for arm64.
test="libx11-dev libxcursor-dev libxrandr-dev libxinerama-dev libxi-dev libxxf86vm-dev xvfb xauth glslang-tools qemu-user"
[ "${1-}" != run ] || test=""

if ! command -v go >/dev/null 2>&1; then
	echo "deps: Go is not on PATH; install Go 1.26 or later from https://go.dev/dl" >&2
	exit 1
fi
if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "deps: this is not a Debian system, so nothing was installed. The Debian names of what is needed:" >&2
	echo "deps:   $net $build $run $test" >&2
	exit 0
fi
missing=""
for p in $net $build $run $test; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ -z "$missing" ]; then
	echo "deps: all packages are there"
	exit 0
fi
echo "deps: installing:$missing"
as=""
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "deps: neither root nor sudo; have an administrator run: apt-get install$missing" >&2
		exit 1
	fi
	as=sudo
fi
$as apt-get update -qq
# shellcheck disable=SC2086 # the list is meant to be split
$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "deps: done"
