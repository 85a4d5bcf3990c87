//! Core files (core(5)): their name, and the file itself, which the process manager fills.

use crate::host::{Host, Port};
use crate::open::How;
use crate::path::{Follow, Last};
use crate::tree::{Body, Ino, Node};
use crate::{Fs, PAGE};
use abi::Errno;
use abi::fs::{FileRange, Mapping, MappingOf, Outcome, TaskStatus};
use abi::linux::general::{O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, RLIMIT_CORE};
use abi::wire::MAX_DATA;
use alloc::format;
use alloc::vec::Vec;

/// The longest core_pattern, as Linux's CORENAME_MAX_SIZE with its zero.
pub(crate) const MAX_PATTERN: usize = 127;
/// The most bytes of an NT_FILE note; a longer one is left out, as Linux does above 4 MiB.
const MAX_NOTE: usize = 256 << 10;

/// /proc/sys/kernel/core_pattern and core_uses_pid.
#[derive(Clone, Hash)]
pub(crate) struct CoreName {
    pub pattern: Vec<u8>,
    pub uses_pid: bool,
}

impl Default for CoreName {
    fn default() -> CoreName {
        CoreName {
            pattern: b"core".to_vec(),
            uses_pid: false,
        }
    }
}

/// What a pattern can tell of.
struct Subject<'a> {
    status: &'a TaskStatus,
    signo: u8,
    /// The path of the program.
    program: &'a [u8],
    /// Seconds since 1970.
    time: u64,
    /// RLIMIT_CORE.
    limit: u64,
}

impl CoreName {
    /// Sets the pattern. EINVAL for one that names a program to pipe the core to: nobody here
    /// could start it.
    pub fn set(&mut self, text: &[u8]) -> Result<(), Errno> {
        let end = text.iter().position(|b| matches!(b, 0 | b'\n'));
        let pattern = &text[..end.unwrap_or(text.len())];
        if pattern.first() == Some(&b'|') {
            return Err(Errno::EINVAL);
        }
        self.pattern = pattern[..pattern.len().min(MAX_PATTERN)].to_vec();
        Ok(())
    }

    /// The name that the pattern gives a core, with Linux's specifiers.
    fn of(&self, subject: &Subject<'_>) -> Vec<u8> {
        let mut name = Vec::new();
        let mut tells_pid = false;
        let mut pattern = self.pattern.iter();
        while let Some(&byte) = pattern.next() {
            if byte != b'%' {
                name.push(byte);
                continue;
            }
            let Some(&specifier) = pattern.next() else {
                break;
            };
            tells_pid |= specifier == b'p';
            subject.add(specifier, &mut name);
        }
        if self.uses_pid && !tells_pid {
            name.extend_from_slice(format!(".{}", subject.status.tgid).as_bytes());
        }
        name
    }
}

impl Subject<'_> {
    /// What a specifier stands for; nothing for an unknown one.
    fn add(&self, specifier: u8, name: &mut Vec<u8>) {
        let status = self.status;
        let number = match specifier {
            b'%' => return name.push(b'%'),
            b'e' => {
                let end = status.comm.iter().position(|b| *b == 0);
                return add_escaped(name, &status.comm[..end.unwrap_or(status.comm.len())]);
            }
            b'f' => {
                let last = self.program.rsplit(|b| *b == b'/').next();
                return add_escaped(name, last.unwrap_or_default());
            }
            b'E' => return add_escaped(name, self.program),
            b'h' => return name.extend_from_slice(b"stillpoint"),
            b'p' | b'P' => status.tgid.into(),
            b'i' | b'I' => status.tid.into(),
            b'u' => status.uid[0].into(),
            b'g' => status.gid[0].into(),
            b'd' => 1,
            b's' => self.signo.into(),
            b't' => self.time,
            b'c' => self.limit,
            _ => return,
        };
        name.extend_from_slice(format!("{number}").as_bytes());
    }
}

