//! Arithmetic and its flags.

/// Carry.
pub const CF: u64 = 1;
/// Parity.
pub const PF: u64 = 1 << 2;
/// Auxiliary carry.
pub const AF: u64 = 1 << 4;
/// Zero.
pub const ZF: u64 = 1 << 6;
/// Sign.
pub const SF: u64 = 1 << 7;
/// Direction.
pub const DF: u64 = 1 << 10;
/// Overflow.
pub const OF: u64 = 1 << 11;
/// The six that arithmetic sets.
pub const ARITHMETIC: u64 = CF | PF | AF | ZF | SF | OF;

/// The bits of a value of so many bytes.
pub fn mask(size: usize) -> u64 {
    u64::MAX >> (64 - 8 * size)
}

fn sign(size: usize) -> u64 {
    1 << (8 * size - 1)
}

fn common(result: u64, size: usize) -> u64 {
    let mut flags = 0;
    if result & mask(size) == 0 {
        flags |= ZF;
    }
    if result & sign(size) != 0 {
        flags |= SF;
    }
    if (result as u8).count_ones().is_multiple_of(2) {
        flags |= PF;
    }
    flags
}

/// a + b: the result and its flags.
pub fn add(a: u64, b: u64, size: usize) -> (u64, u64) {
    let result = a.wrapping_add(b) & mask(size);
    let mut flags = common(result, size) | ((a ^ b ^ result) & AF);
    if result < a & mask(size) {
        flags |= CF;
    }
    if (a ^ result) & (b ^ result) & sign(size) != 0 {
        flags |= OF;
    }
    (result, flags)
}

/// a - b: the result and its flags.
pub fn sub(a: u64, b: u64, size: usize) -> (u64, u64) {
    let result = a.wrapping_sub(b) & mask(size);
    let mut flags = common(result, size) | ((a ^ b ^ result) & AF);
    if a & mask(size) < b & mask(size) {
        flags |= CF;
    }
    if (a ^ b) & (a ^ result) & sign(size) != 0 {
        flags |= OF;
    }
    (result, flags)
}

/// The flags of and, or, xor, test.
pub fn logic(result: u64, size: usize) -> (u64, u64) {
    let result = result & mask(size);
    (result, common(result, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_carry_and_overflow_apart() {
        assert_eq!(add(0xff, 1, 1).1 & (CF | OF | ZF), CF | ZF);
        assert_eq!(add(0x7f, 1, 1).1 & (CF | OF | SF), OF | SF);
        assert_eq!(sub(0, 1, 8), (u64::MAX, CF | SF | AF | PF));
        assert_eq!(sub(0x80, 1, 1).1 & (CF | OF), OF);
    }
}
