//! What the system tells of itself.

use super::capability as cap;
use crate::Procmgr;
use crate::machine::{Machine, PAGE};
use abi::linux::general as g;
use abi::{Errno, TaskId};

const ARCH_SET_GS: u64 = 0x1001;
const ARCH_SET_FS: u64 = 0x1002;
const ARCH_GET_FS: u64 = 0x1003;
const ARCH_GET_GS: u64 = 0x1004;
/// The end of addresses a base register may hold.
const ADDRESS_END: u64 = 0x7fff_ffff_f000;

const PR_SET_PDEATHSIG: u64 = 1;
const PR_GET_PDEATHSIG: u64 = 2;
const PR_GET_DUMPABLE: u64 = 3;
const PR_SET_DUMPABLE: u64 = 4;
const PR_SET_NAME: u64 = 15;
const PR_GET_NAME: u64 = 16;
const PR_GET_SECCOMP: u64 = 21;
const PR_SET_TIMERSLACK: u64 = 29;
const PR_GET_TIMERSLACK: u64 = 30;
const PR_SET_NO_NEW_PRIVS: u64 = 38;
const PR_GET_NO_NEW_PRIVS: u64 = 39;
const PR_SET_THP_DISABLE: u64 = 41;
const PR_GET_THP_DISABLE: u64 = 42;
const PR_SET_PTRACER: u64 = 0x5961_6d61;
const PR_SET_CHILD_SUBREAPER: u64 = 36;
const PR_GET_CHILD_SUBREAPER: u64 = 37;

impl Procmgr {
    /// arch_prctl(2).
    pub(super) fn sys_arch_prctl(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        match a[0] {
            ARCH_SET_FS | ARCH_SET_GS if a[1] >= ADDRESS_END => Err(Errno::EPERM),
            ARCH_SET_FS => {
                let registers = &mut self.task_mut(id).registers;
                registers.change(|regs| regs.fs_base = a[1]);
                Ok(())
            }
            ARCH_GET_FS => self.put_words(m, id, a[1], [self.task(id).registers.get().fs_base]),
            // Kept, but the kernel uses GS itself: see docs/differences.md.
            ARCH_SET_GS => {
                self.task_mut(id).gs_base = a[1];
                Ok(())
            }
            ARCH_GET_GS => self.put_words(m, id, a[1], [self.task(id).gs_base]),
            _ => Err(Errno::EINVAL),
        }
    }

    /// prctl(2), what concerns tasks.
    pub(super) fn sys_prctl(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let ix = self.process_of(id);
        match a[0] {
            PR_SET_PDEATHSIG => {
                let signo = u8::try_from(a[1])
                    .ok()
                    .filter(|n| *n <= abi::signal::SIGMAX);
                self.task_mut(id).parent_death_signal = signo.ok_or(Errno::EINVAL)?;
            }
            PR_GET_PDEATHSIG => {
                let signo = u32::from(self.task(id).parent_death_signal);
                self.put(m, id, a[1], &signo.to_le_bytes())?;
            }
            PR_GET_DUMPABLE => return Ok(self.dumpable(id).into()),
            PR_SET_DUMPABLE if a[1] <= 1 => self.set_dumpable(id, a[1] == 1),
            PR_SET_DUMPABLE => return Err(Errno::EINVAL),
            PR_SET_NAME => {
                let mut name = [0; 16];
                let space = self.task(id).space.ok_or(Errno::EFAULT)?;
                match self.memory.read_cstr(m, space, a[1], &mut name[..15]) {
                    Ok(len) => name[len..].fill(0),
                    Err(Errno::ENAMETOOLONG) => {}
                    Err(e) => return Err(e),
                }
                self.task_mut(id).comm = name;
            }
            PR_GET_NAME => {
                let name = self.task(id).comm;
                self.put(m, id, a[1], &name)?;
            }
            PR_SET_CHILD_SUBREAPER => self.process_mut(ix).subreaper = a[1] != 0,
            PR_GET_CHILD_SUBREAPER => {
                let value = u32::from(self.process(ix).subreaper);
                self.put(m, id, a[1], &value.to_le_bytes())?;
            }
            cap::PR_GET_KEEPCAPS
            | cap::PR_SET_KEEPCAPS
            | cap::PR_CAPBSET_READ
            | cap::PR_CAPBSET_DROP
            | cap::PR_GET_SECUREBITS
            | cap::PR_SET_SECUREBITS
            | cap::PR_CAP_AMBIENT => return self.capability_prctl(id, a),
            PR_SET_NO_NEW_PRIVS if a[1..5] == [1, 0, 0, 0] => {
                self.task_mut(id).no_new_privileges = true;
            }
            PR_GET_NO_NEW_PRIVS if a[1..5] == [0; 4] => {
                return Ok(self.task(id).no_new_privileges.into());
            }
            PR_GET_TIMERSLACK => return Ok(50_000),
            PR_GET_SECCOMP | PR_SET_TIMERSLACK => {}
            PR_SET_THP_DISABLE | PR_GET_THP_DISABLE | PR_SET_PTRACER => {}
            _ => return Err(Errno::EINVAL),
        }
        Ok(0)
    }

