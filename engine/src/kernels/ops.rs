//! The layers without weights, on plain slices: the compiler vectorises these loops, and memory bounds them.

use super::dense::Slot;
use super::map::{Buffer, FeatureMap, Shape};

/// Element-wise sum of two maps of one shape.
pub fn add(a: &FeatureMap, b: &FeatureMap) -> FeatureMap {
    let mut out = Buffer::unset(a.shape.len());
    for ((out, a), b) in out.as_mut_slice().iter_mut().zip(a.values()).zip(b.values()) {
        *out = a + b;
    }
    FeatureMap::new(a.shape, out)
}

/// `x * gate`, a gate a channel and image.
pub fn scale(x: &FeatureMap, gate: &FeatureMap) -> FeatureMap {
    let mut out = Buffer::unset(x.shape.len());
    for (i, image) in out.as_mut_slice().chunks_exact_mut(x.shape.image().max(1)).enumerate() {
        scale_pixels(x.image(i), gate.image(i), image);
    }
    FeatureMap::new(x.shape, out)
}

/// Pixels times a gate a channel.
pub fn scale_pixels(x: &[f32], gate: &[f32], out: &mut [f32]) {
    for (out, pixel) in out.chunks_exact_mut(gate.len()).zip(x.chunks_exact(gate.len())) {
        for ((out, x), gate) in out.iter_mut().zip(pixel).zip(gate) {
            *out = x * gate;
        }
    }
}

/// `1 + gate`, by which an excited map is multiplied.
pub fn gains(gate: &[f32]) -> Vec<f32> {
    gate.iter().map(|gate| 1.0 + gate).collect()
}

/// Sums by channel of a row of pixels.
pub fn sum_pixels(row: &[f32], sums: &mut [f32]) {
    sums.fill(0.0);
    row.chunks_exact(sums.len()).for_each(|pixel| accumulate(sums, pixel));
}

/// Mean over height and width, `[n, 1, 1, c]`, of a map of this shape, from the sums of its rows `[n, h, 1, c]`. These are summed
/// apart, so that little is lost to rounding on a large map, and so that threads don't change the result.
pub fn mean(row_sums: &FeatureMap, of: Shape) -> FeatureMap {
    let Shape { n, h, w, c } = of;
    let mut out = Buffer::unset(n * c);
    for (i, mean) in out.as_mut_slice().chunks_exact_mut(c).enumerate() {
        sum_pixels(row_sums.image(i), mean);
        mean.iter_mut().for_each(|v| *v /= (h * w) as f32);
    }
    FeatureMap::new(Shape { n, h: 1, w: 1, c }, out)
}

fn accumulate(sum: &mut [f32], values: &[f32]) {
    for (sum, v) in sum.iter_mut().zip(values) {
        *sum += v;
    }
}

/// Along the channels; all maps must agree in the rest.
pub fn concat(maps: &[&FeatureMap]) -> Option<FeatureMap> {
    let first = maps.first()?.shape;
    if maps.iter().any(|m| Shape { c: first.c, ..m.shape } != first) {
        return None;
    }
    let shape = Shape { c: maps.iter().map(|m| m.shape.c).sum(), ..first };
    let mut out = Buffer::unset(shape.len());
    let mut start = 0;
    for map in maps {
        let c = map.shape.c;
        for (out, pixel) in out.as_mut_slice().chunks_exact_mut(shape.c).zip(map.values().chunks_exact(c)) {
            out[start..start + c].copy_from_slice(pixel);
        }
        start += c;
    }
    Some(FeatureMap::new(shape, out))
}

/// Nearest neighbour, by a whole factor.
pub fn upsample(x: &FeatureMap, factor: usize) -> FeatureMap {
    let shape = Shape { h: x.shape.h * factor, w: x.shape.w * factor, ..x.shape };
    let mut out = Buffer::unset(shape.len());
    let rows = out.as_mut_slice().chunks_exact_mut((shape.row() * factor).max(1));
    for (group, row) in rows.zip(x.values().chunks_exact(x.shape.row().max(1))) {
        let (first, rest) = group.split_at_mut(shape.row());
        for (to, pixel) in first.chunks_exact_mut(factor * shape.c).zip(row.chunks_exact(shape.c)) {
            to.chunks_exact_mut(shape.c).for_each(|to| to.copy_from_slice(pixel));
        }
        rest.chunks_exact_mut(shape.row()).for_each(|to| to.copy_from_slice(first));
    }
    FeatureMap::new(shape, out)
}

