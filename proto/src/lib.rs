//! The contracts: what a read document looks like ([`Invoice`]) and the service that reads one.
//!
//! `serde` gives the JSON form that the commands print: proto field names, enums by name, absent fields left out.
#![allow(clippy::all, clippy::unwrap_used, unused_qualifications)] // generated code

tonic::include_proto!("cellarbook.v1");
include!(concat!(env!("OUT_DIR"), "/cellarbook.v1.serde.rs"));

mod fields;

/// The encoded `FileDescriptorSet` of all contracts, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_form_keeps_zero_values_and_leaves_absent_fields_out() {
        let field = Field {
            text: "RM 9.00".into(),
            value: "9.00".into(),
            confidence: 0.5,
            page: Some(0),
            quad: vec![1, 2, 3, 2, 3, 4, 1, 4],
            status: 0,
        };
        let invoice = Invoice {
            source: "a.jpg".into(),
            document_type: invoice::DocumentType::Receipt.into(),
            invoice_number: Some(field),
            ..Invoice::default()
        };
        let json = serde_json::to_value(&invoice).unwrap();
        assert_eq!(json["document_type"], "RECEIPT");
        assert_eq!(json["status"], "NEEDS_REVIEW");
        assert_eq!(json["invoice_number"]["page"], 0);
        assert_eq!(json["invoice_number"]["status"], "READ");
        assert!(json.get("issue_date").is_none());
        assert_eq!(serde_json::from_value::<Invoice>(json).unwrap(), invoice);
    }
}
