//! Device files.

use crate::tree::{Body, Directory, Inode, Mount, ROOT, Tree};
use crate::tty::FIRST_PTY;

/// What is behind a device file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Device {
    Null,
    Zero,
    Full,
    Random,
    Urandom,
    Tty,
    Console,
    /// The first serial port, which is the console.
    Serial,
    /// The second serial port.
    Line,
    /// Makes a pseudo-terminal when it is opened.
    Ptmx,
    /// A pseudo-terminal.
    Pts(u32),
    /// The log channel; the first process has it as its standard error.
    Log,
    /// A file outside the machine, if it was given one.
    Export,
}

const DEVICES: &[(&[u8], Device, u32)] = &[
    (b"null", Device::Null, 0o666),
    (b"zero", Device::Zero, 0o666),
    (b"full", Device::Full, 0o666),
    (b"random", Device::Random, 0o666),
    (b"urandom", Device::Urandom, 0o666),
    (b"tty", Device::Tty, 0o666),
    (b"console", Device::Console, 0o600),
    (b"ptmx", Device::Ptmx, 0o666),
    (b"export", Device::Export, 0o200),
    (b"ttyS0", Device::Serial, 0o600),
    (b"ttyS1", Device::Line, 0o600),
    (b"ttyprintk", Device::Log, 0o600),
];

const LINKS: &[(&[u8], &[u8])] = &[
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
];

impl Device {
    /// Its number as st_rdev has it (Linux, Documentation/admin-guide/devices.txt).
    pub fn number(self) -> u64 {
        let (major, minor) = match self {
            Device::Null => (1, 3),
            Device::Zero => (1, 5),
            Device::Full => (1, 7),
            Device::Random => (1, 8),
            Device::Urandom => (1, 9),
            Device::Tty => (5, 0),
            Device::Console => (5, 1),
            Device::Serial => (4, 64),
            Device::Line => (4, 65),
            Device::Log => (5, 3),
            // One of those for experiments.
            Device::Export => (60, 0),
            Device::Ptmx => (5, 2),
            Device::Pts(tty) => (136, u64::from(tty - FIRST_PTY)),
        };
        major << 8 | minor
    }

    /// The device of a number, but for terminals, which are not made by anybody.
    pub fn of_number(number: u64) -> Option<Device> {
        let mut devices = DEVICES.iter().map(|&(_, device, _)| device);
        devices.find(|device| device.number() == number)
    }

    /// Whether reading it reads the console or another terminal, and writing it writes there or
    /// to the log.
    pub fn is_console(self) -> bool {
        matches!(
            self,
            Device::Tty
                | Device::Console
                | Device::Serial
                | Device::Line
                | Device::Log
                | Device::Pts(_)
        )
    }
}

impl Tree {
    /// Fills /dev.
    pub fn add_devices(&mut self) {
        const ROOM: &str = "a few inodes fit the empty table";
        let body = Body::Directory(Directory::default());
        let dev = Inode::new(Mount::Dev, 0o755, body);
        let dev = self.add(ROOT, b"dev", dev).expect(ROOM);
        for &(name, device, mode) in DEVICES {
            let inode = Inode::new(Mount::Dev, mode, Body::Device(device));
            self.add(dev, name, inode).expect(ROOM);
        }
        for &(name, target) in LINKS {
            let inode = Inode::new(Mount::Dev, 0o777, Body::Link(target.into()));
            self.add(dev, name, inode).expect(ROOM);
        }
        let body = Body::Directory(Directory::default());
        let pts = Inode::new(Mount::Dev, 0o755, body);
        self.pts = self.add(dev, b"pts", pts).expect(ROOM);
        // Where POSIX shared memory lives; programs expect to be able to write there.
        let body = Body::Directory(Directory::default());
        let shm = Inode::new(Mount::Tmp, 0o1777, body);
        self.add(dev, b"shm", shm).expect(ROOM);
    }
}

/// The generator behind /dev/random and /dev/urandom: splitmix64, seeded with the time of the
/// start. Good enough for temporary names and hash seeds; it is no source of secrets, and the
/// machine has no entropy to make one from.
#[derive(Clone, Hash)]
pub(crate) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
