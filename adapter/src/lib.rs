//! Events and extractions into stock and books.
