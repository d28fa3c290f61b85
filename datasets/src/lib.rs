//! Documents with truth: readers of public data sets, the splits measured on, and generators of documents of our own.

pub mod drawn;
pub mod samples;
pub mod splits;
pub mod sroie;
pub mod synthetic;
pub mod zugferd;

/// Data that the repository may not ship: under `CELLARBOOK_SHARED`, or in a folder `shared` beside the repository.
#[cfg(test)]
fn shared_data(path: &str) -> Option<std::path::PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var_os("CELLARBOOK_SHARED").map_or_else(|| beside.into(), std::path::PathBuf::from).join(path);
    if !root.exists() {
        println!("skipped: no {} (set CELLARBOOK_SHARED to have it)", root.display());
        return None;
    }
    Some(root)
}
