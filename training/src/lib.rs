//! Losses, augmentation, optimisation, metrics.

pub mod average;
pub mod checkpoint;
pub mod ctc;
pub mod curve;
pub mod evaluation;
pub mod fit;
pub mod import;
pub mod language;
pub mod localisation;
pub mod metrics;
pub mod optimise;
pub mod receipts;
pub mod recognition;
pub mod understanding;