/// Adds what is to stay one name.
fn add_escaped(name: &mut Vec<u8>, text: &[u8]) {
    let start = name.len();
    name.extend(text.iter().map(|b| if *b == b'/' { b'!' } else { *b }));
    if matches!(text, b"." | b"..") {
        name[start] = b'!';
    }
}

impl Fs {
    /// Makes the core file of a task's process, as Linux does: anew, not through a link, for its
    /// owner alone. Its object begins with what an NT_FILE note says.
    pub(crate) fn core<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        signo: u8,
    ) -> Result<Outcome, Errno> {
        let path = self.core_path(port, signo)?;
        let base = self.cwd(port.task)?;
        self.remove_old_core(port, base, &path);
        let flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
        let Node::Inode(ino) = self.open_node(port, base, &path, How::of_open(flags, 0o600)?)?
        else {
            return Err(Errno::EACCES);
        };
        let inode = self.tree.get(ino);
        // A mask may have left nothing for the owner.
        let (Body::File(range), 0o600) = (&inode.body, inode.mode & 0o677) else {
            return Err(Errno::EACCES);
        };
        let object = range.object;
        let note = self.mapped_files(port).unwrap_or_default();
        for (chunk, at) in note.chunks(MAX_DATA).zip((0..).step_by(MAX_DATA)) {
            port.write_object(object, at, chunk)?;
        }
        self.tree.hold(ino);
        let task = self.tasks.get_mut(port.task).ok_or(Errno::ESRCH)?;
        let before = task.core.replace(ino);
        self.drop_core(before);
        Ok(Outcome::Core {
            object,
            files: note.len() as u32,
            room: crate::MAX_FILE_SIZE,
        })
    }

    /// The process manager has filled the file.
    pub(crate) fn core_written<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        size: u64,
    ) -> Result<i64, Errno> {
        let task = self.tasks.get_mut(port.task).ok_or(Errno::ESRCH)?;
        let ino = task.core.take().ok_or(Errno::EINVAL)?;
        let sized = self.resize(port, ino, size);
        // Its hold goes on until it has its time.
        self.closed.push(ino);
        sized.map(|()| 0)
    }

    /// A core file is nobody's business any more.
    pub(crate) fn drop_core(&mut self, core: Option<Ino>) {
        if let Some(ino) = core {
            self.release_node(Node::Inode(ino));
        }
    }

    fn core_path<H: Host>(&self, port: &mut Port<'_, H>, signo: u8) -> Result<Vec<u8>, Errno> {
        let task = self.tasks.get(port.task).ok_or(Errno::ESRCH)?;
        let program = task.exe.map(|exe| self.tree.path(exe)).unwrap_or_default();
        let status = port.status(task.tid)?;
        let (limit, _) = port.limits(task.tid)?[RLIMIT_CORE as usize];
        let (_, now) = port.time()?;
        let subject = Subject {
            status: &status,
            signo,
            program: &program,
            time: now / 1_000_000_000,
            limit,
        };
        Ok(self.core_name.of(&subject))
    }

    /// A core of an earlier dump goes, whatever it is; what cannot go is an error when the new one
    /// is made.
    fn remove_old_core<H: Host>(&mut self, port: &mut Port<'_, H>, base: Node, path: &[u8]) {
        let Ok(walk) = self.walk(port, base, path, Follow::Never) else {
            return;
        };
        if let (Last::Name(name), Some(node)) = (&walk.last, walk.node)
            && !self.is_directory(node)
            && !walk.slash
            && let Ok(parent) = self.removable_from(&walk)
            && self.may_delete(port, parent, node).is_ok()
            && let Ok((_, now)) = port.time()
        {
            self.remove_name(parent, name, node, now);
        }
    }

    /// What an NT_FILE note says: how many mappings, the unit of their offsets, their places, their
    /// names. None where there are none, or too many.
    fn mapped_files<H: Host>(&self, port: &mut Port<'_, H>) -> Option<Vec<u8>> {
        let tid = self.tasks.get(port.task)?.tid;
        let memory = port.status(tid).ok()?.memory;
        let (mut count, mut places, mut names) = (0u64, Vec::new(), Vec::new());
        let mut from = 0;
        loop {
            let mappings = port.mappings(tid, memory, from).ok()?;
            for mapping in mappings.iter().flatten() {
                from = mapping.end;
                let Some(name) = self.mapped_name(mapping) else {
                    continue;
                };
                count += 1;
                for word in [mapping.start, mapping.end, mapping.offset / PAGE] {
                    places.extend_from_slice(&word.to_le_bytes());
                }
                names.extend_from_slice(&name);
                names.push(0);
            }
            if places.len() + names.len() > MAX_NOTE - 16 {
                return None;
            }
            if mappings.iter().any(Option::is_none) {
                break;
            }
        }
        let mut note = Vec::new();
        note.extend_from_slice(&count.to_le_bytes());
        note.extend_from_slice(&PAGE.to_le_bytes());
        note.append(&mut places);
        note.append(&mut names);
        (count > 0).then_some(note)
    }

    fn mapped_name(&self, mapping: &Mapping) -> Option<Vec<u8>> {
        match mapping.of {
            MappingOf::File(range) => Some(self.name_of_range(range)),
            MappingOf::SharedAnonymous => Some(b"/dev/zero (deleted)".to_vec()),
            MappingOf::Anonymous | MappingOf::Heap | MappingOf::Stack => None,
        }
    }

    fn name_of_range(&self, range: FileRange) -> Vec<u8> {
        match self.tree.by_range(range) {
            Some(ino) => self.tree.path(ino),
            None => b"(deleted)".to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::fs::Usage;
    use abi::{SigSet, TaskId};

    fn status() -> TaskStatus {
        TaskStatus {
            task: TaskId::new(1, 1),
            tid: 8,
            tgid: 7,
            ppid: 1,
            pgid: 1,
            sid: 1,
            tracer: 0,
            state: b'D',
            uid: [1000; 3],
            gid: [100; 3],
            fsid: [1000, 100],
            groups: 0,
            capabilities: [abi::CapabilitySet::EMPTY; 5],
            no_new_privileges: false,
            memory: 1,
            dumpable: true,
            comm: *b"a/b\0\0\0\0\0\0\0\0\0\0\0\0\0",
            threads: 1,
            mapped: 0,
            resident: 0,
            memory_parts: [0; 3],
            priority: 20,
            nice: 0,
            real_time: 0,
            policy: 0,
            queued: (0, 0),
            peak: 0,
            usage: Usage::default(),
            usage_process: Usage::default(),
            usage_children: Usage::default(),
            started: 0,
            exit_signal: 17,
            exit_status: 0,
            pending: SigSet::EMPTY,
            shared_pending: SigSet::EMPTY,
            blocked: SigSet::EMPTY,
            ignored: SigSet::EMPTY,
            caught: SigSet::EMPTY,
            dump_filter: 0x33,
            orphaned: false,
        }
    }

    fn name(pattern: &[u8], uses_pid: bool) -> Vec<u8> {
        let mut core = CoreName::default();
        core.set(pattern).unwrap();
        core.uses_pid = uses_pid;
        core.of(&Subject {
            status: &status(),
            signo: 11,
            program: b"/bin/prog",
            time: 5,
            limit: 99,
        })
    }

    #[test]
    fn a_pattern_is_filled_in_as_on_linux() {
        assert_eq!(name(b"core\n", false), b"core");
        assert_eq!(name(b"core", true), b"core.7");
        assert_eq!(name(b"c.%p", true), b"c.7");
        assert_eq!(
            name(b"/tmp/%e-%f-%E-%i-%u-%g-%s-%t-%c-%d-%%-%z-%", false),
            b"/tmp/a!b-prog-!bin!prog-8-1000-100-11-5-99-1-%--"
        );
    }

    #[test]
    fn a_pattern_is_no_program_and_not_too_long() {
        let mut core = CoreName::default();
        assert_eq!(core.set(b"|/bin/cat"), Err(Errno::EINVAL));
        core.set(&[b'x'; 300]).unwrap();
        assert_eq!(core.pattern.len(), MAX_PATTERN);
    }
}
