//! The table of registers.

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// gdb's name for it.
    pub name: &'static str,
    /// How many bytes it has in the protocol.
    pub size: usize,
    /// Its type in the target description.
    pub kind: &'static str,
    /// Its feature in the target description.
    pub feature: &'static str,
    /// Where its value is.
    pub place: Place,
}

/// Where a register's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A word of `user_regs_struct`.
    User(usize),
    /// Offset and length in the FXSAVE area; the rest of the register is zero.
    Float(usize, usize),
    /// The x87 tag word, which FXSAVE keeps in a shorter form.
    Tags,
}

use Place::{Float, Tags, User};

const CORE: &str = "org.gnu.gdb.i386.core";
const SSE: &str = "org.gnu.gdb.i386.sse";
const LINUX: &str = "org.gnu.gdb.i386.linux";
const SEGMENTS: &str = "org.gnu.gdb.i386.segments";

const fn core(name: &'static str, size: usize, kind: &'static str, place: Place) -> Register {
    Register {
        name,
        size,
        kind,
        feature: CORE,
        place,
    }
}

const fn general(name: &'static str, word: usize) -> Register {
    core(name, 8, "int64", User(word))
}

const fn segment(name: &'static str, word: usize) -> Register {
    core(name, 4, "int32", User(word))
}

const fn stack(name: &'static str, index: usize) -> Register {
    core(name, 10, "i387_ext", Float(32 + 16 * index, 10))
}

const fn control(name: &'static str, place: Place) -> Register {
    Register {
        name,
        size: 4,
        kind: "int",
        feature: CORE,
        place,
    }
}

const fn vector(name: &'static str, index: usize) -> Register {
    Register {
        name,
        size: 16,
        kind: "vec128",
        feature: SSE,
        place: Float(160 + 16 * index, 16),
    }
}

/// Every register; its number is its index.
pub const ALL: [Register; 60] = [
    general("rax", 10),
    general("rbx", 5),
    general("rcx", 11),
    general("rdx", 12),
    general("rsi", 13),
    general("rdi", 14),
    core("rbp", 8, "data_ptr", User(4)),
    core("rsp", 8, "data_ptr", User(19)),
    general("r8", 9),
    general("r9", 8),
    general("r10", 7),
    general("r11", 6),
    general("r12", 3),
    general("r13", 2),
    general("r14", 1),
    general("r15", 0),
    core("rip", 8, "code_ptr", User(16)),
    core("eflags", 4, "i386_eflags", User(18)),
    segment("cs", 17),
    segment("ss", 20),
    segment("ds", 23),
    segment("es", 24),
    segment("fs", 25),
    segment("gs", 26),
    stack("st0", 0),
    stack("st1", 1),
    stack("st2", 2),
    stack("st3", 3),
    stack("st4", 4),
    stack("st5", 5),
    stack("st6", 6),
    stack("st7", 7),
    control("fctrl", Float(0, 2)),
    control("fstat", Float(2, 2)),
    control("ftag", Tags),
    control("fiseg", Float(12, 2)),
    control("fioff", Float(8, 4)),
    control("foseg", Float(20, 2)),
    control("fooff", Float(16, 4)),
    control("fop", Float(6, 2)),
    vector("xmm0", 0),
    vector("xmm1", 1),
    vector("xmm2", 2),
    vector("xmm3", 3),
    vector("xmm4", 4),
    vector("xmm5", 5),
    vector("xmm6", 6),
    vector("xmm7", 7),
    vector("xmm8", 8),
    vector("xmm9", 9),
    vector("xmm10", 10),
    vector("xmm11", 11),
    vector("xmm12", 12),
    vector("xmm13", 13),
    vector("xmm14", 14),
    vector("xmm15", 15),
    Register {
        name: "mxcsr",
        size: 4,
        kind: "i386_mxcsr",
        feature: SSE,
        place: Float(24, 4),
    },
    Register {
        name: "orig_rax",
        size: 8,
        kind: "int",
        feature: LINUX,
        place: User(15),
    },
    Register {
        name: "fs_base",
        size: 8,
        kind: "int",
        feature: SEGMENTS,
        place: User(21),
    },
    Register {
        name: "gs_base",
        size: 8,
        kind: "int",
        feature: SEGMENTS,
        place: User(22),
    },
];

/// The number of the register with this name.
pub fn number(name: &str) -> Option<usize> {
    ALL.iter().position(|register| register.name == name)
}
