//! Reading and writing a task's memory from outside.

use super::Memory;
use super::fault::{Access, Lent, MemoryFault};
use super::frames::copy_part;
use super::pages::Entry;
use super::site::Site;
use crate::machine::{Frame, Machine, PAGE, SpaceIx};
use abi::Errno;

/// What ended a copy.
enum End {
    Source,
    Target,
}

impl Memory {
    /// Reads as the task itself could: how many bytes until the first that cannot be.
    pub fn read(&mut self, m: &mut impl Machine, s: SpaceIx, addr: u64, buf: &mut [u8]) -> usize {
        self.site(m, s).copy_out(addr, buf, Access::Read)
    }

    /// Writes as the task itself could: how many bytes until the first that cannot be.
    pub fn write(&mut self, m: &mut impl Machine, s: SpaceIx, addr: u64, bytes: &[u8]) -> usize {
        self.site(m, s).copy_in(addr, bytes, Access::Write)
    }

    /// Reads whatever the protection, as a tracer: how many bytes until the first that cannot be.
    pub fn peek(&mut self, m: &mut impl Machine, s: SpaceIx, addr: u64, buf: &mut [u8]) -> usize {
        self.site(m, s).copy_out(addr, buf, Access::Peek)
    }

    /// Writes as a tracer: through a private mapping whatever its protection, into a private
    /// copy; through a shared one only where the task itself could.
    pub fn poke(&mut self, m: &mut impl Machine, s: SpaceIx, addr: u64, bytes: &[u8]) -> usize {
        self.site(m, s).copy_in(addr, bytes, Access::Poke)
    }

    /// Copies from one space to another, which may be the same, as tasks in them could: how many bytes
    /// until the first that cannot be read or written. Frame to frame, without a buffer between.
    pub fn copy(
        &mut self,
        m: &mut impl Machine,
        from: (SpaceIx, u64),
        to: (SpaceIx, u64),
        len: u64,
    ) -> u64 {
        let (done, _) = self.copy_as(m, (from, Access::Read), (to, Access::Write), len);
        done
    }

    /// Copies from one space as a tracer into another as its task could. Nothing at all is EIO or EFAULT.
    pub fn peek_into(
        &mut self,
        m: &mut impl Machine,
        from: (SpaceIx, u64),
        to: (SpaceIx, u64),
        len: u64,
    ) -> Result<u64, Errno> {
        match self.copy_as(m, (from, Access::Peek), (to, Access::Write), len) {
            (0, Some(End::Source)) => Err(Errno::EIO),
            (0, Some(End::Target)) => Err(Errno::EFAULT),
            (done, _) => Ok(done),
        }
    }

    /// The reverse: copies from one space as its task could into another as a tracer.
    pub fn poke_from(
        &mut self,
        m: &mut impl Machine,
        from: (SpaceIx, u64),
        to: (SpaceIx, u64),
        len: u64,
    ) -> Result<u64, Errno> {
        match self.copy_as(m, (from, Access::Read), (to, Access::Poke), len) {
            (0, Some(End::Source)) => Err(Errno::EFAULT),
            (0, Some(End::Target)) => Err(Errno::EIO),
            (done, _) => Ok(done),
        }
    }

    fn copy_as(
        &mut self,
        m: &mut impl Machine,
        ((from, source_start), reads): ((SpaceIx, u64), Access),
        ((to, start), writes): ((SpaceIx, u64), Access),
        len: u64,
    ) -> (u64, Option<End>) {
        let mut done = 0;
        while done < len {
            let (source_at, at) = (source_start.wrapping_add(done), start.wrapping_add(done));
            let n = (PAGE - (source_at % PAGE).max(at % PAGE)).min(len - done);
            // First the page that writing may replace, for it may be the other one too.
            let target = self.site(m, to).target(at, writes);
            let Ok(source) = self.site(m, from).source(source_at, reads) else {
                return (done, Some(End::Source));
            };
            let Ok(target) = target else {
                return (done, Some(End::Target));
            };
            let (to, from) = ((at % PAGE) as usize, (source_at % PAGE) as usize);
            copy_part(m, (target, to), (source, from), n as usize);
            done += n;
        }
        (done, None)
    }

