//! Measures the engine on labelled documents, as a user would run it: files in, fields out. What other programs made of the same
//! documents is measured by the same code ([`predictions`]).

pub mod calibration;
pub mod causes;
pub mod invoices;
pub mod predictions;
pub mod printed;
pub mod report;
pub mod rules;
pub mod sroie;
pub mod synthetic;

use std::time::Duration;

use rayon::prelude::*;

/// Reads each document on `threads` threads; the order of the results is that of the documents. With one thread, times of documents
/// are not disturbed by each other.
pub fn in_parallel<D: Sync, R: Send>(
    documents: &[D],
    threads: usize,
    read: impl Fn(&D) -> R + Sync + Send,
) -> Result<Vec<R>, ThreadsError> {
    if threads <= 1 {
        return Ok(documents.iter().map(read).collect());
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(ThreadsError)?;
    Ok(pool.install(|| documents.par_iter().map(read).collect()))
}

#[derive(Debug, thiserror::Error)]
#[error("the threads to read with can't be started")]
pub struct ThreadsError(#[source] rayon::ThreadPoolBuildError);

/// Milliseconds, the upper one of two in the middle; 0 of none.
pub fn median_ms(times: impl IntoIterator<Item = Duration>) -> f64 {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        for (times, expected) in [(vec![], 0.0), (vec![5], 5.0), (vec![9, 1, 5], 5.0), (vec![1, 5], 5.0)] {
            assert_eq!(median_ms(times.into_iter().map(Duration::from_millis)), expected);
        }
    }

    #[test]
    fn results_keep_the_order_of_the_documents() {
        let documents: Vec<u64> = (0..64).collect();
        for threads in [1, 3] {
            assert_eq!(in_parallel(&documents, threads, |d| d * 2).unwrap(), documents.iter().map(|d| d * 2).collect::<Vec<_>>());
        }
    }
}
