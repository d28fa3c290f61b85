//! E-invoices: values or an error that names the element, never a panic; and what was read goes into a document.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(e_invoice) = engine::e_invoice::read(data) {
        let _ = engine::e_invoice::merge(proto::Invoice::default(), &e_invoice);
    }
});
