//! One thread pool instead of two.

/// Keeps candle's own elementwise operations on the calling thread. Call it first in `main`, before any thread starts.
///
/// candle 0.11 spreads them over a pool of its own whose caller spins until the last worker is done. Beside our
/// kernels' rayon pool, or any other busy process, that worker waits for a core while the caller burns one: in the
/// demo's training 78 % of the main thread's time. What is left to candle is too small to gain from threads.
#[expect(unsafe_code, reason = "the environment is the only way to tell candle; see the safety note")]
pub fn keep_candle_serial() {
    const NAME: &str = "CANDLE_NUM_THREADS";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: no other thread runs yet that could read or write the environment at the same time.
        unsafe { std::env::set_var(NAME, "1") };
    }
}
