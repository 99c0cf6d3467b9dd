#!/bin/sh
# Runs the OpenGL backend's tests with every expanded shader written to a folder,
# and validates each with glslang, whose reading of GLSL is stricter than a driver's.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
CONVGL_REQUIRE_GL=1 CONVGL_SHADER_DUMP="$dir" go test -count=1 -short ./backend/gl >"$dir/log" 2>&1 || {
	cat "$dir/log" >&2
	exit 1
}
missing=$(for f in shaders/*.comp; do
	ls "$dir/$(basename "$f" .comp)"-*.comp >/dev/null 2>&1 || echo "$f"
done)
if [ -n "$missing" ]; then
	echo "shaders: no test compiles:" $missing >&2
	exit 1
fi
n=0
for f in "$dir"/*.comp; do
	glslangValidator -S comp "$f" >"$dir/out" 2>&1 || {
		cat "$dir/out" >&2
		exit 1
	}
	n=$((n + 1))
done
echo "shaders: glslang accepts all $n expanded shaders"
