//! Control messages (cmsg(3)): SCM_RIGHTS and SCM_CREDENTIALS.

use super::name::write_name;
use super::parcel::{Got, Sent};
use super::{Credentials, SOL_SOCKET};
use crate::Fs;
use crate::fdtable::Fd;
use crate::host::{Host, Port, check_range};
use crate::io::Io;
use abi::{Capability, Errno};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The most descriptors of one message (unix(7), SCM_RIGHTS).
const MAX_PASSED: usize = 253;
/// The most bytes of control messages that are sent at once (Linux's net.core.optmem_max).
const MAX_CONTROL: u64 = 131072;

const SCM_RIGHTS: u32 = 1;
const SCM_CREDENTIALS: u32 = 2;
/// The sizes of struct cmsghdr and struct ucred.
const HEADER: usize = 16;
const UCRED: usize = 12;

const MSG_CTRUNC: u32 = 8;
const MSG_TRUNC: u32 = 0x20;
const MSG_CMSG_CLOEXEC: u32 = 0x4000_0000;

/// Whom SO_PASSCRED tells of where nobody has signed: no process, and Linux's overflow ids.
const NOBODY: Credentials = [0, 65534, 65534];
/// The same where nothing was sent.
const AT_THE_END: Credentials = [0; 3];

/// Where a struct msghdr wants what is received beside the bytes, and what that is so far.
#[derive(Clone, Hash)]
pub(crate) struct Receives {
    /// The structure; none for a receiver without.
    pub header: Option<Header>,
    pub got: Got,
    /// The name of who sends to a connection.
    pub peer_name: Box<[u8]>,
    /// Where the name goes, and its length.
    pub from: (u64, u64),
    /// It would wait.
    pub waits: bool,
}

/// What is in it.
#[derive(Clone, Hash)]
pub(crate) struct Header {
    pub at: u64,
    pub control: u64,
    pub control_len: u64,
    /// recvmsg(2)'s.
    pub flags: u32,
}

/// The place for control messages.
struct Place {
    at: u64,
    room: u64,
    flags: u32,
}

impl Fs {
    /// Reads the control messages of sendmsg(2).
    pub(super) fn read_control<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        (addr, len): (u64, u64),
    ) -> Result<Sent, Errno> {
        let mut sent = Sent::default();
        if len >= MAX_CONTROL {
            return Err(Errno::ENOBUFS);
        }
        check_range(addr, len)?;
        let bytes = port.read_all(addr, len as usize)?;
        let mut rest = &bytes[..];
        while rest.len() >= HEADER {
            let len = u64::from_le_bytes(rest[..8].try_into().expect("eight bytes"));
            let [level, kind] = words(&rest[8..HEADER]);
            if len < HEADER as u64 || len > rest.len() as u64 {
                return Err(Errno::EINVAL);
            }
            let len = len as usize;
            let data = &rest[HEADER..len];
            match (level, kind) {
                (SOL_SOCKET, SCM_RIGHTS) => self.read_files(port, data, &mut sent.files)?,
                (SOL_SOCKET, SCM_CREDENTIALS) if data.len() == UCRED => {
                    let credentials = words(data);
                    self.may_claim(port, credentials)?;
                    sent.credentials = Some(credentials);
                }
                (SOL_SOCKET, _) => return Err(Errno::EINVAL),
                _ => {}
            }
            rest = rest.get(len.next_multiple_of(8)..).unwrap_or_default();
        }
        Ok(sent)
    }

    fn read_files<H: Host>(
        &self,
        port: &Port<'_, H>,
        data: &[u8],
        files: &mut Vec<u32>,
    ) -> Result<(), Errno> {
        if data.len() / 4 > MAX_PASSED - files.len() {
            return Err(Errno::EINVAL);
        }
        for fd in data.chunks_exact(4) {
            let [fd] = words(fd);
            files.push(self.any_file(port.task, fd as i32)?);
        }
        Ok(())
    }

    /// Whether the caller may say that it is this process with these ids: EPERM, ESRCH, EINVAL.
    fn may_claim<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        [pid, uid, gid]: Credentials,
    ) -> Result<(), Errno> {
        let tgid = self.tasks.get(port.task).ok_or(Errno::ESRCH)?.tgid;
        let (who, told) = (&port.who, &port.who.told);
        if (pid != tgid && !who.capable(Capability::CAP_SYS_ADMIN))
            || (!told.uid.contains(&uid) && !who.capable(Capability::CAP_SETUID))
            || (!told.gid.contains(&gid) && !who.capable(Capability::CAP_SETGID))
        {
            return Err(Errno::EPERM);
        }
        if pid == 0 {
            return Err(Errno::ESRCH);
        }
        if pid != tgid {
            port.status(pid).map_err(|_| Errno::ESRCH)?;
        }
        match uid == u32::MAX || gid == u32::MAX {
            true => Err(Errno::EINVAL),
            false => Ok(()),
        }
    }

    /// A signal ends a call that has received some bytes: its result.
    pub(crate) fn received_part<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: &mut Io,
    ) -> Result<i64, Errno> {
        if let (Some(receives), Some(id)) = (&mut io.receives, self.socket_of(io.file)) {
            self.received(port, id, receives)?;
        }
        Ok(io.done())
    }

    /// A receiver has what it gets: it is told who has sent it, and has the files.
    pub(super) fn received<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        receives: &mut Receives,
    ) -> Result<(), Errno> {
        let files = core::mem::take(&mut receives.got.files);
        // At the end of everything nobody has sent.
        let came = receives.got.sender.is_some();
        let name = match self.has_packets(id) {
            true => &receives.got.name,
            false => &receives.peer_name,
        };
        let Some(header) = &receives.header else {
            self.drop_files(files);
            return write_sender(port, receives.from, name, came);
        };
        let passes = self.socket_mut(id).passes && (came || !self.has_packets(id));
        let mut place = Place {
            at: header.control,
            room: header.control_len,
            flags: header.flags & MSG_CMSG_CLOEXEC | if receives.got.cut { MSG_TRUNC } else { 0 },
        };
        if place.at == 0 {
            let lost = passes || !files.is_empty();
            place.flags |= if lost { MSG_CTRUNC } else { 0 };
            self.drop_files(files);
        } else {
            if passes {
                let sender = match receives.got.sender {
                    Some(sender) => sender.unwrap_or(NOBODY),
                    None => AT_THE_END,
                };
                place.put_credentials(port, sender);
            }
            if !files.is_empty() {
                self.give_files(port, &mut place, files);
            }
        }
        write_sender(port, receives.from, name, came)?;
        port.write(header.at + 48, &place.flags.to_le_bytes())?;
        let used = header.control_len - place.room;
        port.write(header.at + 40, &used.to_le_bytes())
    }

    /// Gives the task descriptors of files, as many as there is room for; the others are closed.
    fn give_files<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        place: &mut Place,
        mut files: Vec<u32>,
    ) {
        let room = place.room.saturating_sub(HEADER as u64) / 4;
        let most = files.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let cloexec = place.flags & MSG_CMSG_CLOEXEC != 0;
        let mut given = 0;
        while given < most {
            let at = place.at + (HEADER + 4 * given) as u64;
            let file = files[given];
            let placed = self.free_fd(port, 0).and_then(|fd| {
                port.write(at, &fd.to_le_bytes())?;
                self.set_fd(port.task, fd, Fd { file, cloexec })
            });
            if placed.is_err() {
                break;
            }
            given += 1;
        }
        if given < files.len() {
            place.flags |= MSG_CTRUNC;
        }
        self.drop_files(files.split_off(given));
        if given > 0 {
            place.head(port, HEADER + 4 * given, SCM_RIGHTS);
        }
    }
}

