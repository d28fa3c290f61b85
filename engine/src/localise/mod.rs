//! Where on a page there is text.

pub mod network;
