//! Reading and writing a task's memory on behalf of its own system calls.

use crate::Procmgr;
use crate::machine::{Machine, PAGE};
use abi::{Errno, TaskId};

impl Procmgr {
    /// Stores bytes where a system call's argument points: EFAULT.
    pub(crate) fn put(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        self.memory.write_all(m, space, addr, bytes)
    }

    /// Stores words, mostly in one page and aligned, as a C program has them.
    pub(crate) fn put_words(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        words: impl AsRef<[u64]>,
    ) -> Result<(), Errno> {
        let words = words.as_ref();
        let at = (addr % PAGE / 8) as usize;
        if addr.is_multiple_of(8)
            && let Some(space) = self.task(id).space
            && let Some(page) = self.memory.writable_page(m, space, addr)
            && let Some(place) = page.get_mut(at..at + words.len())
        {
            place.copy_from_slice(words);
            return Ok(());
        }
        for (i, word) in words.iter().enumerate() {
            let at = addr.checked_add(8 * i as u64).ok_or(Errno::EFAULT)?;
            self.put(m, id, at, &word.to_le_bytes())?;
        }
        Ok(())
    }

    /// Fetches bytes: EFAULT.
    pub(crate) fn get<const N: usize>(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
    ) -> Result<[u8; N], Errno> {
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        let mut bytes = [0; N];
        self.memory.read_exact(m, space, addr, &mut bytes)?;
        Ok(bytes)
    }

    /// Fetches as many bytes as there is room for: EFAULT.
    pub(crate) fn fetch(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        bytes: &mut [u8],
    ) -> Result<(), Errno> {
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        self.memory.read_exact(m, space, addr, bytes)
    }

    /// Fetches words.
    pub(crate) fn get_words<const N: usize>(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
    ) -> Result<[u64; N], Errno> {
        let mut words = [0; N];
        for (i, word) in words.iter_mut().enumerate() {
            let at = addr.checked_add(8 * i as u64).ok_or(Errno::EFAULT)?;
            *word = u64::from_le_bytes(self.get(m, id, at)?);
        }
        Ok(words)
    }
}