impl Place {
    fn put_credentials<H: Host>(&mut self, port: &mut Port<'_, H>, credentials: Credentials) {
        if self.room < HEADER as u64 {
            self.flags |= MSG_CTRUNC;
            return;
        }
        let bytes: Vec<u8> = credentials.iter().flat_map(|id| id.to_le_bytes()).collect();
        let len = (HEADER + UCRED).min(usize::try_from(self.room).unwrap_or(usize::MAX));
        if len < HEADER + UCRED {
            self.flags |= MSG_CTRUNC;
        }
        // As on Linux, what cannot be written is not there.
        if port
            .write(self.at + HEADER as u64, &bytes[..len - HEADER])
            .is_ok()
        {
            self.head(port, len, SCM_CREDENTIALS);
        }
    }

    /// Writes the head of a message whose data are there, and goes behind it.
    fn head<H: Host>(&mut self, port: &mut Port<'_, H>, len: usize, kind: u32) {
        let mut head = [0; HEADER];
        head[..8].copy_from_slice(&(len as u64).to_le_bytes());
        head[8..12].copy_from_slice(&SOL_SOCKET.to_le_bytes());
        head[12..].copy_from_slice(&kind.to_le_bytes());
        if port.write(self.at, &head).is_ok() {
            let space = (len.next_multiple_of(8) as u64).min(self.room);
            self.at += space;
            self.room -= space;
        }
    }
}

/// Writes the name of who has sent, if anybody has, where that is wanted.
fn write_sender<H: Host>(
    port: &mut Port<'_, H>,
    (addr, len_at): (u64, u64),
    name: &[u8],
    came: bool,
) -> Result<(), Errno> {
    match (addr, came && !name.is_empty()) {
        (0, _) => Ok(()),
        (_, true) => write_name(port, (addr, len_at), name),
        (_, false) => port.write(len_at, &[0; 4]),
    }
}

fn words<const N: usize>(bytes: &[u8]) -> [u32; N] {
    core::array::from_fn(|i| {
        let word = bytes[4 * i..4 * i + 4].try_into();
        u32::from_le_bytes(word.expect("four bytes"))
    })
}
