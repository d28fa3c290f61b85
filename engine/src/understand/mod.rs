//! Words to candidate fields and line items.

pub mod draft;
// STUB
#[derive(Debug, thiserror::Error)]
#[error("stub")]
pub struct UnderstandError;
pub struct Understander;
impl Understander {
    pub fn from_safetensors(_: &[u8]) -> Result<Self, UnderstandError> { Ok(Self) }
    pub fn draft(&self, _: &[crate::text::TextLine], _: &[crate::text::PageSize]) -> Result<draft::Draft, UnderstandError> {
        Ok(draft::Draft { document_type: draft::DocumentType::Receipt, document_type_probability: 0.5, header: vec![], items: vec![], vat: vec![] })
    }
}
