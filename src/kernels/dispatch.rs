//! One kernel body, compiled for several instruction sets, chosen at run time.

/// Defines `fn name(args)` that calls `body::<LANES>(args)` compiled for the widest instruction set this machine has.
///
/// `LANES` is the number of f32 values in a register: 16 (AVX-512), 8 (AVX2) or 4 (baseline). A plain build of Rust
/// for x86-64 knows SSE2 only, a quarter of the width of today's processors. The body must be `#[inline(always)]`
/// down to its inner loops, or it is compiled for the baseline.
macro_rules! dispatch {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) = $body:ident;) => {
        $(#[$meta])*
        #[allow(unsafe_code, reason = "calling a function compiled for more than the baseline needs a check first")]
        $vis fn $name($($arg: $type),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                fn avx512($($arg: $type),*) {
                    $body::<16>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) {
                    $body::<8>($($arg),*);
                }
                if $crate::kernels::dispatch::has_avx512() {
                    // SAFETY: `has_avx512` asked the processor for every feature named on `avx512`.
                    return unsafe { avx512($($arg),*) };
                }
                if $crate::kernels::dispatch::has_avx2() {
                    // SAFETY: `has_avx2` asked the processor for every feature named on `avx2`.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body::<4>($($arg),*);
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && has_avx2()
}

#[cfg(target_arch = "x86_64")]
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}