    /// Reads all of it, or EFAULT.
    pub fn read_exact(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        buf: &mut [u8],
    ) -> Result<(), Errno> {
        let all = self.read(m, s, addr, buf) == buf.len();
        all.then_some(()).ok_or(Errno::EFAULT)
    }

    /// Writes all of it, or EFAULT; then part of it may be written.
    pub fn write_all(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        let all = self.write(m, s, addr, bytes) == bytes.len();
        all.then_some(()).ok_or(Errno::EFAULT)
    }

    /// Reads a word, or EFAULT.
    pub fn read_u64(&mut self, m: &mut impl Machine, s: SpaceIx, addr: u64) -> Result<u64, Errno> {
        let mut word = [0; 8];
        self.read_exact(m, s, addr, &mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    /// Writes a word, or EFAULT.
    pub fn write_u64(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        value: u64,
    ) -> Result<(), Errno> {
        self.write_all(m, s, addr, &value.to_le_bytes())
    }

    /// Bytes that lie in one page and that the task itself could read, where they are.
    pub fn bytes_at<'a, M: Machine>(
        &mut self,
        m: &'a mut M,
        s: SpaceIx,
        addr: u64,
        len: usize,
    ) -> Option<&'a [u8]> {
        let frame = self.site(m, s).source(addr, Access::Read).ok()??;
        m.bytes(frame)[(addr % PAGE) as usize..].get(..len)
    }

    /// The words of the page at an address, if the task itself could write them.
    pub fn writable_page<'a, M: Machine>(
        &mut self,
        m: &'a mut M,
        s: SpaceIx,
        addr: u64,
    ) -> Option<&'a mut [u64; PAGE as usize / 8]> {
        let frame = self.site(m, s).target(addr, Access::Write).ok()?;
        Some(m.words_mut(frame))
    }

    /// The words of the page at an address, if it is present and the task's own, for who only looks.
    pub fn own_page<'a, M: Machine>(
        &self,
        m: &'a M,
        s: SpaceIx,
        addr: u64,
    ) -> Option<&'a [u64; PAGE as usize / 8]> {
        let entry = self.space(s).pages.look(m, addr / PAGE);
        entry.is_owned().then(|| m.words(entry.frame()))
    }

    /// Reads a string into `buf`, without its final zero, which needs no room there: its length.
    /// EFAULT where memory ends first, ENAMETOOLONG where `buf` does, which then is full of how it
    /// begins.
    pub fn read_cstr(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        buf: &mut [u8],
    ) -> Result<usize, Errno> {
        let mut site = self.site(m, s);
        let mut done = 0;
        while done <= buf.len() {
            let at = addr.checked_add(done as u64).ok_or(Errno::EFAULT)?;
            let source = site.source(at, Access::Read);
            let Some(frame) = source.map_err(|_| Errno::EFAULT)? else {
                return Ok(done);
            };
            let there = &site.m.bytes(frame)[(at % PAGE) as usize..];
            let there = &there[..there.len().min(buf.len() + 1 - done)];
            let end = there.iter().position(|&byte| byte == 0);
            let n = end.unwrap_or(there.len());
            let fits = n.min(buf.len() - done);
            buf[done..][..fits].copy_from_slice(&there[..fits]);
            done += n;
            if end.is_some() && fits == n {
                return Ok(done);
            }
        }
        Err(Errno::ENAMETOOLONG)
    }

    /// The frame at an address that the task can reach by itself.
    #[inline]
    fn mapped_frame(&mut self, m: &impl Machine, s: SpaceIx, addr: u64) -> Option<Frame> {
        let entry = self.space_mut(s).pages.get(m, addr / PAGE);
        entry.is_mapped().then(|| entry.frame())
    }

    /// The byte before an instruction pointer, if it is in a page that the task can reach by itself, as an
    /// instruction that it has executed is.
    pub fn last_byte(&mut self, m: &impl Machine, s: SpaceIx, ip: u64) -> Option<u8> {
        let at = ip.checked_sub(1)?;
        let frame = self.mapped_frame(m, s, at)?;
        Some(m.bytes(frame)[(at % PAGE) as usize])
    }

    /// The two bytes at an instruction pointer, if the task can read them. This runs on every
    /// system call, where they are in the page that the task just executed.
    #[inline]
    pub fn fetch2(&mut self, m: &mut impl Machine, s: SpaceIx, ip: u64) -> Option<[u8; 2]> {
        if let Some(frame) = self.mapped_frame(m, s, ip)
            && let [first, second, ..] = m.bytes(frame)[(ip % PAGE) as usize..]
        {
            return Some([first, second]);
        }
        let mut bytes = [0; 2];
        (self.read(m, s, ip, &mut bytes) == 2).then_some(bytes)
    }
}