/// Adds to row `y` what the row of a map of half the size, upsampled, has there.
pub fn add_upsampled_row(coarser: &FeatureMap, image: usize, y: usize, row: &mut [f32]) {
    let c = coarser.shape.c;
    for (pair, pixel) in row.chunks_exact_mut(2 * c).zip(coarser.row(image, y / 2).chunks_exact(c)) {
        pair.chunks_exact_mut(c).for_each(|to| accumulate(to, pixel));
    }
}

/// Each pixel of `c` channels `factor` times over, into some channels of a row.
pub fn spread(pixels: &[f32], factor: usize, slot: Slot, c: usize, row: &mut [f32]) {
    for (group, pixel) in row.chunks_exact_mut(factor * slot.channels).zip(pixels.chunks_exact(c)) {
        group.chunks_exact_mut(slot.channels).for_each(|to| to[slot.first..slot.first + c].copy_from_slice(pixel));
    }
}

/// 2x2 maximum, stride 1, a zero row and column added at the bottom and right: same size.
pub fn max_pool_2x2(x: &FeatureMap) -> FeatureMap {
    let row = x.shape.row();
    let mut out = Buffer::unset(x.shape.len());
    let mut columns = vec![0.0; row];
    for (i, to) in out.as_mut_slice().chunks_exact_mut(row.max(1)).enumerate() {
        let (image, y) = (i / x.shape.h, i % x.shape.h);
        let lower = (y + 1 < x.shape.h).then(|| x.row(image, y + 1));
        max_pool_row((x.row(image, y), lower), x.shape.c, &mut columns, x.shape.c, to);
    }
    FeatureMap::new(x.shape, out)
}

/// One row of [`max_pool_2x2`] from two rows of `c` channels (from one at the bottom) into the first channels of a row of pixels of
/// so many; `columns` has room for a row.
pub fn max_pool_row((upper, lower): (&[f32], Option<&[f32]>), c: usize, columns: &mut [f32], channels: usize, row: &mut [f32]) {
    match lower {
        Some(lower) => maximum(columns, upper, lower),
        None => columns.iter_mut().zip(upper).for_each(|(to, v)| *to = v.max(0.0)),
    }
    for (i, to) in row.chunks_exact_mut(channels).enumerate() {
        let (left, right) = columns[i * c..].split_at(c);
        match right.get(..c) {
            Some(right) => maximum(&mut to[..c], left, right),
            None => to[..c].iter_mut().zip(left).for_each(|(to, v)| *to = v.max(0.0)),
        }
    }
}

fn maximum(out: &mut [f32], a: &[f32], b: &[f32]) {
    for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
        *out = a.max(*b);
    }
}

/// Mean over windows of `size`, stride equal to `size`; an incomplete window at the end is dropped.
pub fn average_pool(x: &FeatureMap, size: (usize, usize)) -> FeatureMap {
    let shape = Shape { h: x.shape.h / size.0, w: x.shape.w / size.1, ..x.shape };
    let mut out = Buffer::zeros(shape.len());
    let share = 1.0 / (size.0 * size.1) as f32;
    for (i, pixel) in out.as_mut_slice().chunks_exact_mut(shape.c).enumerate() {
        let (image, y, column) = (i / (shape.w * shape.h), i / shape.w % shape.h, i % shape.w);
        for row in y * size.0..(y + 1) * size.0 {
            let window = &x.image(image)[(row * x.shape.w + column * size.1) * shape.c..][..size.1 * shape.c];
            window.chunks_exact(shape.c).for_each(|v| accumulate(pixel, v));
        }
        pixel.iter_mut().for_each(|v| *v *= share);
    }
    FeatureMap::new(shape, out)
}

/// `[n, h, w, 4c] -> [n, 2h, 2w, c]`, channel index `(dy * 2 + dx) * c + i`; `None` if four doesn't divide the channels.
pub fn depth_to_space(x: &FeatureMap) -> Option<FeatureMap> {
    if !x.shape.c.is_multiple_of(4) {
        return None;
    }
    let Shape { n, h, w, c } = x.shape;
    let shape = Shape { n, h: 2 * h, w: 2 * w, c: c / 4 };
    let mut out = Buffer::unset(shape.len());
    let rows = out.as_mut_slice().chunks_exact_mut((2 * shape.row()).max(1));
    for (pair, row) in rows.zip(x.values().chunks_exact(x.shape.row().max(1))) {
        let (upper, lower) = pair.split_at_mut(shape.row());
        let columns = upper.chunks_exact_mut(c / 2).zip(lower.chunks_exact_mut(c / 2));
        for ((upper, lower), pixel) in columns.zip(row.chunks_exact(c)) {
            upper.copy_from_slice(&pixel[..c / 2]);
            lower.copy_from_slice(&pixel[c / 2..]);
        }
    }
    Some(FeatureMap::new(shape, out))
}

