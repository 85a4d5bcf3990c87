//! The page of code that runs in a task's address space while the task is held
//! ([`Stub`](procmgr::machine::Stub)).

use procmgr::machine::Stub;

/// Where it is in every space: below the last page, which Linux keeps empty.
pub const PAGE: u64 = 0x7fff_ffff_e000;

/// Whether an instruction pointer is in it, or just behind its last instruction.
pub fn contains(ip: u64) -> bool {
    ip & !0xfff == PAGE
}

/// Where a stub starts.
pub fn address(stub: Stub) -> u64 {
    PAGE + offset(stub) as u64
}

fn offset(stub: Stub) -> usize {
    match stub {
        Stub::FpuSave => 0,
        Stub::FpuSaveInit => 0x10,
        Stub::FpuLoad => 0x20,
        Stub::FpuInit => 0x30,
    }
}

/// `fxsave64 [rdi]`
const SAVE: [u8; 4] = [0x48, 0x0f, 0xae, 0x07];
/// `fxrstor64 [rdi]`
const LOAD: [u8; 4] = [0x48, 0x0f, 0xae, 0x0f];
/// `fxrstor64 [rip + ...]`, without the distance.
const LOAD_HERE: [u8; 4] = [0x48, 0x0f, 0xae, 0x0d];
const INT3: u8 = 0xcc;

/// Where the state of a new program is: all zero but the control word (0x37f) and MXCSR (0x1f80).
const INITIAL: usize = 0x200;

/// Where they end: what follows is a thread's [way back](super::returns).
pub const END: usize = INITIAL + 0x200;

/// Writes the page.
pub fn write(page: &mut [u8; 4096]) {
    put(page, offset(Stub::FpuSave), &SAVE);
    put_initial(page, offset(Stub::FpuInit));
    put(page, offset(Stub::FpuLoad), &LOAD);
    page[offset(Stub::FpuSaveInit)..][..4].copy_from_slice(&SAVE);
    put_initial(page, offset(Stub::FpuSaveInit) + 4);
    page[INITIAL..][..2].copy_from_slice(&0x37f_u16.to_le_bytes());
    page[INITIAL + 24..][..4].copy_from_slice(&0x1f80_u32.to_le_bytes());
}

/// One instruction and `int3`.
fn put(page: &mut [u8; 4096], at: usize, instruction: &[u8]) {
    page[at..][..instruction.len()].copy_from_slice(instruction);
    page[at + instruction.len()] = INT3;
}

/// Loading the initial state and `int3`.
fn put_initial(page: &mut [u8; 4096], at: usize) {
    let end = at + LOAD_HERE.len() + 4;
    page[at..][..4].copy_from_slice(&LOAD_HERE);
    page[at + 4..][..4].copy_from_slice(&((INITIAL - end) as u32).to_le_bytes());
    page[end] = INT3;
}
