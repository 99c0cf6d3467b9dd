// lib/special.glsl: floats that GLSL has no literals for.
#define MINUS_INF uintBitsToFloat(0xff800000u)
#define QUIET_NAN uintBitsToFloat(0x7fc00000u)
