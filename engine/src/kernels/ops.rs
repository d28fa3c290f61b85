//! The layers without weights, on plain slices: the compiler vectorises these loops, and memory bounds them.

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
    let Shape { n, c, .. } = x.shape;
    let mut out = Buffer::unset(x.shape.len());
    let images = out.as_mut_slice().chunks_exact_mut(x.shape.image().max(1));
    for (i, image) in images.enumerate().take(n) {
        for (out, pixel) in image.chunks_exact_mut(c).zip(x.image(i).chunks_exact(c)) {
            for ((out, x), gate) in out.iter_mut().zip(pixel).zip(gate.image(i)) {
                *out = x * gate;
            }
        }
    }
    FeatureMap::new(x.shape, out)
}

/// Mean over height and width: `[n, 1, 1, c]`. Rows are summed apart, so that little is lost to rounding on a large map.
pub fn mean(x: &FeatureMap) -> FeatureMap {
    let Shape { n, h, w, c } = x.shape;
    let mut out = Buffer::zeros(n * c);
    let mut row_sum = vec![0.0; c];
    for (i, sum) in out.as_mut_slice().chunks_exact_mut(c).enumerate() {
        for row in x.image(i).chunks_exact((w * c).max(1)) {
            row_sum.fill(0.0);
            row.chunks_exact(c).for_each(|pixel| accumulate(&mut row_sum, pixel));
            accumulate(sum, &row_sum);
        }
        sum.iter_mut().for_each(|v| *v /= (h * w) as f32);
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

/// 2x2 maximum, stride 1, a zero row and column added at the bottom and right: same size.
pub fn max_pool_2x2(x: &FeatureMap) -> FeatureMap {
    let Shape { n, h, c, .. } = x.shape;
    let row = x.shape.row();
    let mut out = Buffer::unset(x.shape.len());
    let mut columns = vec![0.0; row];
    for image in 0..n {
        let (from, to) = (x.image(image), &mut out.as_mut_slice()[image * x.shape.image()..][..x.shape.image()]);
        for y in 0..h {
            let upper = &from[y * row..][..row];
            match from.get((y + 1) * row..(y + 2) * row) {
                Some(lower) => maximum(&mut columns, upper, lower),
                None => columns.iter_mut().zip(upper).for_each(|(to, v)| *to = v.max(0.0)),
            }
            let to = &mut to[y * row..][..row];
            let (inner, last) = to.split_at_mut(row - c);
            maximum(inner, &columns[..row - c], &columns[c..]);
            last.iter_mut().zip(&columns[row - c..]).for_each(|(to, v)| *to = v.max(0.0));
        }
    }
    FeatureMap::new(x.shape, out)
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
        assert_eq!(mean(&map(2, 1, 2, &[1.0, 2.0, 3.0, 6.0])).values(), [2.0, 4.0]);
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
