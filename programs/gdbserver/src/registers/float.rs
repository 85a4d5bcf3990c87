//! The x87 tag word. FXSAVE keeps one bit per physical register, whether it is in use; gdb wants the
//! two bits of FSAVE, which follow from the value (Intel SDM, volume 1, 8.1.7 and 10.5.1.1).

use libtrace::ptrace::FpRegs;

/// Offset of the status word, whose bits 11 to 13 say which physical register is st0.
const STATUS: usize = 2;
/// Offset of the short tags.
const TAGS: usize = 4;
/// Offset of st0; each register takes 16 bytes.
const STACK: usize = 32;

const VALID: u16 = 0;
const ZERO: u16 = 1;
const SPECIAL: u16 = 2;
const EMPTY: u16 = 3;

/// The tag word of an FXSAVE area.
pub fn tags(area: &FpRegs) -> u16 {
    let top = usize::from(area[STATUS + 1] >> 3 & 7);
    (0..8).fold(0, |tags, physical| {
        let used = area[TAGS] >> physical & 1 != 0;
        let at = STACK + 16 * ((physical + 8 - top) % 8);
        let tag = if used { tag(&area[at..at + 10]) } else { EMPTY };
        tags | tag << (2 * physical)
    })
}

/// Sets which registers are in use.
pub fn set_tags(area: &mut FpRegs, tags: u16) {
    area[TAGS] = (0..8).fold(0, |short, physical| {
        let used = tags >> (2 * physical) & 3 != EMPTY;
        short | u8::from(used) << physical
    });
}

/// What kind of value a register in use has.
fn tag(value: &[u8]) -> u16 {
    let exponent = u16::from_le_bytes([value[8], value[9]]) & 0x7fff;
    let integer = value[7] & 0x80 != 0;
    let zero = value[..8].iter().all(|byte| *byte == 0);
    match exponent {
        0x7fff => SPECIAL,
        0 if zero => ZERO,
        0 => SPECIAL,
        _ if integer => VALID,
        _ => SPECIAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_follow_from_the_values() {
        let mut area: FpRegs = [0; 512];
        assert_eq!(tags(&area), 0xffff);
        // st0 is physical register 7: 1.0. st1 is register 0: 0.0.
        area[STATUS + 1] = 7 << 3;
        area[TAGS] = 0x81;
        area[STACK + 7] = 0x80;
        area[STACK + 8..STACK + 10].copy_from_slice(&0x3fffu16.to_le_bytes());
        assert_eq!(tags(&area), 0x3ffd);
        area[STACK + 8..STACK + 10].copy_from_slice(&0xffffu16.to_le_bytes());
        assert_eq!(tags(&area) >> 14, SPECIAL);
        let all = tags(&area);
        area[TAGS] = 0;
        set_tags(&mut area, all);
        assert_eq!(area[TAGS], 0x81);
    }
}