    /// uname(2).
    pub(super) fn sys_uname(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<(), Errno> {
        // Programs look at the release to learn what they can expect: Linux 6.1, whose
        // behaviour this is.
        let fields = [
            "Linux",
            self.host_name.as_str(),
            "6.1.0-stillpoint",
            concat!(
                "#1 Stillpoint ",
                env!("CARGO_PKG_VERSION"),
                " on seL4 5.0.0"
            ),
            "x86_64",
            self.domain_name.as_str(),
        ];
        let mut bytes = [0; 6 * 65];
        for (field, to) in fields.iter().zip(bytes.chunks_mut(65)) {
            to[..field.len()].copy_from_slice(field.as_bytes());
        }
        self.put(m, id, at, &bytes)
    }

    /// personality(2): kept, and without effect.
    pub(super) fn sys_personality(&mut self, id: TaskId, persona: u64) -> i64 {
        let ix = self.process_of(id);
        let old = self.process(ix).personality;
        if persona as u32 != u32::MAX {
            self.process_mut(ix).personality = persona as u32;
        }
        old.into()
    }

    /// sysinfo(2).
    pub(super) fn sys_sysinfo(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<(), Errno> {
        let mut bytes = [0; 112];
        let free = m.frames_free() as u64 * PAGE;
        let total = self.frames_at_start as u64 * PAGE;
        let words = [(0, m.now() / 1_000_000_000), (32, total), (40, free)];
        for (at, word) in words {
            bytes[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        bytes[80..82].copy_from_slice(&(self.task_count() as u16).to_le_bytes());
        bytes[104..108].copy_from_slice(&1u32.to_le_bytes());
        self.put(m, id, at, &bytes)
    }

    /// getrandom(2). Never EAGAIN: the stream needs no time to become good, or never does.
    pub(super) fn sys_getrandom(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let known = g::GRND_NONBLOCK | g::GRND_RANDOM | g::GRND_INSECURE;
        if a[2] as u32 & !known != 0 {
            return Err(Errno::EINVAL);
        }
        let len = a[1].min(i32::MAX as u64);
        let mut buffer = [0; 256];
        let mut done = 0;
        while done < len {
            let chunk = (len - done).min(buffer.len() as u64) as usize;
            self.random.fill(&mut buffer[..chunk]);
            let at = a[0].checked_add(done).ok_or(Errno::EFAULT)?;
            match self.put(m, id, at, &buffer[..chunk]) {
                Err(e) if done == 0 => return Err(e),
                Err(_) => break,
                Ok(()) => done += chunk as u64,
            }
        }
        Ok(done as i64)
    }

    /// getcpu(2).
    pub(super) fn sys_getcpu(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        for at in [a[0], a[1]] {
            if at != 0 {
                self.put(m, id, at, &0u32.to_le_bytes())?;
            }
        }
        Ok(())
    }
}
