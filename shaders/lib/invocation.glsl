// lib/invocation.glsl: the number of an invocation, with workgroups in rows along
// y, since a driver may allow no more than 65535 along x.
// Defines: LOCAL invocations of a workgroup (default 64)
#ifndef LOCAL
#define LOCAL 64
#endif
layout(local_size_x = LOCAL) in;

uint invocation() {
    return (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * uint(LOCAL) + gl_LocalInvocationIndex;
}
