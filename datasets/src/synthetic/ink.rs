//! Ink on paper as a map of coverage, before any camera or scanner has seen it.

use ab_glyph::OutlinedGlyph;

/// Coverage 0 (paper) to 1 (full ink), row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Ink {
    pub width: usize,
    pub height: usize,
    pub coverage: Vec<f32>,
}

impl Ink {
    pub fn blank(width: usize, height: usize) -> Self {
        Self { width, height, coverage: vec![0.0; width * height] }
    }

    /// Draws outlines where they were set; what lies outside is cut off. `density` is the coverage of a full stroke.
    pub fn draw(&mut self, glyphs: &[OutlinedGlyph], density: f32) {
        self.stroke(glyphs, |paper, coverage| paper.max(coverage * density));
    }

    /// Takes ink away where the outlines are: print in white on a dark ground.
    pub fn erase(&mut self, glyphs: &[OutlinedGlyph], share: f32) {
        self.stroke(glyphs, |paper, coverage| paper * (1.0 - coverage * share));
    }

    fn stroke(&mut self, glyphs: &[OutlinedGlyph], blend: impl Fn(f32, f32) -> f32) {
        for glyph in glyphs {
            let bounds = glyph.px_bounds();
            let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
            glyph.draw(|x, y, coverage| {
                let (x, y) = (left + i64::from(x), top + i64::from(y));
                if (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y) {
                    let pixel = &mut self.coverage[y as usize * self.width + x as usize];
                    *pixel = blend(*pixel, coverage.min(1.0));
                }
            });
        }
    }

    /// Fills an upright rectangle, its edges in whole pixels, cut at the border.
    pub fn fill(&mut self, left: i64, top: i64, right: i64, bottom: i64, density: f32) {
        let (left, right) = (left.clamp(0, self.width as i64) as usize, right.clamp(0, self.width as i64) as usize);
        let (top, bottom) = (top.clamp(0, self.height as i64) as usize, bottom.clamp(0, self.height as i64) as usize);
        for y in top..bottom {
            for pixel in &mut self.coverage[y * self.width + left..y * self.width + right.max(left)] {
                *pixel = pixel.max(density);
            }
        }
    }

    /// The coverage at a place between pixels, bilinear; paper outside. Pixel centres lie at whole coordinates.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let pixel = |dx: i64, dy: i64| {
            let (x, y) = (x0 as i64 + dx, y0 as i64 + dy);
            let inside = (0..self.width as i64).contains(&x) && (0..self.height as i64).contains(&y);
            if inside { self.coverage[y as usize * self.width + x as usize] } else { 0.0 }
        };
        let upper = pixel(0, 0) * (1.0 - fx) + pixel(1, 0) * fx;
        let lower = pixel(0, 1) * (1.0 - fx) + pixel(1, 1) * fx;
        upper * (1.0 - fy) + lower * fy
    }

    /// How much of the print can be seen: faint ink counts less than its amount.
    pub fn strength(&self) -> f32 {
        self.coverage.iter().map(|c| c.powi(2)).sum()
    }

    /// Gaussian blur of `sigma` pixels, separable, the border repeated.
    pub fn blur(&mut self, sigma: f32) {
        let kernel = gaussian(sigma);
        if kernel.len() > 1 {
            self.convolve_rows(&kernel);
            self.convolve_columns(&kernel);
        }
    }

    fn convolve_rows(&mut self, kernel: &[f32]) {
        let reach = kernel.len() / 2;
        let mut padded = vec![0.0; self.width + 2 * reach];
        for row in self.coverage.chunks_exact_mut(self.width) {
            padded[..reach].fill(row[0]);
            padded[reach..reach + row.len()].copy_from_slice(row);
            padded[reach + row.len()..].fill(row[row.len() - 1]);
            row.fill(0.0);
            for (k, &weight) in kernel.iter().enumerate() {
                row.iter_mut().zip(&padded[k..]).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }

    fn convolve_columns(&mut self, kernel: &[f32]) {
        let reach = kernel.len() / 2;
        let source = self.coverage.clone();
        for (y, row) in self.coverage.chunks_exact_mut(self.width).enumerate() {
            row.fill(0.0);
            for (k, &weight) in kernel.iter().enumerate() {
                let from = (y + k).saturating_sub(reach).min(self.height - 1);
                let values = &source[from * self.width..(from + 1) * self.width];
                row.iter_mut().zip(values).for_each(|(sum, value)| *sum += weight * value);
            }
        }
    }
}

/// Weights that sum to one, cut at 2.5 sigma; a single weight below a fifth of a pixel.
fn gaussian(sigma: f32) -> Vec<f32> {
    if sigma < 0.2 {
        return vec![1.0];
    }
    let reach = (2.5 * sigma).ceil() as i32;
    let weights: Vec<f32> = (-reach..=reach).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blur_keeps_the_amount_of_ink() {
        let mut ink = Ink::blank(41, 31);
        ink.fill(20, 15, 21, 16, 1.0);
        for sigma in [0.1, 0.7, 2.0] {
            let mut blurred = ink.clone();
            blurred.blur(sigma);
            assert!((blurred.coverage.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{sigma}");
            let centre = blurred.at(20.0, 15.0);
            assert!(blurred.coverage.iter().all(|&c| c <= centre + 1e-6), "{sigma}");
        }
    }

    #[test]
    fn filling_and_sampling_stop_at_the_border() {
        let mut ink = Ink::blank(4, 3);
        ink.fill(-5, 1, 2, 99, 0.5);
        assert_eq!(ink.coverage, [0., 0., 0., 0., 0.5, 0.5, 0., 0., 0.5, 0.5, 0., 0.]);
        assert_eq!(ink.at(1.5, 1.5), 0.25);
        assert_eq!(ink.at(-3.0, 1.0), 0.0);
    }
}
