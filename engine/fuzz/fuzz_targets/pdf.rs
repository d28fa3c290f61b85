//! PDF files, pages and text layer and attached e-invoice: pages or an error, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut file = b"%PDF-1.7\n".to_vec();
    file.extend_from_slice(data);
    let _ = engine::page::read(&[file]);
});
