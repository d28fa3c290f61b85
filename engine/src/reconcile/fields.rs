//! Spans and computed values as the contracts' fields.

use proto::{Field, field::Status};

use crate::understand::draft::Span;

/// What is left of the confidence when a print can't be read as what it should be.
const UNREADABLE: f32 = 0.2;
/// How many times likelier a value is right when an independent equation holds with it.
const CONFIRMED_ODDS: f32 = 10.0;
/// The same when the equation fails.
const CONTRADICTED_ODDS: f32 = 0.25;

/// What arithmetic says about a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    Confirmed,
    Contradicted,
    Open,
}

impl Evidence {
    /// How many times likelier a value becomes.
    pub fn odds(self) -> f32 {
        match self {
            Self::Confirmed => CONFIRMED_ODDS,
            Self::Contradicted => CONTRADICTED_ODDS,
            Self::Open => 1.0,
        }
    }

    /// `confidence` (0 to 1) in the light of this evidence.
    pub fn weigh(self, confidence: f32) -> f32 {
        let odds = self.odds();
        confidence * odds / (confidence * odds + 1.0 - confidence)
    }
}

/// A field that stands on the page. `value` is `None` where the print can't be read as what the field holds.
pub fn read(span: &Span, value: Option<String>, confidence: f32) -> Field {
    let confidence = if value.is_some() { confidence } else { confidence * UNREADABLE };
    Field {
        text: span.text.clone(),
        value: value.unwrap_or_default(),
        confidence: confidence.clamp(0.0, 1.0),
        page: u32::try_from(span.page).ok(),
        quad: span.quad.to_pixels(),
        status: Status::Read.into(),
    }
}

/// A field that follows from others.
pub fn computed(value: String, confidence: f32) -> Field {
    Field { value, confidence: confidence.clamp(0.0, 1.0), status: Status::Computed.into(), ..Field::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_moves_confidence_and_never_out_of_range() {
        for confidence in [0.0, 0.1, 0.5, 0.9, 1.0] {
            let [up, same, down] = [Evidence::Confirmed, Evidence::Open, Evidence::Contradicted].map(|e| e.weigh(confidence));
            assert!(down <= same && same <= up && (0.0..=1.0).contains(&up), "{confidence}");
        }
        assert!((Evidence::Confirmed.weigh(0.5) - 10.0 / 11.0).abs() < 1e-6);
    }
}
