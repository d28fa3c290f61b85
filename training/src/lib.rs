//! Losses, augmentation, optimisation, metrics.

pub mod import;
pub mod metrics;
pub mod understanding;
