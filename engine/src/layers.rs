//! The layers that the convolutional networks are written in, over two backends: packed kernels for inference
//! ([`crate::kernels`]) and candle tensors with gradients for training. A network is written once, generic over
//! [`Backend`], so that what is trained is what is served.
//!
//! Feature maps are NHWC. Weights: dense `[kh, kw, cin, cout]` (a matrix product's right side), depthwise `[kh, kw, c]`,
//! bias `[cout]`; a linear layer is a 1x1 convolution `[1, 1, cin, cout]`.

use candle_core::Result;
use candle_nn::VarBuilder;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    None,
    Relu,
    /// With the error function, not the tanh form.
    Gelu,
    HardSwish,
    /// `clamp(slope * x + 0.5, 0, 1)`
    HardSigmoid {
        slope: f32,
    },
    Sigmoid,
}

/// Zero rows and columns added around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Padding {
    pub top: usize,
    pub left: usize,
    pub bottom: usize,
    pub right: usize,
}

impl Padding {
    /// That keeps the size under a kernel of 2x2.
    pub const EVEN: Self = Self { top: 0, left: 0, bottom: 1, right: 1 };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Every output channel sees every input channel.
    Dense,
    /// One filter a channel; `cin == cout`.
    Depthwise,
}

/// How exactly a layer has to be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    #[default]
    Floats,
    /// Weights and activations of 8 bits will do, where the backend has them.
    Bytes,
}

/// A convolution with its fused activation. `act(conv(x) + bias)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvSpec {
    pub cin: usize,
    pub cout: usize,
    /// height, width
    pub kernel: (usize, usize),
    /// vertical, horizontal
    pub stride: (usize, usize),
    pub padding: Padding,
    pub connection: Connection,
    pub bias: bool,
    pub activation: Activation,
    pub precision: Precision,
}

impl ConvSpec {
    /// A square dense kernel with bias, of stride 1, padded to keep the size, without activation.
    pub fn dense(cin: usize, cout: usize, kernel: usize) -> Self {
        let around = kernel / 2;
        Self {
            cin,
            cout,
            kernel: (kernel, kernel),
            stride: (1, 1),
            padding: Padding { top: around, left: around, bottom: around, right: around },
            connection: Connection::Dense,
            bias: true,
            activation: Activation::None,
            precision: Precision::Floats,
        }
    }

    /// One filter a channel with bias, of stride 1, padded to keep the size, without activation. The kernel is (height, width).
    pub fn depthwise(channels: usize, kernel: (usize, usize)) -> Self {
        let (vertical, horizontal) = (kernel.0 / 2, kernel.1 / 2);
        Self {
            kernel,
            padding: Padding { top: vertical, left: horizontal, bottom: vertical, right: horizontal },
            connection: Connection::Depthwise,
            ..Self::dense(channels, channels, 1)
        }
    }

    /// vertical, horizontal
    pub fn stride(self, stride: (usize, usize)) -> Self {
        Self { stride, ..self }
    }

    pub fn activation(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }

    /// Weights and activations of 8 bits will do.
    pub fn in_bytes(self) -> Self {
        Self { precision: Precision::Bytes, ..self }
    }

    pub fn without_bias(self) -> Self {
        Self { bias: false, ..self }
    }

    /// Whether each output pixel depends on its own input pixel alone.
    pub fn is_pointwise(&self) -> bool {
        self.connection == Connection::Dense && self.kernel == (1, 1) && self.stride == (1, 1)
    }

    /// Height and width of the output of a map of this height and width; `None` where the padded map is smaller than the kernel.
    pub fn output_size(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let along = |size: usize, padding: usize, kernel: usize, stride: usize| Some((size + padding).checked_sub(kernel)? / stride + 1);
        let Padding { top, left, bottom, right } = self.padding;
        Some((along(height, top + bottom, self.kernel.0, self.stride.0)?, along(width, left + right, self.kernel.1, self.stride.1)?))
    }
}

/// What a network needs from the machine it runs on.
pub trait Backend {
    /// A feature map `[n, h, w, c]`.
    type Map: Clone;
    /// A convolution with its weights in the form the backend wants.
    type Conv;

