//! Documents of our own making, with truth: lines of text for the recogniser, whole documents for the rest.

pub mod dice;
pub mod documents;
pub mod grammar;
pub mod ink;
pub mod lines;
pub mod typefaces;
pub mod wear;
