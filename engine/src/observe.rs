//! What a server tells of itself: a struct for an event, which logs and counts.

use std::time::Instant;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use proto::ExtractInvoiceRequest;
use tonic::{Code, Status};
use tracing::{info, warn};

use crate::engine::{Extraction, Timings};

const REQUESTS: &str = "cellarbook_extraction_requests_total";
const IN_PROGRESS: &str = "cellarbook_extraction_in_progress";
const REQUEST_SECONDS: &str = "cellarbook_extraction_seconds";
const STAGE_SECONDS: &str = "cellarbook_extraction_stage_seconds";
const PAGES: &str = "cellarbook_extraction_pages_total";
const BYTES: &str = "cellarbook_extraction_received_bytes_total";

/// From a lone line to a long document.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Starts counting, for the whole process.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("seconds".into()), &SECONDS)?.install_recorder()
}

/// A request for an extraction, from its arrival on. Dropped unfinished, it counts as cancelled.
pub struct Observed {
    source: String,
    files: usize,
    bytes: usize,
    start: Instant,
    finished: bool,
}

impl Observed {
    pub fn new(request: &ExtractInvoiceRequest) -> Self {
        let bytes = request.pages.iter().map(Vec::len).sum();
        gauge!(IN_PROGRESS).increment(1.0);
        counter!(BYTES).increment(bytes as u64);
        Self { source: request.source.clone(), files: request.pages.len(), bytes, start: Instant::now(), finished: false }
    }

    pub fn finish(mut self, result: &Result<Extraction, Status>) {
        self.finished = true;
        match result {
            Ok(extraction) => self.read(extraction),
            Err(status) => self.refused(status.code(), status.message()),
        }
    }

    fn read(&self, Extraction { pages, timings, invoice }: &Extraction) {
        self.count("OK");
        counter!(PAGES).increment(pages.len() as u64);
        count_stages(timings);
        info!(
            source = self.source,
            files = self.files,
            bytes = self.bytes,
            pages = pages.len(),
            lines = invoice.text.len(),
            status = invoice.status().as_str_name(),
            seconds = self.start.elapsed().as_secs_f64(),
            "extracted"
        );
    }

    fn refused(&self, code: Code, reason: &str) {
        self.count(&format!("{code:?}"));
        let seconds = self.start.elapsed().as_secs_f64();
        warn!(source = self.source, files = self.files, bytes = self.bytes, ?code, reason, seconds, "not extracted");
    }

    fn count(&self, outcome: &str) {
        counter!(REQUESTS, "outcome" => outcome.to_owned()).increment(1);
        histogram!(REQUEST_SECONDS).record(self.start.elapsed());
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        gauge!(IN_PROGRESS).decrement(1.0);
        if !self.finished {
            self.refused(Code::Cancelled, "the client went away or its deadline passed");
        }
    }
}

fn count_stages(timings: &Timings) {
    for (stage, time) in timings.stages() {
        histogram!(STAGE_SECONDS, "stage" => stage).record(time);
    }
}
