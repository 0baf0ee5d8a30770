#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millwright_core_laws::patch_parse(input));
