//! Reads documents: page, localise, recognise, understand, reconcile. An e-invoice that comes with the pages is
//! taken as the truth and checked against them.
//!
//! Architecture invariant: this crate knows nothing of training, data sets, Kafka or SQL.

pub mod arguments;
pub mod blocks;
pub mod e_invoice;
pub mod engine;
pub mod geometry;
pub mod kernels;
pub mod layers;
pub mod localise;
pub mod observe;
pub mod overlay;
pub mod page;
mod pattern;
pub mod recognise;
pub mod reconcile;
pub mod register;
pub mod resample;
pub mod service;
pub mod table;
pub mod text;
pub mod understand;
pub mod upright;
