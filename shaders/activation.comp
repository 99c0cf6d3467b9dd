// activation.comp: y[i] = act(x[i]); see lib/activation.glsl. y may be x.
// Bindings: 0 x ro, 1 y wo (std430)
// Uniforms: 0 count, 1 elements a row of groups, 2 a, 3 b
// Defines: ACT
// Workgroup: 64x1x1, one element an invocation; rows of groups run along y
#include "lib/activation.glsl"
layout(local_size_x = 64) in;
layout(std430, binding = 0) readonly buffer X { float x[]; };
layout(std430, binding = 1) writeonly buffer Y { float y[]; };
layout(location = 0) uniform uint count;
layout(location = 1) uniform uint row;
layout(location = 2) uniform float a;
layout(location = 3) uniform float b;

void main() {
    uint i = gl_GlobalInvocationID.y * row + gl_GlobalInvocationID.x;
    if (gl_GlobalInvocationID.x < row && i < count)
        y[i] = act_apply(x[i], a, b);
}