/// A row of pixels `[w, 16c]`, channel index `((dy * 2 + dx) * 4 + ey * 2 + ex) * c + i`, to four rows `[4, 4w, c]`: what
/// [`depth_to_space`] does to the outer four, then to the inner.
pub fn depth_to_space_twice(pixels: &[f32], c: usize, rows: &mut [f32]) {
    // A known length, for the one channel of probabilities: short copies of any length are slow.
    if c == 1 { pairs_to_rows(pixels, 2, rows) } else { pairs_to_rows(pixels, 2 * c, rows) }
}

/// `pair` floats of two pixels lie beside each other before and after.
#[inline(always)]
fn pairs_to_rows(pixels: &[f32], pair: usize, rows: &mut [f32]) {
    let row = rows.len() / 4;
    for (y, row) in rows.chunks_exact_mut(row.max(1)).enumerate() {
        let (dy, ey) = (y / 2, y % 2);
        for (to, pixel) in row.chunks_exact_mut(2 * pair).zip(pixels.chunks_exact(8 * pair)) {
            let (left, right) = (&pixel[(4 * dy + ey) * pair..][..pair], &pixel[(4 * dy + 2 + ey) * pair..][..pair]);
            to[..pair].copy_from_slice(left);
            to[pair..].copy_from_slice(right);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(h: usize, w: usize, c: usize, values: &[f32]) -> FeatureMap {
        FeatureMap::from_slice(Shape { n: 1, h, w, c }, values)
    }

    #[test]
    fn gates_scale_their_channels() {
        let x = map(1, 2, 2, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(scale(&x, &map(1, 1, 2, &[10.0, 0.5])).values(), [10.0, 1.0, 30.0, 2.0]);
    }

    #[test]
    fn the_mean_is_by_channel() {
        let sums = map(2, 1, 2, &[1.0, 2.0, 3.0, 6.0]);
        assert_eq!(mean(&sums, Shape { w: 1, ..sums.shape }).values(), [2.0, 4.0]);
        assert_eq!(mean(&sums, Shape { w: 2, ..sums.shape }).values(), [1.0, 2.0]);
    }

    #[test]
    fn maps_are_joined_pixel_by_pixel() {
        let (a, b) = (map(1, 2, 1, &[1.0, 2.0]), map(1, 2, 2, &[3.0, 4.0, 5.0, 6.0]));
        assert_eq!(concat(&[&a, &b]).unwrap().values(), [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
        assert!(concat(&[&a, &map(2, 1, 1, &[0.0, 0.0])]).is_none());
    }

    #[test]
    fn upsampling_repeats() {
        assert_eq!(upsample(&map(1, 2, 1, &[1.0, 2.0]), 2).values(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn the_maximum_sees_zeros_beyond_the_border() {
        let x = map(2, 2, 1, &[-1.0, -2.0, -3.0, 4.0]);
        assert_eq!(max_pool_2x2(&x).values(), [4.0, 4.0, 4.0, 4.0]);
        assert_eq!(max_pool_2x2(&map(1, 1, 1, &[-5.0])).values(), [0.0]);
    }

    #[test]
    fn pooling_drops_an_incomplete_window() {
        let x = map(2, 3, 1, &[1.0, 2.0, 9.0, 3.0, 6.0, 9.0]);
        let pooled = average_pool(&x, (2, 2));
        assert_eq!((pooled.shape.h, pooled.shape.w, pooled.values()), (1, 1, [3.0].as_slice()));
    }

    #[test]
    fn depth_becomes_four_pixels() {
        let x = map(1, 1, 8, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let spread = depth_to_space(&x).unwrap();
        assert_eq!((spread.shape.h, spread.shape.w, spread.shape.c), (2, 2, 2));
        assert_eq!(spread.values(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let two = depth_to_space(&map(1, 2, 4, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])).unwrap();
        assert_eq!(two.values(), [0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0]);
        assert!(depth_to_space(&map(1, 1, 3, &[0.0; 3])).is_none());
    }
}