impl<M: Machine> Site<'_, M> {
    /// The frame to read at an address, none for zeros. Nothing is made present for it.
    #[inline]
    pub fn source(&mut self, addr: u64, access: Access) -> Result<Option<Frame>, MemoryFault> {
        let entry = self.entry(addr / PAGE);
        match entry.is_mapped() {
            true => Ok(Some(entry.frame())),
            false => self.source_by_vma(addr, access, entry),
        }
    }

    /// The same of a page that is not mapped.
    #[inline(never)]
    fn source_by_vma(
        &mut self,
        addr: u64,
        access: Access,
        entry: Entry,
    ) -> Result<Option<Frame>, MemoryFault> {
        let vma = self.check(addr, access)?;
        if entry.is_present() {
            return Ok(Some(entry.frame()));
        }
        Ok(match self.lent(&vma, addr / PAGE)? {
            Lent::Frame(frame) => Some(frame),
            Lent::Zeros => None,
        })
    }

    /// The frame to write at an address, made present and the task's own. It is mapped as well,
    /// if that can be: who has something written for it is about to read it.
    #[inline]
    pub fn target(&mut self, addr: u64, access: Access) -> Result<Frame, MemoryFault> {
        let entry = self.entry(addr / PAGE);
        match entry.is_writable() {
            true => Ok(entry.frame()),
            false => self.target_by_vma(addr, access),
        }
    }

    /// The same of a page that is not mapped to be written.
    #[inline(never)]
    fn target_by_vma(&mut self, addr: u64, access: Access) -> Result<Frame, MemoryFault> {
        let page = addr / PAGE;
        let vma = self.check(addr, access)?;
        self.make_present(&vma, page, true)?;
        // Without memory for it, the task's own fault reports that.
        let _ = self.show(&vma, page);
        Ok(self.entry(page).frame())
    }

    fn copy_out(&mut self, addr: u64, buf: &mut [u8], access: Access) -> usize {
        let mut done = 0;
        while done < buf.len() {
            let at = addr + done as u64;
            let Ok(source) = self.source(at, access) else {
                break;
            };
            let skip = (at % PAGE) as usize;
            let n = (PAGE as usize - skip).min(buf.len() - done);
            let chunk = &mut buf[done..][..n];
            match source {
                Some(frame) => chunk.copy_from_slice(&self.m.bytes(frame)[skip..][..n]),
                None => chunk.fill(0),
            }
            done += n;
        }
        done
    }

    fn copy_in(&mut self, addr: u64, bytes: &[u8], access: Access) -> usize {
        let mut done = 0;
        while done < bytes.len() {
            let at = addr + done as u64;
            let Ok(frame) = self.target(at, access) else {
                break;
            };
            let skip = (at % PAGE) as usize;
            let n = (PAGE as usize - skip).min(bytes.len() - done);
            self.m.bytes_mut(frame)[skip..][..n].copy_from_slice(&bytes[done..][..n]);
            done += n;
        }
        done
    }
}
