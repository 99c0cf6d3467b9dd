#!/bin/sh
# Validates, with glslang, every shader as the tests of the OpenGL backend had it
# compiled: glslang reads GLSL more strictly than a driver. A kernel that no test
# compiles is an error.
#
#   shaders.sh        run those tests first
#   shaders.sh DIR    validate what a test run with CONVGL_SHADER_DUMP=DIR wrote
set -eu
log=$(mktemp)
own=""
trap 'rm -rf "$log" $own' EXIT
if [ $# -gt 0 ]; then
	dir=$1
else
	dir=$(mktemp -d)
	own=$dir
	CONVGL_REQUIRE_GL=1 CONVGL_SHADER_DUMP="$dir" go test -count=1 ./backend/gl/... >"$log" 2>&1 || {
		cat "$log" >&2
		exit 1
	}
fi
list=$(mktemp)
trap 'rm -rf "$log" "$list" $own' EXIT
for source in shaders/*.comp; do
	set -- "$dir/$(basename "$source" .comp)"-*.comp
	if [ ! -e "$1" ]; then
		echo "shaders: no test compiles $source" >&2
		exit 1
	fi
	printf '%s\n' "$@" >>"$list"
done
xargs -P 2 -n 32 glslangValidator -S comp <"$list" >"$log" 2>&1 || {
	grep -v '\.comp$' "$log" >&2
	exit 1
}
n=$(wc -l <"$list")
echo "shaders: glslang accepts all $n expanded shaders"
