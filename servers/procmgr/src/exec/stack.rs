//! The stack a program starts with: strings, auxiliary vector, pointers.

use super::args::Args;
use super::load::Loaded;
use crate::Procmgr;
use crate::credentials::Credentials;
use crate::fork::FPU_AREA;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::{MapRequest, Source};
use abi::Errno;
use abi::fs::Layout;
use abi::linux::general as g;
use alloc::vec::Vec;

/// The highest address of the stack, a guard page below the FPU area.
const STACK_TOP: u64 = FPU_AREA - PAGE;
/// How much of it is mapped at first; it grows by itself.
const STACK_INITIAL: u64 = 0x2_1000;

const AT_NULL: u64 = 0;
const AT_PHDR: u64 = 3;
const AT_PHENT: u64 = 4;
const AT_PHNUM: u64 = 5;
const AT_PAGESZ: u64 = 6;
const AT_BASE: u64 = 7;
const AT_FLAGS: u64 = 8;
const AT_ENTRY: u64 = 9;
const AT_UID: u64 = 11;
const AT_EUID: u64 = 12;
const AT_GID: u64 = 13;
const AT_EGID: u64 = 14;
const AT_PLATFORM: u64 = 15;
const AT_HWCAP: u64 = 16;
const AT_CLKTCK: u64 = 17;
const AT_SECURE: u64 = 23;
const AT_RANDOM: u64 = 25;
const AT_HWCAP2: u64 = 26;
const AT_EXECFN: u64 = 31;
const AT_MINSIGSTKSZ: u64 = 51;

/// CPUID 1 EDX of the processor the image is built for, which is what AT_HWCAP is.
const HWCAP: u64 = 0x078b_fbfd;
/// A signal frame with its FPU area and alignment.
const MINSIGSTKSZ: u64 = 2048;

/// What the auxiliary vector is made of.
pub struct Auxv<'a> {
    /// The program.
    pub program: &'a Loaded,
    /// Its interpreter.
    pub interpreter: Option<&'a Loaded>,
    /// AT_RANDOM.
    pub random: [u8; 16],
}

impl Procmgr {
    /// Maps the stack and fills it; where everything is, the stack pointer to start with among
    /// it. E2BIG where the strings
    /// leave no room.
    pub(super) fn build_stack(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        args: &Args,
        path: &[u8],
        auxv: &Auxv<'_>,
    ) -> Result<Layout, Errno> {
        let mut strings = Strings {
            top: STACK_TOP - 8,
            bytes: Vec::new(),
        };
        let execfn = strings.push(path);
        let envp: Vec<u64> = args.envp.iter().rev().map(|s| strings.push(s)).collect();
        let argv: Vec<u64> = args.argv.iter().rev().map(|s| strings.push(s)).collect();
        let platform = strings.push(b"x86_64");
        let random = strings.push(&auxv.random);

        let mut words: Vec<u64> = Vec::new();
        words.push(argv.len() as u64);
        words.extend(argv.iter().rev());
        words.push(0);
        words.extend(envp.iter().rev());
        words.push(0);
        words.extend(auxv.words(execfn, platform, random));

        let low = strings.low() & !15;
        let rsp = (low - 8 * words.len() as u64) & !15;
        let size = (STACK_TOP - rsp + PAGE)
            .max(STACK_INITIAL)
            .next_multiple_of(PAGE);
        let request = MapRequest {
            addr: STACK_TOP - size,
            len: size,
            prot: match auxv.program.executable_stack {
                true => g::PROT_READ | g::PROT_WRITE | g::PROT_EXEC,
                false => g::PROT_READ | g::PROT_WRITE,
            },
            flags: g::MAP_PRIVATE | g::MAP_FIXED | g::MAP_GROWSDOWN | g::MAP_STACK,
            source: Source::Anonymous,
        };
        self.memory.map(m, space, &request)?;
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.memory
            .write_all(m, space, rsp, &bytes)
            .map_err(|_| Errno::ENOMEM)?;
        strings.bytes.reverse();
        let at = strings.low();
        self.memory
            .write_all(m, space, at, &strings.bytes)
            .map_err(|_| Errno::ENOMEM)?;
        let environment = envp.last().copied().unwrap_or(execfn);
        let auxiliary = rsp + 8 * (argv.len() + envp.len() + 3) as u64;
        Ok(Layout {
            arguments: (argv.last().copied().unwrap_or(environment), environment),
            environment: (environment, execfn),
            auxiliary: (auxiliary, rsp + bytes.len() as u64),
            stack: rsp,
            heap: (0, 0),
        })
    }
}

/// How many entries of the auxiliary vector come before those that say who runs the program.
const IDENTITY: usize = 10;

/// The entries that say who runs a program.
fn identity(ids: &Credentials, secure: bool) -> [(u64, u64); 5] {
    let ([uid, euid, _], [gid, egid, _]) = (ids.uid, ids.gid);
    [
        (AT_UID, uid.into()),
        (AT_EUID, euid.into()),
        (AT_GID, gid.into()),
        (AT_EGID, egid.into()),
        (AT_SECURE, secure.into()),
    ]
}

impl Procmgr {
    /// Writes into a new program's auxiliary vector who runs it.
    pub(super) fn write_identity(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        layout: &Layout,
        ids: &Credentials,
        secure: bool,
    ) {
        let words = identity(ids, secure).into_iter();
        let bytes: Vec<u8> = words
            .flat_map(|(key, value)| [key.to_le_bytes(), value.to_le_bytes()])
            .flatten()
            .collect();
        let at = layout.auxiliary.0 + 16 * IDENTITY as u64;
        let written = self.memory.poke(m, space, at, &bytes);
        assert_eq!(written, bytes.len(), "the stack was just written");
    }
}

impl Auxv<'_> {
    fn words(&self, execfn: u64, platform: u64, random: u64) -> impl Iterator<Item = u64> {
        // In Linux's order, which nobody needs but who compares.
        let before = [
            (AT_MINSIGSTKSZ, MINSIGSTKSZ),
            (AT_HWCAP, HWCAP),
            (AT_PAGESZ, PAGE),
            (AT_CLKTCK, 100),
            (AT_PHDR, self.program.headers),
            (AT_PHENT, 56),
            (AT_PHNUM, self.program.header_count.into()),
            (AT_BASE, self.interpreter.map_or(0, |i| i.base)),
            (AT_FLAGS, 0),
            (AT_ENTRY, self.program.entry),
        ];
        const { assert!(IDENTITY == 10) };
        let behind = [
            (AT_RANDOM, random),
            (AT_HWCAP2, 0),
            (AT_EXECFN, execfn),
            (AT_PLATFORM, platform),
            (AT_NULL, 0),
        ];
        // Who runs it is known when nothing can fail any more.
        let identity = identity(&Credentials::root(), false);
        let all = before.into_iter().chain(identity).chain(behind);
        all.flat_map(|(key, value)| [key, value])
    }
}

/// Strings laid out from the top of the stack downwards, kept in reverse.
struct Strings {
    top: u64,
    bytes: Vec<u8>,
}

impl Strings {
    fn push(&mut self, string: &[u8]) -> u64 {
        self.bytes.push(0);
        self.bytes.extend(string.iter().rev());
        self.low()
    }

    fn low(&self) -> u64 {
        self.top - self.bytes.len() as u64
    }
}
