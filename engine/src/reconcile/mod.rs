//! Candidate fields into typed values that agree with each other.

pub mod date;
pub mod money;
pub mod number;
