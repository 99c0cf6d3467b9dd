// fill.comp: y[i] = word, for clearing and for poisoning with NaN.
// Bindings: 0 y wo (std430)
// Uniforms: 0 first word, 1 number of words, 2 the word; 3 words a row of groups
// Defines: none
// Workgroup: 64x1x1, one word an invocation; rows of groups run along y
layout(local_size_x = 64) in;
layout(std430, binding = 0) writeonly buffer Y { uint y[]; };
layout(location = 0) uniform uint first;
layout(location = 1) uniform uint count;
layout(location = 2) uniform uint word;
layout(location = 3) uniform uint row;

void main() {
    uint i = gl_GlobalInvocationID.y * row + gl_GlobalInvocationID.x;
    if (gl_GlobalInvocationID.x < row && i < count)
        y[first + i] = word;
}
