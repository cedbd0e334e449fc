//! A register of f32 values. Arrays of these stay in registers; arrays of numbers in the same loops do not.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64 as arch;

/// `LANES` values computed on together.
pub(super) trait Vector: Copy {
    /// f32 values in one register.
    const LANES: usize;

    /// `value` in every lane.
    fn splat(value: f32) -> Self;

    /// `a * b + self`, fused where the instruction exists.
    fn plus_product(self, a: Self, b: Self) -> Self;

    /// The first `LANES` values of `from`, which must have as many.
    fn load(from: &[f32]) -> Self;

    /// Writes the first `LANES` values of `to`, which must have as many.
    fn store(self, to: &mut [f32]);
}

/// The baseline register: SSE on x86-64, NEON on aarch64, by the compiler's own choice of instructions.
#[derive(Clone, Copy)]
pub(super) struct Four([f32; 4]);

impl Vector for Four {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        let fused = |i: usize| {
            // Elsewhere `mul_add` would be a library call.
            if cfg!(target_arch = "aarch64") { a.0[i].mul_add(b.0[i], self.0[i]) } else { a.0[i] * b.0[i] + self.0[i] }
        };
        Self([fused(0), fused(1), fused(2), fused(3)])
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        Self(from.as_chunks().0[0])
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to.as_chunks_mut().0[0] = self.0;
    }
}

/// Implements [`Vector`] by the named intrinsics. Values of these types are made only inside functions that
/// `dispatch!` compiles for AVX2 or AVX-512 and calls after asking the processor. Loads and stores are typed copies:
/// the intrinsics for them check their pointers in builds with debug assertions, which more than doubles a head's time.
#[cfg(target_arch = "x86_64")]
macro_rules! intrinsics {
    ($register:ident, $lanes:literal, $splat:ident, $fused:ident) => {
        #[expect(unsafe_code, reason = "intrinsics of an instruction set beyond the baseline")]
        impl Vector for arch::$register {
            const LANES: usize = $lanes;

            #[inline(always)]
            fn splat(value: f32) -> Self {
                // SAFETY: the instruction set is there, see `intrinsics`.
                unsafe { arch::$splat(value) }
            }

            #[inline(always)]
            fn plus_product(self, a: Self, b: Self) -> Self {
                // SAFETY: the instruction set is there, see `intrinsics`.
                unsafe { arch::$fused(a, b, self) }
            }

            #[inline(always)]
            fn load(from: &[f32]) -> Self {
                let values: [f32; $lanes] = from.as_chunks().0[0];
                // SAFETY: both are as many f32 values, and any bits are valid for either.
                unsafe { std::mem::transmute(values) }
            }

            #[inline(always)]
            fn store(self, to: &mut [f32]) {
                // SAFETY: both are as many f32 values, and any bits are valid for either.
                let values: [f32; $lanes] = unsafe { std::mem::transmute(self) };
                to.as_chunks_mut().0[0] = values;
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
intrinsics!(__m256, 8, _mm256_set1_ps, _mm256_fmadd_ps);
#[cfg(target_arch = "x86_64")]
intrinsics!(__m512, 16, _mm512_set1_ps, _mm512_fmadd_ps);
