//! Losses, augmentation, optimisation, metrics.

pub mod import;
