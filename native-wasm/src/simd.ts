/**
 * The smallest module with a SIMD instruction: a function that returns `i8x16.splat(0)`. An engine without SIMD says that it is invalid.
 * Sections: type () → v128, one function, its code.
 */
const probe = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, 8, 1, 6, 0, 0x41, 0, 0xfd, 0x0f, 0x0b],
);

/** The build of the core that this engine can load. */
export const wasmFile = (): string => (WebAssembly.validate(probe) ? 'core-simd.wasm' : 'core-scalar.wasm');
