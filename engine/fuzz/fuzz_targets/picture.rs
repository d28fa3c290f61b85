//! Pictures of every format that is known by its first bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = engine::page::read(&[data.to_vec()]);
});
