//! How far confidences are to be believed, and how much of the work they could take over.
//!
//! Reliability and expected calibration error: Guo et al. 2017, <https://arxiv.org/abs/1706.04599>.

use std::path::{Path, PathBuf};

use plotters::prelude::*;

/// Confidences in tenths.
const BINS: usize = 10;
const PLOT_SIZE: (u32, u32) = (480, 480);

/// The precision at which documents could be booked without a person.
pub const TARGET_PRECISION: f64 = 0.99;

/// Answers with their confidences (0 to 1) and whether they were right.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration(Vec<(f32, bool)>);

/// Answers of about one confidence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    pub answers: usize,
    pub confidence: f64,
    pub right: f64,
}

#[derive(Debug, thiserror::Error)]
#[error("{}: cannot draw the reliability", path.display())]
pub struct DrawError {
    path: PathBuf,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Calibration {
    pub fn add(&mut self, confidence: f32, right: bool) {
        self.0.push((confidence, right));
    }

    pub fn answers(&self) -> usize {
        self.0.len()
    }

    /// Means of the answers of each tenth of confidence.
    pub fn bins(&self) -> [Bin; BINS] {
        let mut bins = [Bin::default(); BINS];
        for &(confidence, right) in &self.0 {
            let bin = &mut bins[((confidence * BINS as f32) as usize).min(BINS - 1)];
            bin.answers += 1;
            bin.confidence += f64::from(confidence);
            bin.right += f64::from(u8::from(right));
        }
        bins.map(|bin| {
            let answers = bin.answers.max(1) as f64;
            Bin { confidence: bin.confidence / answers, right: bin.right / answers, ..bin }
        })
    }

    /// The mean distance between confidence and share of right answers.
    pub fn error(&self) -> f64 {
        let weighted = |bin: &Bin| bin.answers as f64 * (bin.confidence - bin.right).abs();
        self.bins().iter().map(weighted).sum::<f64>() / self.0.len().max(1) as f64
    }

    /// The largest share of answers, the most confident first, that is right this often; and the confidence at which it ends. Answers
    /// of one confidence stay together.
    pub fn coverage(&self, precision: f64) -> (f64, f32) {
        let mut sorted = self.0.clone();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (mut right, mut best) = (0, (0.0, 1.0));
        for (i, &(confidence, is_right)) in sorted.iter().enumerate() {
            right += usize::from(is_right);
            let ends = sorted.get(i + 1).is_none_or(|next| next.0 < confidence);
            if ends && right as f64 >= precision * (i + 1) as f64 {
                best = ((i + 1) as f64 / sorted.len() as f64, confidence);
            }
        }
        best
    }

    /// Share of right answers over confidence, a disc for each tenth, the larger the more answers; on the diagonal confidences are what they say.
    pub fn draw(&self, path: &Path) -> Result<(), DrawError> {
        let failed = |source: Box<dyn std::error::Error>| DrawError { path: path.into(), source: source.to_string().into() };
        self.try_draw(path).map_err(failed)
    }

    fn try_draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        const LARGEST_DISC: f64 = 24.0;
        let mut pixels = vec![0; (PLOT_SIZE.0 * PLOT_SIZE.1 * 3) as usize];
        {
            let area = BitMapBackend::with_buffer(&mut pixels, PLOT_SIZE).into_drawing_area();
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area).margin(24).build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
            chart.configure_mesh().disable_axes().draw()?;
            chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], &BLACK))?;
            let discs = self.bins().into_iter().filter(|bin| bin.answers > 0).map(|bin| {
                let share = bin.answers as f64 / self.0.len() as f64;
                Circle::new((bin.confidence, bin.right), (LARGEST_DISC * share.sqrt()).max(3.0) as i32, BLUE.filled())
            });
            chart.draw_series(discs)?;
            area.present()?;
        }
        image::save_buffer(path, &pixels, PLOT_SIZE.0, PLOT_SIZE.1, image::ExtendedColorType::Rgb8)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answers: &[(f32, bool)]) -> Calibration {
        Calibration(answers.to_vec())
    }

    #[test]
    fn errors_by_hand() {
        for (answers, expected) in [
            (vec![], 0.0),
            (vec![(1.0, true), (1.0, true)], 0.0),
            (vec![(0.75, true), (0.75, true), (0.75, true), (0.75, false)], 0.0),
            (vec![(0.9, false)], 0.9),
            (vec![(0.95, true), (0.15, false)], 0.1),
        ] {
            assert!((of(&answers).error() - expected).abs() < 1e-6, "{answers:?}");
        }
    }

    #[test]
    fn coverage_takes_the_most_confident() {
        let answers = [(0.9, true), (0.8, true), (0.7, false), (0.6, true)];
        for (precision, share, confidence) in [(1.0, 0.5, 0.8), (0.75, 1.0, 0.6), (0.99, 0.5, 0.8)] {
            assert_eq!(of(&answers).coverage(precision), (share, confidence), "{precision}");
        }
        assert_eq!(of(&[(0.9, true), (0.9, false)]).coverage(1.0), (0.0, 1.0), "one confidence cannot be parted");
    }

    #[test]
    fn the_reliability_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reliability.png");
        of(&[(0.9, true), (0.2, false)]).draw(&path).unwrap();
        let picture = image::open(&path).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), PLOT_SIZE);
        assert!(picture.pixels().any(|pixel| pixel.0 == [0, 0, 255]));
        assert!(of(&[]).draw(Path::new("/nowhere/a.png")).is_err());
    }
}
