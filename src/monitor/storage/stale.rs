//! The value that says "this series has ended".

/// The bits of that value: Prometheus' own, a NaN which arithmetic never yields.
pub const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Whether a value is the mark of an end. Any other NaN is a value like all others.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}
