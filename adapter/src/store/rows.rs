//! Many rows in one statement: they travel as one JSON text, an array of arrays, which both databases take apart.

use serde::Serialize;

use super::Connection;

/// Rows to be written, or keys to be looked up, together.
#[derive(Debug, Default)]
pub struct Rows {
    json: String,
}

impl Rows {
    /// `row` is a tuple of the columns; integers stay whole numbers, `None` is NULL.
    pub fn push(&mut self, row: &impl Serialize) {
        self.json.push(if self.json.is_empty() { '[' } else { ',' });
        self.json.push_str(&serde_json::to_string(row).expect("a tuple of texts and numbers"));
    }

    pub fn is_empty(&self) -> bool {
        self.json.is_empty()
    }

    /// The parameter that [`source`] takes apart.
    pub fn parameter(mut self) -> String {
        self.json.push_str(if self.json.is_empty() { "[]" } else { "]" });
        self.json
    }
}

/// What stands behind FROM: a row for each that `$1` brings, its columns as `value ->> 0` (text) and `CAST(value ->> 1 AS BIGINT)`.
pub fn source(db: &Connection) -> &'static str {
    match db.backend_name() {
        "PostgreSQL" => "jsonb_array_elements(CAST($1 AS JSONB)) AS given(value)",
        _ => "json_each($1) AS given",
    }
}