    /// Takes `weight` (and `bias`) from `weights`.
    fn conv(&self, spec: ConvSpec, weights: VarBuilder) -> Result<Self::Conv>;
    fn forward(&self, conv: &Self::Conv, x: &Self::Map) -> Result<Self::Map>;
    /// Two 1x1 convolutions, `project(expand(x))`, and `x` added to the result if `residual`. A backend may fuse them, so that
    /// the wide map between them is never stored.
    fn perceptron(&self, expand: &Self::Conv, project: &Self::Conv, x: &Self::Map, residual: bool) -> Result<Self::Map> {
        let y = self.forward(project, &self.forward(expand, x)?)?;
        if residual { self.add(&y, x) } else { Ok(y) }
    }
    /// Element-wise sum of two maps of one shape.
    fn add(&self, a: &Self::Map, b: &Self::Map) -> Result<Self::Map>;
    /// `x * gate`, `gate` being `[n, 1, 1, c]`.
    fn scale(&self, x: &Self::Map, gate: &Self::Map) -> Result<Self::Map>;
    /// Mean over height and width: `[n, 1, 1, c]`.
    fn mean(&self, x: &Self::Map) -> Result<Self::Map>;
    /// Along the channels.
    fn concat(&self, maps: &[&Self::Map]) -> Result<Self::Map>;
    /// Nearest neighbour, by a whole factor.
    fn upsample(&self, x: &Self::Map, factor: usize) -> Result<Self::Map>;
    /// 2x2 maximum, stride 1, a zero row and column added at the bottom and right: same size.
    fn max_pool_2x2(&self, x: &Self::Map) -> Result<Self::Map>;
    /// Mean over windows of `size` (height, width), stride equal to `size`; an incomplete window at the end is dropped.
    fn average_pool(&self, x: &Self::Map, size: (usize, usize)) -> Result<Self::Map>;
    /// `[n, h, w, 4c] -> [n, 2h, 2w, c]`, channel index `(dy * 2 + dx) * c + i`: a 1x1 convolution followed by this is a
    /// transposed 2x2 convolution of stride 2.
    fn depth_to_space(&self, x: &Self::Map) -> Result<Self::Map>;

    // What follows is made of the layers above. A backend may compute it in one go, so that the maps in between are never stored.

    /// `project(expand(x * gate))`, and `x * gate` added to the result if `residual`; `gate` is `[n, 1, 1, c]`.
    fn gated_perceptron(
        &self,
        expand: &Self::Conv,
        project: &Self::Conv,
        x: &Self::Map,
        gate: &Self::Map,
        residual: bool,
    ) -> Result<Self::Map> {
        self.perceptron(expand, project, &self.scale(x, gate)?, residual)
    }
    /// A perceptron behind a depthwise convolution, whose output is what `residual` adds.
    fn mixed_perceptron(
        &self,
        depthwise: &Self::Conv,
        expand: &Self::Conv,
        project: &Self::Conv,
        x: &Self::Map,
        residual: bool,
    ) -> Result<Self::Map> {
        self.perceptron(expand, project, &self.forward(depthwise, x)?, residual)
    }
    /// A depthwise convolution, then one of 1x1.
    fn separable(&self, depthwise: &Self::Conv, pointwise: &Self::Conv, x: &Self::Map) -> Result<Self::Map> {
        self.forward(pointwise, &self.forward(depthwise, x)?)
    }
    /// `first`, then its 2x2 maximum and, beside that in further channels, two convolutions of the same size, joined by another.
    fn stem(&self, stem: StemOf<&Self::Conv>, x: &Self::Map) -> Result<Self::Map> {
        let StemOf { first, branch, join } = stem;
        let x = self.forward(first, x)?;
        let branched = self.forward(branch[1], &self.forward(branch[0], &x)?)?;
        self.forward(join, &self.concat(&[&self.max_pool_2x2(&x)?, &branched])?)
    }
    /// `x (1 + gate)`, `gate` being `[n, 1, 1, c]`.
    fn excite(&self, x: &Self::Map, gate: &Self::Map) -> Result<Self::Map> {
        self.add(x, &self.scale(x, gate)?)
    }
    /// `conv(x)`, 1x1 and without activation, excited by the gate, and a map of half its height and width, upsampled, added to it.
    fn excited(&self, conv: &Self::Conv, x: &Self::Map, gate: &Self::Map, coarser: Option<&Self::Map>) -> Result<Self::Map> {
        let y = self.excite(&self.forward(conv, x)?, gate)?;
        coarser.map_or(Ok(y.clone()), |coarser| self.add(&y, &self.upsample(coarser, 2)?))
    }
    /// `conv` of maps, each excited by its gate and upsampled by its factor, beside each other in the channels.
    fn joined(&self, levels: &[Level<Self::Map>], conv: &Self::Conv) -> Result<Self::Map> {
        let whole = |level: &Level<Self::Map>| {
            let excited = self.excite(&level.map, &level.gate)?;
            if level.factor == 1 { Ok(excited) } else { self.upsample(&excited, level.factor) }
        };
        let maps = levels.iter().map(whole).collect::<Result<Vec<_>>>()?;
        self.forward(conv, &self.concat(&maps.iter().collect::<Vec<_>>())?)
    }
    /// Two transposed 2x2 convolutions of stride 2, each as in [`Backend::depth_to_space`]: `[n, h, w, c] -> [n, 4h, 4w, _]`.
    fn quadruple(&self, convs: [&Self::Conv; 2], x: &Self::Map) -> Result<Self::Map> {
        convs.into_iter().try_fold(x.clone(), |x, conv| self.depth_to_space(&self.forward(conv, &x)?))
    }
}

/// The convolutions of [`Backend::stem`].
#[derive(Debug, Clone, Copy)]
pub struct StemOf<C> {
    pub first: C,
    pub branch: [C; 2],
    pub join: C,
}

/// One of the maps of [`Backend::joined`].
#[derive(Debug, Clone)]
pub struct Level<M> {
    /// `[n, h, w, c]`
    pub map: M,
    /// `[n, 1, 1, c]`
    pub gate: M,
    pub factor: usize,
}
