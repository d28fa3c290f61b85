//! A stream without end takes no more memory than a short one. In a binary of its own, since memory is the process's.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use adapter::{clock::Clock, sales, till::Mapping};
use support::{stores, traffic};

/// Sale lines; `CELLARBOOK_LINES` says otherwise.
const LINES: usize = 40_000;
/// What the second half of the lines may add: pages that the allocator keeps, no rows.
const GROWTH: usize = 8 << 20;

/// Bytes that the process holds in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[tokio::test]
async fn memory_does_not_grow_with_the_stream() {
    let lines = std::env::var("CELLARBOOK_LINES").map_or(LINES, |lines| lines.parse().unwrap());
    let books = stores::sqlite().await;
    let mut posted = 0;
    let mut half = 0;
    for batch in traffic::batches(traffic::users().chain(traffic::lines(0..lines))) {
        posted += sales::post(&books.store, &Mapping::default(), Clock::System, &batch).await.unwrap().journals;
        if half == 0 && posted as usize >= lines / 2 {
            half = resident();
        }
    }
    let end = resident();
    println!("{posted} lines: {} MB after half of them, {} MB after all", half >> 20, end >> 20);
    assert_eq!(posted as usize, lines);
    assert!(end < half + GROWTH, "{half} bytes after half of the lines, {end} after all");
}
