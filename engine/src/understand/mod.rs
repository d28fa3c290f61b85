//! Words to candidate fields and line items.

pub mod draft;
