//! Small static ELF files: one read-only segment of code, one writable one of data.

/// Where the file, its code behind the headers, is mapped.
pub const TEXT: u64 = 0x40_0000;
/// Where the first instruction is.
pub const ENTRY: u64 = TEXT + 0x1000;
/// Where the data is mapped.
pub const DATA: u64 = 0x60_0000;

const PAGE: usize = 4096;
const HEADER: usize = 64;
const SEGMENT: usize = 56;
const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// A program's file. `zeros` bytes follow the data.
pub fn file(code: &[u8], data: &[u8], zeros: u64) -> Vec<u8> {
    let data_at = (PAGE + code.len()).next_multiple_of(PAGE);
    let mut file = Vec::new();
    file.extend(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    let mut put = |bytes: &[u8]| file.extend_from_slice(bytes);
    put(&2u16.to_le_bytes());
    put(&62u16.to_le_bytes());
    put(&1u32.to_le_bytes());
    for word in [ENTRY, HEADER as u64, 0] {
        put(&word.to_le_bytes());
    }
    put(&0u32.to_le_bytes());
    for half in [HEADER as u16, SEGMENT as u16, 2, 64, 0, 0] {
        put(&half.to_le_bytes());
    }
    let text = (PAGE + code.len()) as u64;
    let size = data.len() as u64;
    for (flags, offset, addr, in_file, in_memory) in [
        (READ | EXECUTE, 0, TEXT, text, text),
        (READ | WRITE, data_at as u64, DATA, size, size + zeros),
    ] {
        put(&1u32.to_le_bytes());
        put(&flags.to_le_bytes());
        for word in [offset, addr, addr, in_file, in_memory, PAGE as u64] {
            put(&word.to_le_bytes());
        }
    }
    file.resize(PAGE, 0);
    file.extend(code);
    file.resize(data_at, 0);
    file.extend(data);
    file
}
