//! The curve of a run: `curve.csv` (step, loss, validation figures) and a plot of it.

use plotters::prelude::*;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Steps whose mean loss makes one point.
const STEPS_A_POINT: u64 = 20;
const PLOT_SIZE: (u32, u32) = (900, 500);

#[derive(Debug, thiserror::Error)]
pub enum CurveError {
    #[error("{}: cannot read the curve", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: cannot write the curve", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{}: cannot draw the curve", path.display())]
    Draw { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

/// One line of the file: a mean loss, or a validation.
#[derive(Debug, Clone, PartialEq)]
struct Point {
    step: u64,
    loss: Option<f32>,
    /// As `name=value` pairs joined by spaces.
    figures: String,
    /// The first figure.
    score: Option<f64>,
}

pub struct Curve {
    folder: PathBuf,
    points: Vec<Point>,
    pending: Vec<f32>,
}

impl Curve {
    /// Goes on with the curve in `folder` up to `step`, or starts one.
    pub fn open(folder: &Path, step: u64) -> Result<Self, CurveError> {
        let path = folder.join("curve.csv");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(CurveError::Read { path, source }),
        };
        let points = text.lines().skip(1).filter_map(parse).filter(|p| p.step <= step && step > 0).collect();
        Ok(Self { folder: folder.to_owned(), points, pending: Vec::new() })
    }

    pub fn loss(&mut self, step: u64, loss: f32) {
        self.pending.push(loss);
        if step.is_multiple_of(STEPS_A_POINT) {
            let mean = self.pending.iter().sum::<f32>() / self.pending.len() as f32;
            self.points.push(Point { step, loss: Some(mean), figures: String::new(), score: None });
            self.pending.clear();
        }
    }

    pub fn figures(&mut self, step: u64, figures: &[(&'static str, f64)]) -> Result<(), CurveError> {
        let text: Vec<String> = figures.iter().map(|(name, value)| format!("{}={value:.5}", name.replace(' ', "_"))).collect();
        self.points.push(Point { step, loss: None, figures: text.join(" "), score: figures.first().map(|f| f.1) });
        self.write()
    }

    pub fn write(&self) -> Result<(), CurveError> {
        let path = self.folder.join("curve.csv");
        let mut text = String::from("step,loss,figures\n");
        for p in &self.points {
            text += &format!("{},{},{}\n", p.step, p.loss.map_or(String::new(), |l| format!("{l:.5}")), p.figures);
        }
        fs::write(&path, text).map_err(|source| CurveError::Write { path, source })?;
        let path = self.folder.join("curve.png");
        self.draw(&path).map_err(|e| CurveError::Draw { path, source: e.to_string().into() })
    }

    /// Loss in blue against the left edge's scale, the first figure in red from 0 to 1. Without captions: fonts are not
    /// everywhere.
    fn draw(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let losses: Vec<(f64, f64)> = self.points.iter().filter_map(|p| Some((p.step as f64, f64::from(p.loss?)))).collect();
        let scores: Vec<(f64, f64)> = self.points.iter().filter_map(|p| Some((p.step as f64, p.score?))).collect();
        let last = losses.iter().chain(&scores).map(|p| p.0).fold(1.0, f64::max);
        let top = losses.iter().map(|p| p.1).fold(f64::MIN_POSITIVE, f64::max);
        let mut pixels = vec![0; (PLOT_SIZE.0 * PLOT_SIZE.1 * 3) as usize];
        {
            let area = BitMapBackend::with_buffer(&mut pixels, PLOT_SIZE).into_drawing_area();
            area.fill(&WHITE)?;
            let mut chart = ChartBuilder::on(&area).margin(20).build_cartesian_2d(0.0..last, 0.0..1.0)?;
            chart.configure_mesh().disable_axes().draw()?;
            chart.draw_series(LineSeries::new(losses.iter().map(|&(x, y)| (x, y / top)), &BLUE))?;
            chart.draw_series(LineSeries::new(scores.iter().map(|&(x, y)| (x, y.clamp(0.0, 1.0))), &RED))?;
            area.present()?;
        }
        image::save_buffer(path, &pixels, PLOT_SIZE.0, PLOT_SIZE.1, image::ExtendedColorType::Rgb8)?;
        Ok(())
    }
}

fn parse(line: &str) -> Option<Point> {
    let mut cells = line.splitn(3, ',');
    let step = cells.next()?.parse().ok()?;
    let loss = cells.next()?.parse().ok();
    let figures = cells.next()?.to_owned();
    let score = figures.split(' ').next().and_then(|f| f.split_once('=')).and_then(|f| f.1.parse().ok());
    Some(Point { step, loss, figures, score })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut curve = Curve::open(folder.path(), 0).unwrap();
        for step in 1..=40 {
            curve.loss(step, step as f32);
        }
        curve.figures(40, &[("word accuracy", 0.5), ("cer", 0.1)]).unwrap();
        let again = Curve::open(folder.path(), 40).unwrap();
        assert_eq!(again.points, curve.points);
        assert_eq!(again.points[2].score, Some(0.5));
        assert_eq!(Curve::open(folder.path(), 20).unwrap().points.len(), 1);
        assert!(Curve::open(folder.path(), 0).unwrap().points.is_empty(), "a new run starts a new curve");
    }
}
