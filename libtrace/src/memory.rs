//! Reading and writing a tracee's memory.

use crate::{Errno, Pid, Result, ptrace, transport};

/// Reads up to `buffer.len()` bytes at `addr`, and returns how many could be read: fewer
/// where the range runs into unmapped memory.
///
/// One process_vm_readv(2); where that call is missing or refused, words by `PEEKDATA`.
///
/// # Errors
/// `EFAULT` or `EIO` where not even the first byte can be read, `ESRCH` where the task is gone.
pub fn read_memory(pid: Pid, addr: u64, buffer: &mut [u8]) -> Result<usize> {
    if buffer.is_empty() {
        return Ok(0);
    }
    match transport::read_memory(pid, addr, buffer) {
        Err(Errno::ENOSYS | Errno::EPERM) => read_words(pid, addr, buffer),
        answer => answer,
    }
}

/// Writes all of `bytes` at `addr` by `POKEDATA`, also to pages the task cannot write.
///
/// # Errors
/// `EIO` at the first word that cannot be written; the words before it are.
pub fn write_memory(pid: Pid, addr: u64, bytes: &[u8]) -> Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        let at = addr.wrapping_add(done as u64);
        let (aligned, skip) = (at & !7, (at & 7) as usize);
        let count = (8 - skip).min(bytes.len() - done);
        let mut word = match count {
            8 => [0; 8],
            _ => ptrace::peek(pid, aligned)?.to_ne_bytes(),
        };
        word[skip..skip + count].copy_from_slice(&bytes[done..done + count]);
        ptrace::poke(pid, aligned, u64::from_ne_bytes(word))?;
        done += count;
    }
    Ok(())
}

/// Aligned words only: one that crosses into an unmapped page would hide the bytes
/// before the boundary.
fn read_words(pid: Pid, addr: u64, buffer: &mut [u8]) -> Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        let at = addr.wrapping_add(done as u64);
        let (aligned, skip) = (at & !7, (at & 7) as usize);
        let word = match ptrace::peek(pid, aligned) {
            Ok(word) => word.to_ne_bytes(),
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        };
        let count = (8 - skip).min(buffer.len() - done);
        buffer[done..done + count].copy_from_slice(&word[skip..skip + count]);
        done += count;
    }
    Ok(done)
}
