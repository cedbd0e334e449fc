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

    /// # Safety
    /// `LANES` values are readable from `from`.
    #[expect(unsafe_code, reason = "reads through a pointer")]
    unsafe fn load(from: *const f32) -> Self;

    /// # Safety
    /// `LANES` values are writable from `to`.
    #[expect(unsafe_code, reason = "writes through a pointer")]
    unsafe fn store(self, to: *mut f32);
}

/// The baseline register: SSE on x86-64, NEON on aarch64, by the compiler's own choice of instructions.
#[derive(Clone, Copy)]
pub(super) struct Four([f32; 4]);

#[expect(unsafe_code, reason = "loads and stores through pointers")]
impl Vector for Four {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        Self(std::array::from_fn(|i| {
            let (sum, a, b) = (self.0[i], a.0[i], b.0[i]);
            // Elsewhere `mul_add` would be a library call.
            if cfg!(target_arch = "aarch64") { a.mul_add(b, sum) } else { a * b + sum }
        }))
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller promises four readable values.
        Self(unsafe { from.cast::<[f32; 4]>().read() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller promises room for four values.
        unsafe { to.cast::<[f32; 4]>().write(self.0) };
    }
}

/// Implements [`Vector`] by the named intrinsics. Values of these types are made only inside functions that
/// `dispatch!` compiles for AVX2 or AVX-512 and calls after asking the processor.
#[cfg(target_arch = "x86_64")]
macro_rules! intrinsics {
    ($register:ident, $lanes:literal, $splat:ident, $fused:ident, $load:ident, $store:ident) => {
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
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: the caller promises readable values, and the instruction set is there.
                unsafe { arch::$load(from) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: the caller promises room, and the instruction set is there.
                unsafe { arch::$store(to, self) };
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
intrinsics!(__m256, 8, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_storeu_ps);
#[cfg(target_arch = "x86_64")]
intrinsics!(__m512, 16, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_storeu_ps);
