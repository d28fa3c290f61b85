//! Events and extractions into stock and books.
//!
//! Data's way: `source` (records of a log) -> `debezium` (changes of rows) -> `till` (what a row means) -> `sales` (the difference to the
//! books) -> `ledger` and `stock`. Documents join by `documents`, people by `corrections`; `report` reads the books.
//!
//! Architecture invariants: money and quantities are integers; ledger rows are never updated or deleted; whatever is read from a log is
//! posted in the same transaction as its position; the engine is seen only through `documents::Extractor`.

pub mod alerts;
pub mod business;
pub mod clock;
pub mod corrections;
pub mod debezium;
pub mod documents;
pub mod extractions;
pub mod ledger;
pub mod money;
pub mod report;
pub mod retry;
pub mod sales;
pub mod source;
pub mod square;
pub mod stock;
pub mod store;
pub mod till;
pub mod transactions;
pub mod vat;
