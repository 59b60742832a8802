//! Sizes of a window that moves over maps.

use candle_core::{Result, Shape, bail};

/// How a window moves over a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// Pixels from one output position to the next, in both directions.
    pub stride: usize,
    /// Zeros above and below, left and right, in pixels.
    pub padding: [[usize; 2]; 2],
    /// Pixels between neighbouring taps, in both directions.
    pub dilation: usize,
    /// Independent parts that the channels are divided into.
    pub groups: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { stride: 1, padding: [[0; 2]; 2], dilation: 1, groups: 1 }
    }
}

impl Window {
    /// With the same number of zeros on every side.
    pub fn padded(self, zeros: usize) -> Self {
        Self { padding: [[zeros; 2]; 2], ..self }
    }

    /// Output height and width, if the window fits.
    ///
    /// ```text
    /// out = floor((size + before + after - dilation (k - 1) - 1) / stride) + 1
    /// ```
    ///
    /// ```
    /// use retrace::kernel::Window;
    /// let window = Window { stride: 2, ..Window::default() }.padded(1);
    /// assert_eq!(window.output([64, 9], [3, 3]), Some([32, 5]));
    /// assert_eq!(Window::default().output([8, 2], [3, 3]), None);
    /// ```
    pub fn output(&self, size: [usize; 2], k: [usize; 2]) -> Option<[usize; 2]> {
        let along = |i: usize| {
            let reach = self.dilation * k[i].checked_sub(1)? + 1;
            let padded = size[i] + self.padding[i][0] + self.padding[i][1];
            Some(padded.checked_sub(reach)?.checked_div(self.stride)? + 1)
        };
        Some([along(0)?, along(1)?])
    }
}

/// Every size of one convolution or pooling, checked. Maps are `(b, h, w, c)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Geometry {
    pub b: usize,
    /// Input height and width.
    pub size: [usize; 2],
    /// Input channels.
    pub c: usize,
    /// Output channels.
    pub d: usize,
    /// Height and width of the window.
    pub k: [usize; 2],
    /// Output height and width.
    pub out: [usize; 2],
    pub window: Window,
}

impl Geometry {
    /// Of a convolution: `input` `(b, h, w, c)`, `weight` `(d, c / groups, k, k')`.
    pub fn convolution(input: &[usize], weight: &[usize], window: Window) -> Result<Self> {
        let (&[_, _, _, c], &[d, part, kh, kw]) = (input, weight) else {
            bail!(
                "conv2d: expected input (b, h, w, c) and weight (d, c / groups, k, k'), found {input:?} and {weight:?}"
            );
        };
        let groups = window.groups;
        if groups == 0 || part * groups != c || d % groups != 0 {
            bail!("conv2d: expected channels that fit {window:?}, found input {input:?} and weight {weight:?}");
        }
        Self::new(input, [kh, kw], d, window)
    }

    /// Of a window of `k` pixels that gives `d` channels.
    pub fn new(input: &[usize], k: [usize; 2], d: usize, window: Window) -> Result<Self> {
        let &[b, h, w, c] = input else { bail!("expected a map (b, h, w, c), found {input:?}") };
        match window.output([h, w], k) {
            Some(out) if window.dilation > 0 => Ok(Self { b, size: [h, w], c, d, k, out, window }),
            _ => bail!("expected an input at least as large as a window of {k:?}, {window:?}, found {input:?}"),
        }
    }

    pub fn is_depthwise(&self) -> bool {
        self.window.groups == self.c && self.d == self.c
    }

    /// Whether a row of the product is a pixel as it lies in memory.
    pub fn is_pointwise(&self) -> bool {
        self.k == [1, 1] && self.window.stride == 1 && self.window.padding == [[0; 2]; 2]
    }

    /// Input channels that one output channel sees.
    pub fn part(&self) -> usize {
        self.c / self.window.groups
    }

    /// Output channels of a group.
    pub fn group(&self) -> usize {
        self.d / self.window.groups
    }

    /// Products that make one output number.
    pub fn depth(&self) -> usize {
        self.k[0] * self.k[1] * self.part()
    }

    /// Input numbers of one image.
    pub fn input_len(&self) -> usize {
        self.size[0] * self.size[1] * self.c
    }

    /// Output positions of one image.
    pub fn area(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// Output positions of the batch.
    pub fn rows(&self) -> usize {
        self.b * self.area()
    }

    pub fn input_shape(&self) -> Shape {
        Shape::from((self.b, self.size[0], self.size[1], self.c))
    }

    pub fn output_shape(&self) -> Shape {
        Shape::from((self.b, self.out[0], self.out[1], self.d))
    }

    pub fn weight_shape(&self) -> Shape {
        Shape::from((self.d, self.part(), self.k[0], self.k[1]))
    }

    /// The input row (`axis` 0) or column (1) that tap `tap` reads for output `out`; none in the padding.
    pub fn source(&self, axis: usize, out: usize, tap: usize) -> Option<usize> {
        let place = out * self.window.stride + tap * self.window.dilation;
        place.checked_sub(self.window.padding[axis][0]).filter(|place| *place < self.size[axis])
    }

    /// For every output row or column, the taps that read inside the map and what they read.
    pub fn sources(&self, axis: usize) -> Vec<Vec<Link>> {
        let of =
            |at: usize| (0..self.k[axis]).filter_map(move |tap| Some(Link { tap, at: self.source(axis, at, tap)? }));
        (0..self.out[axis]).map(|at| of(at).collect()).collect()
    }

    /// For every input row or column, the taps that are read by an output and the output that reads.
    pub fn targets(&self, axis: usize) -> Vec<Vec<Link>> {
        let mut targets = vec![Vec::new(); self.size[axis]];
        for (at, sources) in self.sources(axis).into_iter().enumerate() {
            sources.into_iter().for_each(|link| targets[link.at].push(Link { tap: link.tap, at }));
        }
        targets
    }
}

/// A tap, and the row or column at its other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub tap: usize,
    pub at: usize,
}
