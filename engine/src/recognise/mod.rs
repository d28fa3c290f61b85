//! Lines of a page to text.

pub mod charset;
pub mod network;
