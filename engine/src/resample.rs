//! Parts of a grey picture at another size.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::GrayImage;
use thiserror::Error;

/// An upright rectangle in pixels; its edges may lie between pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Region {
    pub fn whole(image: &GrayImage) -> Self {
        Self { left: 0.0, top: 0.0, width: f64::from(image.width()), height: f64::from(image.height()) }
    }

    /// What of the region lies on the picture; `None` if that is less than a pixel wide or high.
    pub fn on(self, image: &GrayImage) -> Option<Self> {
        let within = |start: f64, length: f64, end: u32| {
            let (from, to) = (start.max(0.0), (start + length).min(f64::from(end)));
            (to - from >= 1.0).then_some((from, to - from))
        };
        let (left, width) = within(self.left, self.width, image.width())?;
        let (top, height) = within(self.top, self.height, image.height())?;
        Some(Self { left, top, width, height })
    }
}

#[derive(Debug, Error)]
#[error("can't resample {region:?} of a picture of {from:?} pixels to {to:?}")]
pub struct ResampleError {
    region: Region,
    from: (u32, u32),
    to: (u32, u32),
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// The region at the given size: bilinear, averaging over all pixels that fall together where it shrinks.
pub fn resample(image: &GrayImage, region: Region, width: u32, height: u32) -> Result<GrayImage, ResampleError> {
    let failed =
        |source: Box<dyn std::error::Error + Send + Sync>| ResampleError { region, from: image.dimensions(), to: (width, height), source };
    // Typed views: those whose pixel is chosen at run time compile the resizer once for each kind of pixel, which takes minutes.
    let from = TypedImageRef::<U8>::from_buffer(image.width(), image.height(), image.as_raw()).map_err(|e| failed(e.into()))?;
    let mut resized = GrayImage::new(width, height);
    let mut to = TypedImage::<U8>::from_buffer(width, height, &mut resized).map_err(|e| failed(e.into()))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).crop(
        region.left,
        region.top,
        region.width,
        region.height,
    );
    Resizer::new().resize_typed(&from, &mut to, &options).map_err(|e| failed(e.into()))?;
    Ok(resized)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_averages() {
        let chequered = GrayImage::from_fn(8, 8, |x, y| image::Luma([if (x + y) % 2 == 0 { 0 } else { 200 }]));
        let small = resample(&chequered, Region::whole(&chequered), 2, 2).unwrap();
        assert!(small.pixels().all(|p| p.0[0].abs_diff(100) < 10), "{small:?}");
    }

    #[test]
    fn a_region_is_cut_to_the_picture() {
        let image = GrayImage::new(10, 10);
        let outside = Region { left: 8.0, top: -3.0, width: 5.0, height: 6.0 };
        assert_eq!(outside.on(&image), Some(Region { left: 8.0, top: 0.0, width: 2.0, height: 3.0 }));
        assert_eq!(Region { left: 20.0, ..outside }.on(&image), None);
    }
}
