//! Points and quadrilaterals in pixels of the upright page; x grows to the right, y downwards.

/// A point, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    pub x: f32,
    pub y: f32,
}

/// Four corners, clockwise from the text's top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// The upright rectangle with these edges.
    pub fn from_edges(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self([Point { x: left, y: top }, Point { x: right, y: top }, Point { x: right, y: bottom }, Point { x: left, y: bottom }])
    }

    /// From `x1,y1 .. x4,y4`, clockwise from top left.
    pub fn from_coordinates(coordinates: [f32; 8]) -> Self {
        Self(std::array::from_fn(|i| Point { x: coordinates[2 * i], y: coordinates[2 * i + 1] }))
    }

    /// Rounded `x1,y1 .. x4,y4`, the form of the contracts.
    pub fn to_pixels(self) -> Vec<i32> {
        self.0.iter().flat_map(|p| [p.x.round() as i32, p.y.round() as i32]).collect()
    }

    pub fn left(&self) -> f32 {
        self.0.iter().map(|p| p.x).fold(f32::INFINITY, f32::min)
    }

    pub fn right(&self) -> f32 {
        self.0.iter().map(|p| p.x).fold(f32::NEG_INFINITY, f32::max)
    }

    pub fn top(&self) -> f32 {
        self.0.iter().map(|p| p.y).fold(f32::INFINITY, f32::min)
    }

    pub fn bottom(&self) -> f32 {
        self.0.iter().map(|p| p.y).fold(f32::NEG_INFINITY, f32::max)
    }

    /// Length of the reading direction: the mean of the upper and lower edge.
    pub fn width(&self) -> f32 {
        let [a, b, c, d] = self.0;
        (distance(a, b) + distance(d, c)) / 2.0
    }

    /// Height of the text: the mean of the left and right edge.
    pub fn height(&self) -> f32 {
        let [a, b, c, d] = self.0;
        (distance(a, d) + distance(b, c)) / 2.0
    }

    pub fn centre(&self) -> Point {
        let (x, y) = self.0.iter().fold((0.0, 0.0), |(x, y), p| (x + p.x, y + p.y));
        Point { x: x / 4.0, y: y / 4.0 }
    }
}

/// Euclidean distance in pixels.
pub fn distance(a: Point, b: Point) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}
