//! Vectors of floats on the machine's widest instructions: AVX-512, AVX2 with FMA, or a portable form that the compiler
//! vectorises as it can. One binary serves all: the choice is made at run time.
//!
//! A kernel is written once, generic over [`Simd`], as the `run` of a [`Kernel`]; [`Isa::run`] compiles it once for each set of
//! instructions and enters the right one.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;
use std::sync::LazyLock;

/// A set of instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    Avx512,
    Avx2,
    Portable,
}

/// The widest lane count of any [`Isa`].
pub const MAX_LANES: usize = 16;

/// Work that is compiled for each set of instructions.
pub trait Kernel {
    /// # Safety
    /// The machine must have the instructions of `S`, and the kernel's own slices must fit its own sizes. Implementations must be
    /// `#[inline(always)]`, or the code is compiled without those instructions.
    unsafe fn run<S: Simd>(self);
}

impl Isa {
    /// The widest that this machine has.
    pub fn detect() -> Self {
        static DETECTED: LazyLock<Isa> = LazyLock::new(|| Isa::available()[0]);
        *DETECTED
    }

    /// All that this machine has, the widest first; never empty.
    pub fn available() -> Vec<Self> {
        let mut available = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                available.insert(0, Self::Avx2);
                if is_x86_feature_detected!("avx512f") {
                    available.insert(0, Self::Avx512);
                }
            }
        }
        available
    }

    /// Floats in a vector.
    pub fn lanes(self) -> usize {
        match self {
            Self::Avx512 => 16,
            Self::Avx2 => 8,
            Self::Portable => 4,
        }
    }

    /// Runs a kernel with these instructions.
    pub fn run<K: Kernel>(self, kernel: K) {
        match self {
            // SAFETY: an `Isa` other than `Portable` only comes from `available`, which asked the machine.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { run_avx512(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { run_avx2(kernel) },
            // SAFETY: plain arithmetic, which every machine has.
            _ => unsafe { kernel.run::<Portable>() },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
unsafe fn run_avx512<K: Kernel>(kernel: K) {
    // SAFETY: this function has the instructions of `Avx512` enabled.
    unsafe { kernel.run::<Avx512>() }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn run_avx2<K: Kernel>(kernel: K) {
    // SAFETY: this function has the instructions of `Avx2` enabled.
    unsafe { kernel.run::<Avx2>() }
}

/// Arithmetic on vectors of [`Simd::LANES`] floats.
///
/// # Safety
/// All of it may only run on a machine that has the instructions. `load` and `store` need [`Simd::LANES`] floats behind the
/// pointer, of any alignment.
pub trait Simd {
    const LANES: usize;
    /// Pixels by vectors of sums that the registers hold beside what is multiplied.
    const SUMS_MAX: usize;
    type Vector: Copy;

    unsafe fn splat(x: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(to: *mut f32, v: Self::Vector);
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn max(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn min(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a * b + c`
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

macro_rules! x86 {
    ($name:ident, $lanes:literal, $sums:literal, $vector:ty, $splat:ident, $load:ident, $store:ident, $add:ident, $mul:ident, $div:ident, $max:ident, $min:ident, $mul_add:ident) => {
        #[cfg(target_arch = "x86_64")]
        pub struct $name;

        // SAFETY of every block: the caller promises the instructions (see the trait), and the pointers' room.
        #[cfg(target_arch = "x86_64")]
        impl Simd for $name {
            const LANES: usize = $lanes;
            const SUMS_MAX: usize = $sums;
            type Vector = $vector;

            #[inline(always)]
            unsafe fn splat(x: f32) -> $vector {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> $vector {
                unsafe { $load(from) }
            }
            #[inline(always)]
            unsafe fn store(to: *mut f32, v: $vector) {
                unsafe { $store(to, v) }
            }
            #[inline(always)]
            unsafe fn add(a: $vector, b: $vector) -> $vector {
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn mul(a: $vector, b: $vector) -> $vector {
                unsafe { $mul(a, b) }
            }
            #[inline(always)]
            unsafe fn div(a: $vector, b: $vector) -> $vector {
                unsafe { $div(a, b) }
            }
            #[inline(always)]
            unsafe fn max(a: $vector, b: $vector) -> $vector {
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn min(a: $vector, b: $vector) -> $vector {
                unsafe { $min(a, b) }
            }
            #[inline(always)]
            unsafe fn mul_add(a: $vector, b: $vector, c: $vector) -> $vector {
                unsafe { $mul_add(a, b, c) }
            }
        }
    };
}

#[rustfmt::skip]
x86!(Avx512, 16, 24, __m512, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_max_ps, _mm512_min_ps, _mm512_fmadd_ps);
#[rustfmt::skip]
x86!(Avx2, 8, 12, __m256, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_max_ps, _mm256_min_ps, _mm256_fmadd_ps);

/// Four floats in an array: the vectors of the oldest machines. Wider ones fall apart into hundreds of scalars, which take
/// the compiler minutes.
pub struct Portable;

/// `mul_add` without the instruction is a slow call into the C library.
const FUSED: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

// SAFETY of the pointer blocks: the caller promises room for four floats.
impl Simd for Portable {
    const LANES: usize = 4;
    const SUMS_MAX: usize = 4;
    type Vector = [f32; 4];

    #[inline(always)]
    unsafe fn splat(x: f32) -> [f32; 4] {
        [x; 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, v: [f32; 4]) {
        unsafe { to.cast::<[f32; 4]>().write_unaligned(v) }
    }
    #[inline(always)]
    unsafe fn add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn mul(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    unsafe fn min(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| a[i].min(b[i]))
    }
    #[inline(always)]
    unsafe fn mul_add(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        std::array::from_fn(|i| if FUSED { a[i].mul_add(b[i], c[i]) } else { a[i] * b[i] + c[i] })
    }
}
