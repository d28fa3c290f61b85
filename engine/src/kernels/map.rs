//! Feature maps in memory.

use std::cell::RefCell;
use std::sync::Arc;

/// Bytes of a cache line; a vector that straddles two lines costs twice.
const LINE_BYTES: usize = 64;
const LINE_FLOATS: usize = LINE_BYTES / size_of::<f32>();

/// Floats in dropped buffers that a thread keeps for its next maps: 24 MiB.
const KEPT_MAX: usize = 6 * 1024 * 1024;
/// Of how many buffers: each is looked at for each map.
const KEPT_COUNT_MAX: usize = 24;
/// A kept buffer serves a map that takes no less of it than this share.
const USED_MIN: usize = 8;

thread_local! {
    static DROPPED: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Floats that start on a cache line.
#[derive(Debug)]
pub struct Buffer {
    room: Vec<f32>,
    start: usize,
    len: usize,
}

impl Buffer {
    pub fn zeros(len: usize) -> Self {
        Self::starting_on_line(vec![0.0; len + LINE_FLOATS], len)
    }

    /// Room whose values are all to be set: what this thread has dropped, with what was in it, or zeros. Fresh memory costs a page
    /// fault every 4 KiB, which is more than many a layer.
    pub fn unset(len: usize) -> Self {
        let room = len + LINE_FLOATS;
        let kept = DROPPED.with_borrow_mut(|dropped| {
            let fits = |(_, buffer): &(usize, &Vec<f32>)| (room..=USED_MIN * room).contains(&buffer.len());
            let smallest = dropped.iter().enumerate().filter(fits).min_by_key(|(_, buffer)| buffer.len())?.0;
            Some(dropped.remove(smallest))
        });
        kept.map_or_else(|| Self::zeros(len), |room| Self::starting_on_line(room, len))
    }

    fn starting_on_line(room: Vec<f32>, len: usize) -> Self {
        // An offset that can't be computed costs only speed.
        let start = room.as_ptr().align_offset(LINE_BYTES).min(LINE_FLOATS);
        Self { room, start, len }
    }

    pub fn as_slice(&self) -> &[f32] {
        &self.room[self.start..self.start + self.len]
    }

    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.room[self.start..self.start + self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let room = std::mem::take(&mut self.room);
        // A thread that ends has nowhere to keep it.
        let _ = DROPPED.try_with(|dropped| {
            let mut dropped = dropped.borrow_mut();
            dropped.push(room);
            while dropped.len() > KEPT_COUNT_MAX || dropped.iter().map(Vec::len).sum::<usize>() > KEPT_MAX {
                dropped.remove(0);
            }
        });
    }
}

impl From<&[f32]> for Buffer {
    fn from(values: &[f32]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.as_mut_slice().copy_from_slice(values);
        buffer
    }
}

/// Number of images, height, width, channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub n: usize,
    pub h: usize,
    pub w: usize,
    pub c: usize,
}

impl Shape {
    /// Floats in one image.
    pub fn image(self) -> usize {
        self.h * self.w * self.c
    }

    /// Floats in one row of pixels.
    pub fn row(self) -> usize {
        self.w * self.c
    }

    /// Floats in all.
    pub fn len(self) -> usize {
        self.n * self.image()
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A feature map `[n, h, w, c]`. Clones share the values.
#[derive(Debug, Clone)]
pub struct FeatureMap {
    pub shape: Shape,
    values: Arc<Buffer>,
}

impl FeatureMap {
    /// `values` in the order n, h, w, c.
    ///
    /// # Panics
    /// If there are not as many as `shape` says.
    pub fn new(shape: Shape, values: Buffer) -> Self {
        assert_eq!(shape.len(), values.len, "a map of {shape:?} can't have {} values", values.len);
        Self { shape, values: Arc::new(values) }
    }

    /// As [`FeatureMap::new`], copying the values.
    pub fn from_slice(shape: Shape, values: &[f32]) -> Self {
        Self::new(shape, Buffer::from(values))
    }

    pub fn values(&self) -> &[f32] {
        self.values.as_slice()
    }

    /// The values of one image.
    pub fn image(&self, index: usize) -> &[f32] {
        &self.values()[index * self.shape.image()..][..self.shape.image()]
    }

    /// One row of pixels of one image.
    pub(super) fn row(&self, image: usize, y: usize) -> &[f32] {
        &self.image(image)[y * self.shape.row()..][..self.shape.row()]
    }
}
