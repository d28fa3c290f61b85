//! Stock: products in base units, what packs hold, who matches which supplier's item.

pub mod count;
pub mod pack;
pub mod product;
pub mod waste;
pub mod yields;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A thousand million litres: no line moves more, and sums of such lines stay inside `i64`.
pub const LARGEST_QUANTITY: i64 = 1_000_000_000_000;

/// The base unit that a product is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Ml,
    G,
    Each,
}

impl Unit {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ml => "ml",
            Self::G => "g",
            Self::Each => "each",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no base unit: ml, g or each")]
pub struct UnitError(String);

impl FromStr for Unit {
    type Err = UnitError;

    fn from_str(name: &str) -> Result<Self, UnitError> {
        [Self::Ml, Self::G, Self::Each].into_iter().find(|unit| unit.name() == name).ok_or_else(|| UnitError(name.to_owned()))
    }
}

/// Goods into stock (positive) or out of it (negative).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Movement {
    pub product_id: i64,
    pub quantity: i64,
    /// What a purchase paid for it, without VAT, with the quantity's sign; `None` where the document does not say, and for all that is no purchase.
    pub value_minor: Option<i64>,
}
